"""What a net computes, operation by operation: activations and weight layers, wherever they are written.

    trace = Trace()
    with trace.of(net):
        output = net(*inputs)
    trace.activations                 # relu, tanh ... with their layer's name, input and output
    trace.weighted                    # products with a weight: dense layers and convolutions
    trace.joined                      # where tensors lay that were added, multiplied or put side by side

A `TorchDispatchMode` sees `torch.relu(x)`, `F.relu(x)`, `x.relu_()` and `nn.ReLU()` alike, so that no net
needs to be written in a certain way. The layer's name is that of the innermost module at work.

Shapes: units lie in dimension 1 of (B, C, H, W), else in the last.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

RECTIFIERS = {"relu", "threshold", "hardtanh", "leaky_relu", "clamp_min"}
SQUASHERS = {"sigmoid", "tanh", "hardsigmoid"}
SMOOTH = {"elu", "gelu", "silu", "mish", "softplus", "sin", "celu", "log_sigmoid", "hardswish", "glu"}
CURVED = RECTIFIERS | SQUASHERS | SMOOTH | {"_prelu_kernel", "clamp"}
PRODUCTS = {"addmm", "mm", "convolution", "linear", "mkldnn_linear", "_convolution"}
SUMS = {"add", "cat", "mul", "sub"}
LAST = {"_softmax", "softmax", "_log_softmax", "log_softmax", "sigmoid", "tanh", "relu"}
RECURRENT = (nn.RNNBase, nn.RNNCellBase)


class Applied(NamedTuple):
    """One operation: its name, the innermost module's name and whether that is recurrent, in and out."""

    op: str
    layer: str
    recurrent: bool
    given: Tensor
    made: Tensor
    weight: Tensor | None = None


@dataclass(frozen=True)
class _Inside:
    name: str
    module: nn.Module


class Trace(TorchDispatchMode):
    """Listens to every operation below autograd; `steps` are those that matter, in order."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.steps: list[Applied] = []
        self._inside: list[_Inside] = []
        self.fixed: set[int] = set()
        self.joined: set[int] = set()

    @contextmanager
    def of(self, net: nn.Module) -> Iterator["Trace"]:
        """Inside, what `net` computes is noted down, with the names of its modules."""
        self.fixed = {parameter.data_ptr() for parameter in net.parameters()}
        hooks = []
        for name, module in net.named_modules():
            inside = _Inside(name, module)
            hooks.append(module.register_forward_pre_hook(lambda *_, i=inside: self._inside.append(i)))
            hooks.append(module.register_forward_hook(lambda *_: self._leave(), always_call=True))
        try:
            with self:
                yield self
        finally:
            for hook in hooks:
                hook.remove()

    def _leave(self) -> None:
        self._inside.pop()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation, and note it where it is an activation or a product with a weight."""
        name = func.overloadpacket.__name__.removesuffix("_")
        kept = name in CURVED or name in LAST
        given = args[0].clone() if kept and func.overloadpacket.__name__.endswith("_") else None
        made = func(*args, **(kwargs or {}))
        if kept:
            self._note(name, args[0] if given is None else given, made)
        elif name in PRODUCTS:
            self._product(name, args, made)
        elif name in SUMS:
            parts = args[0] if isinstance(args[0], list | tuple) else args
            self.joined |= {part.data_ptr() for part in parts if isinstance(part, Tensor)}
        return made

    def _product(self, name: str, args: Any, made: Tensor) -> None:
        tensors = [each for each in args if isinstance(each, Tensor)]
        weights = [each for each in tensors if each.ndim > 1 and each.data_ptr() in self.fixed]
        flowing = [each for each in tensors if each.data_ptr() not in self.fixed]
        if weights and flowing:
            self._note(name, flowing[0], made, weights[0])

    def _note(self, name: str, given: Tensor, made: Tensor, weight: Tensor | None = None) -> None:
        if not isinstance(made, Tensor) or not made.is_floating_point():
            return
        inside = self._inside[-1] if self._inside else _Inside("", nn.Identity())
        recurrent = isinstance(inside.module, RECURRENT)
        self.steps.append(
            Applied(
                name, inside.name, recurrent, given.detach(), made.detach(),
                None if weight is None else weight.detach(),
            )
        )  # fmt: skip

    @property
    def activations(self) -> list[Applied]:
        """Rectifiers, squashers and their like, but for the gates inside recurrent layers."""
        return [step for step in self.steps if step.op in CURVED and not step.recurrent]

    @property
    def weighted(self) -> list[Applied]:
        """Products with a weight."""
        return [step for step in self.steps if step.weight is not None]

    def last(self, output: Tensor) -> str:
        """The operation that made the net's output, if it is an activation; else empty."""
        made = [step.op for step in self.steps if step.made.data_ptr() == output.data_ptr()]
        return made[-1].removeprefix("_") if made and made[-1] in LAST else ""


def by_unit(values: Tensor) -> Tensor:
    """Values as (everything else, units)."""
    if values.ndim < 2:
        return values.reshape(-1, 1)
    return values.movedim(1, -1).flatten(0, -2) if values.ndim == 4 else values.flatten(0, -2)
