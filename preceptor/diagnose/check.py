"""What a check before training is, and how it leaves no trace.

A check tries something on a copy of the net, with a fixed small number of steps and no clock, so that
its verdict is a pure function of the net and the rows. The net's weights and the random generator are
afterwards what they were, to the bit.

Shapes: B rows. `inputs` are the tensors that the net takes, `goal` is what the loss compares with;
`loss(output, goal)` is a scalar and deals itself with ensemble members.
"""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from preceptor.finding import Finding
from preceptor.training.optimisers import Adam
from preceptor.training.parameters import FlatParameters

Loss = Callable[[Tensor, Tensor], Tensor]

FEWEST = 5
"""Steps before one may stop: where a last layer starts at zero, the first step moves it alone."""


@dataclass(frozen=True)
class Check:
    """What a check saw: a short phrase, its numbers, and a finding when something is wrong."""

    name: str
    text: str
    evidence: dict[str, Any] = field(default_factory=dict)
    finding: Finding | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing was wrong."""
        return self.finding is None


@contextmanager
def undisturbed() -> Iterator[None]:
    """Inside, randomness starts from one place; afterwards the random generator is where it was."""
    with torch.random.fork_rng(), torch.enable_grad():
        torch.default_generator.manual_seed(0)  # torch.manual_seed would queue a call for CUDA each time
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(0)
        yield


def sample(rows: int, size: int) -> Tensor:
    """Row numbers of at most `size` of `rows` rows, drawn evenly and always the same."""
    return torch.randperm(rows, generator=torch.Generator().manual_seed(0))[:size]


def copy_of(net: nn.Module) -> nn.Module:
    """A copy of the net, in eval mode, that can be trained and thrown away.

    What a forward pass left behind in it (`self.attention = weights`) is copied without its past, which
    cannot be copied.
    """
    left = [tensor for module in net.modules() for tensor in _tensors(vars(module)) if not tensor.is_leaf]
    return copy.deepcopy(net, {id(tensor): tensor.detach().clone() for tensor in left}).eval()


def _tensors(kept: Any) -> Iterator[Tensor]:
    """The tensors among what a module keeps."""
    if isinstance(kept, Tensor):
        yield kept
    elif isinstance(kept, dict | list | tuple):
        for each in kept.values() if isinstance(kept, dict) else kept:
            yield from _tensors(each)


def sober(net: nn.Module) -> nn.Module:
    """The net with its dropout at rest, in place; some layers keep their rate as a number of their own."""
    for module in net.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.p = 0.0
        elif isinstance(getattr(module, "dropout", None), float):
            module.__dict__["dropout"] = 0.0
    return net


def practise(
    net: nn.Module,
    inputs: Sequence[Tensor],
    goal: Tensor,
    loss: Loss,
    *,
    steps: int,
    rate: float,
    enough: float = 0.0,
) -> tuple[nn.Module, list[float]]:
    """A copy of `net` after full-batch steps of Adam, in eval mode again, and its loss before each step.

    It stops at the first loss that is at most `enough`, after a few steps at least, or that is not
    finite. ValueError when the net has nothing to train.
    """
    pupil = copy_of(net).train()
    flat = FlatParameters(pupil)
    optimiser = Adam(flat)
    losses: list[float] = []
    with undisturbed():
        for _ in range(steps):
            flat.gradients.zero_()
            value = loss(pupil(*inputs), goal)
            losses.append(float(value.detach()))
            learnt = len(losses) > FEWEST and losses[-1] <= enough
            if learnt or not math.isfinite(losses[-1]):
                break
            torch.autograd.backward(value)
            optimiser.step(rate)
    return pupil.eval(), losses
