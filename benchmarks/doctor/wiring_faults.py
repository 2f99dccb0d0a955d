"""Faults of the net and its loss: each edits a setup in place; `level` says how badly."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.doctor.nets import perceptron
from benchmarks.doctor.setup import Parts, Setup

ACTIVATIONS = (nn.ReLU, nn.Tanh)
WEIGHTED = (nn.Linear, nn.Conv2d)


def last_linear(net: nn.Module) -> nn.Linear:
    """The layer that gives the answer."""
    return [module for module in net.modules() if isinstance(module, nn.Linear)][-1]


def hidden_layers(net: nn.Module) -> list[nn.Module]:
    """The linear layers and convolutions before that."""
    return [m for m in net.modules() if isinstance(m, WEIGHTED) and m is not last_linear(net)]


def _edit(setup: Setup, change: Callable[[nn.Module], Any]) -> None:
    @torch.no_grad()
    def edited(net: nn.Module) -> nn.Module:
        change(net)
        return net

    setup.net_edits.append(edited)


def _matrices(net: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in net.parameters() if parameter.dim() > 1]


def large_last_layer(setup: Setup, level: float) -> None:
    """The last layer's first weights times `level`."""
    _edit(setup, lambda net: last_linear(net).weight.mul_(level))


def bad_start(setup: Setup, level: float) -> None:
    """All first weights times `level`."""
    _edit(setup, lambda net: [matrix.mul_(level) for matrix in _matrices(net)])


def constant_start(setup: Setup, level: float) -> None:
    """All first weights alike, all biases zero."""

    def level_out(net: nn.Module) -> None:
        for name, parameter in net.named_parameters():
            if parameter.dim() > 1:
                parameter.fill_(level)
            elif "bias" in name:
                parameter.zero_()

    _edit(setup, level_out)


def _behind(setup: Setup, make: Callable[[], nn.Module]) -> None:
    setup.net_edits.append(lambda net: nn.Sequential(net, make()))


def _before(setup: Setup, make: Callable[[], nn.Module]) -> None:
    setup.net_edits.append(lambda net: nn.Sequential(make(), net))


def wrong_output(setup: Setup, level: str) -> None:
    """A softmax or sigmoid before a loss that has its own, or a ReLU on what may be negative."""
    judge, binary = setup.judge, setup.task == "binary"
    if level == "relu" or setup.task == "number":
        _behind(setup, nn.ReLU)
    elif binary:
        _behind(setup, nn.Sigmoid)
        setup.judge = lambda output, goal: judge(torch.logit(output, eps=1e-6), goal)
    else:
        _behind(setup, lambda: nn.Softmax(-1))
        setup.judge = lambda output, goal: judge(output.clamp(min=1e-6).log(), goal)


def wrong_loss(setup: Setup, level: str) -> None:
    """Class numbers guessed as if they were amounts; amounts scored as if they were yes or no."""
    error = functional.mse_loss if level == "squared" else functional.l1_loss
    if setup.task == "number":
        setup.loss = functional.binary_cross_entropy_with_logits
    elif setup.task == "binary":
        setup.loss = functional.l1_loss
    else:
        net = setup.net
        setup.net = lambda parts, wide: _one_output(net(parts, wide))
        setup.loss = lambda output, goal: error(output.squeeze(-1), goal.float())
        setup.judge = _judge_rounded


def _one_output(net: nn.Module) -> nn.Module:
    """The same net with one answer instead of one for each class."""
    last = last_linear(net)
    for parent in net.modules():
        for name, child in parent.named_children():
            if child is last:
                setattr(parent, name, nn.Linear(last.in_features, 1))
                return net
    return net


def _judge_rounded(output: Tensor, goal: Tensor) -> tuple[float, float]:
    """Accuracy of the nearest class number, and the cross-entropy of one who is 95 % sure of it."""
    right = float((output.squeeze(-1).round() == goal).float().mean())
    others = max(1, int(goal.max()))
    return right, -right * math.log(0.95) - (1 - right) * torch.tensor(0.05 / others).log().item()


