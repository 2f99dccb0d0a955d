"""Backpropagation made visible (textbook B9, V8): what every node of a small network says and hears.

    passes = backpropagation(net, (x,), y, loss)
    print(passes.nodes)                                  # step, operation, unit, value, gradient

Forward, each node computes a value from those before it. Backward, by the chain rule, each hears how
much the loss would rise if its value rose by one: its gradient (Rumelhart, Hinton & Williams, 1986).
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import polars as pl
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from preceptor.training.loop import Loss


class Passes(NamedTuple):
    """One example's way through a net and back, and its loss.

    `nodes` has the columns step, operation, unit, value, gradient; step 0 is the input. `edges` has the
    columns step (of the node that reads), source, unit, weight, gradient: the weights of dense layers.
    """

    nodes: pl.DataFrame
    edges: pl.DataFrame
    loss: float


def backpropagation(net: nn.Module, inputs: Sequence[Tensor], goal: Tensor, loss: Loss) -> Passes:
    """Send the first row forward and its gradient back, and write down what each node said and heard.

    Nodes are the numbers of every tensor that the net computes, operation by operation. Weights, and
    gradients that hang on the net, stay as they were; the net is in evaluation mode meanwhile.
    """
    first = [part[:1].clone().requires_grad_(part.is_floating_point()) for part in inputs]
    weights = {parameter: parameter.grad for parameter in net.parameters()}
    mode, recorder = net.training, _Recorder()
    net.eval()
    try:
        with torch.enable_grad():
            with recorder:
                output = net(*first)
            value = loss(output, goal[:1])
        for parameter in weights:
            parameter.grad = None
        torch.autograd.backward(value)
        return Passes(_nodes(first, recorder.steps), _edges(recorder.steps), float(value.detach()))
    finally:
        net.train(mode)
        for parameter, gradient in weights.items():
            parameter.grad = gradient


class _Step(NamedTuple):
    """An operation, what it was given, what it made."""

    operation: str
    given: tuple[Any, ...]
    made: Tensor


class _Recorder(TorchFunctionMode):
    """Notes every operation that a gradient will come back through."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[_Step] = []

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        made = function(*args, **(kwargs or {}))
        new = isinstance(made, Tensor) and made.grad_fn is not None and made is not args[0]
        if new and function.__name__ != "__get__":
            made.retain_grad()
            self.steps.append(_Step(function.__name__.strip("_"), args, made))
        return made


def _nodes(inputs: Sequence[Tensor], steps: Sequence[_Step]) -> pl.DataFrame:
    given = [("input", part) for part in inputs if part.is_floating_point() and part.numel()]
    told = [*given, *((step.operation, step.made) for step in steps)]
    frames = [
        pl.DataFrame(
            {
                "step": [max(place - len(given) + 1, 0)] * tensor.numel(),
                "operation": [operation] * tensor.numel(),
                "unit": range(tensor.numel()),
                "value": tensor.detach().flatten().tolist(),
                "gradient": _gradient(tensor).flatten().tolist(),
            }
        )
        for place, (operation, tensor) in enumerate(told)
    ]
    return pl.concat(frames)


def _edges(steps: Sequence[_Step]) -> pl.DataFrame:
    rows: list[tuple[int, int, int, float, float]] = []
    for place, (operation, given, _) in enumerate(steps, start=1):
        if operation == "linear":
            weight_KF = given[1].detach()
            heard_KF = _gradient(given[1])
            rows += [
                (place, source, unit, float(weight_KF[unit, source]), float(heard_KF[unit, source]))
                for unit, source in torch.cartesian_prod(*map(torch.arange, weight_KF.shape)).tolist()
            ]
    return pl.DataFrame(rows, ["step", "source", "unit", "weight", "gradient"], orient="row")


def _gradient(tensor: Tensor) -> Tensor:
    """What the tensor heard; zeros where nothing came back."""
    return torch.zeros_like(tensor) if tensor.grad is None else tensor.grad.detach()