def no_activation(setup: Setup, level: float) -> None:
    """Between the layers stands nothing."""
    setup.net_edits.append(lambda net: _swap(net, ACTIVATIONS, lambda old: nn.Identity()))


def _swap(net: nn.Module, kinds: tuple[type, ...], make: Callable[[nn.Module], nn.Module]) -> nn.Module:
    for parent in list(net.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, kinds):
                setattr(parent, name, make(child))
    return net


class Changed(nn.Module):
    """The input as `change` makes it."""

    def __init__(self, change: Callable[[Tensor], Tensor]):
        super().__init__()
        self.change = change

    def forward(self, x: Tensor) -> Tensor:
        return self.change(x)


def ignored_input(setup: Setup, level: float) -> None:
    """The input times nothing."""
    _before(setup, lambda: Changed(lambda x: x * 0))


def mixed_rows(setup: Setup, level: str) -> None:
    """Rows of a batch run into each other: axes exchanged by reshape, or half a neighbour added."""
    if level == "reshape" or setup.task != "number":
        _before(setup, lambda: Changed(lambda x: x.flatten(1).t().reshape(x.shape)))
    else:
        _before(setup, lambda: Changed(lambda x: x + 0.5 * x.roll(1, 0)))


def future_seen(setup: Setup, level: float) -> None:
    """Each place may look at those after it, and so at its own answer."""
    if "attention" in setup.tags:
        _edit(setup, lambda net: setattr(net, "causal", False))
    else:
        _before(setup, lambda: Changed(lambda x: x.roll(-1, 1)))


def freeze_body(net: nn.Module) -> None:
    """Only the last layer is to be trained."""
    net.requires_grad_(False)
    last_linear(net).requires_grad_(True)


def frozen_body(setup: Setup, level: str) -> None:
    """All but the last layer keep their first weights: frozen, or forgotten by the optimiser."""
    if level == "frozen":
        _edit(setup, freeze_body)
        return
    setup.optimised = lambda net: list(last_linear(net).parameters())


def sigmoid_tower(setup: Setup, level: int) -> None:
    """So many narrow layers with sigmoids in place of the net."""
    net = setup.net

    def tower(parts: Parts, wide: float) -> nn.Module:
        old = net(parts, wide)
        sizes = (parts.train[0][0].numel(), *[32] * level, last_linear(old).out_features)
        end = [nn.Flatten(0)] if setup.task == "binary" else []
        return nn.Sequential(nn.Flatten(), *perceptron(sizes, nn.Sigmoid), *end)

    setup.net = tower


def recurrent_gain(setup: Setup, level: float) -> None:
    """The weights from state to state are orthogonal times `level`, and nothing clips."""

    def widen(net: nn.Module) -> None:
        for name, weight in net.named_parameters():
            if "weight_hh" in name:
                for part in weight.split(weight.shape[1]):
                    nn.init.orthogonal_(part, level)

    _edit(setup, widen)


def dead_start(setup: Setup, level: float) -> None:
    """The hidden layers' biases start far below zero."""
    _edit(setup, lambda net: [layer.bias.fill_(level) for layer in hidden_layers(net)])


def saturated_start(setup: Setup, level: float) -> None:
    """The hidden layers' weights start so large that every unit sits at its edge."""
    _edit(setup, lambda net: [layer.weight.mul_(level) for layer in hidden_layers(net)])


def too_narrow(setup: Setup, level: float) -> None:
    """Hidden layers of one or two units."""
    setup.width = level


def dropped(setup: Setup, level: float) -> None:
    """Dropout of this rate behind every activation; where there is none, weight decay of 3."""
    if not {"relu", "tanh"} & setup.tags:
        setup.decay = 3.0
        return
    setup.net_edits.append(
        lambda net: _swap(net, ACTIVATIONS, lambda old: nn.Sequential(old, nn.Dropout(level)))
    )


def padding_read(setup: Setup, level: float) -> None:
    """Padding counts as if it were words."""
    _edit(setup, lambda net: setattr(net, "masked", False))


def memory_cut(setup: Setup, level: float) -> None:
    """The way back in time is cut after one step."""
    _edit(setup, lambda net: setattr(net, "remembers", False))
