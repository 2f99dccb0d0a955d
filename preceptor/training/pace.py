"""How long an epoch takes here and now, measured, so that a budget in minutes becomes a number of epochs.

pace = measure_pace(net, inputs, goal, loss, plan.training)
epochs = ledger.decide("epochs", lambda: int(seconds_left // pace.seconds))
"""

import copy
import statistics
import time
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from preceptor.plan import TrainingPlan
from preceptor.training.loop import Augment, Loss, batch_count, forward_of, train
from preceptor.training.parameters import FlatParameters
from preceptor.training.state import Training

ROUNDS = 3

WORTHWHILE = 0.9
"""Two threads, or 16 bits, are worth having when they bring an epoch below this share of its time."""

ALIKE = 0.98
"""The least cosine between the gradients in 16 and in 32 bits for the former to be harmless."""


class Way(NamedTuple):
    """A way to compute: threads, precision, how steps are done, how filters lie in memory."""

    threads: int
    precision: str = "float32"
    step: str = "replayed"
    layout: str = "contiguous"


class Pace(NamedTuple):
    """Seconds of one epoch, and the way to compute that is worth using."""

    seconds: float
    way: Way


PLAIN = (Way(1), Way(2))
HEAVY = (Way(2), Way(2, "bfloat16"))
"""What is tried for nets of a few dense layers, and for those with convolutions or attention.

Where convolutions are given pictures channel after channel, the last is also tried with channels last.
"""


def measure_pace(
    net: nn.Module,
    inputs: Sequence[Tensor],
    goal: Tensor,
    loss: Loss,
    plan: TrainingPlan,
    *,
    ways: Sequence[Way] = PLAIN,
    steps: int = 6,
    seconds: float = 10.0,
    augment: Augment | None = None,
) -> Pace:
    """Train copies of `net` by turns, `steps` at a time: once to warm up, then up to three times.

    What the plan has fixed is not tried otherwise, and 16 bits only where they are `harmless`. The net and
    everybody's random numbers stay as they are. The median of the turns counts, since other work on the
    machine disturbs; after `seconds` no further turn is begun. What a caller does between epochs is left out.
    """
    few = slice(plan.batch_size or 256)
    ways = _worth_trying(ways, net, [part[few] for part in inputs], goal[few], loss, plan)
    trainings = [_copy(net, plan, way) for way in ways]
    size = trainings[0].batch_size
    rows = min(len(goal), steps * size)
    taught = [part[:rows] for part in inputs]
    turns, began = [], time.monotonic()
    for turn in zip(
        *(train(one, taught, goal[:rows], loss, augment=augment) for one in trainings), strict=True
    ):
        turns.append([epoch.seconds for epoch in turn])
        if len(turns) > 1 and time.monotonic() - began > seconds:
            break
    scale = batch_count(len(goal), size) / batch_count(rows, size)
    medians = [scale * statistics.median(times) for times in zip(*turns[1:], strict=True)]
    chosen = _worthwhile(medians)
    done = "replayed" if trainings[chosen].replayed else "eager"
    return Pace(medians[chosen], ways[chosen]._replace(step=done))


def harmless(net: nn.Module, inputs: Sequence[Tensor], goal: Tensor, loss: Loss) -> bool:
    """Whether products in 16 bits leave a mini-batch's gradient where 32 bits point.

    The cosine of the two whole gradients is at least `ALIKE`: what rounding adds is then a fifth of the
    gradient's length at most, less than another draw of the mini-batch would. Dropout is silent meanwhile.
    """
    gradients = []
    for precision in ("float32", "bfloat16"):
        twin = _silent(copy.deepcopy(net))
        loss(forward_of(twin, precision)(*inputs), goal).backward()
        told = [one.grad.flatten() for one in twin.parameters() if one.grad is not None]
        gradients.append(torch.cat(told))
    exact, rounded = gradients
    return bool(torch.cosine_similarity(exact, rounded, dim=0) >= ALIKE)


def _silent(net: nn.Module) -> nn.Module:
    """The net without dropout; recurrent layers keep training mode, without which no GPU goes backward."""
    net.eval()
    for module in net.modules():
        if isinstance(module, nn.RNNBase):
            module.train()
            module.dropout = 0.0
    return net


def _worth_trying(
    ways: Sequence[Way], net: nn.Module, few: list[Tensor], goal: Tensor, loss: Loss, plan: TrainingPlan
) -> list[Way]:
    """The ways that the plan allows; with channels last where that differs, without 16 bits that do harm."""
    if plan.layout is None and _lies_otherwise(net, [part[:2] for part in few]):
        ways = [*ways, ways[-1]._replace(layout="channels_last")]
    ways = list(dict.fromkeys(_allowed(way, plan) for way in ways))
    exact = [way for way in ways if way.precision == "float32"]
    if exact in ([], ways) or harmless(net, few, goal, loss):
        return ways
    return exact


def _allowed(way: Way, plan: TrainingPlan) -> Way:
    fixed = {name: value for name in Way._fields if (value := getattr(plan, name)) is not None}
    return way._replace(**fixed)


def _lies_otherwise(net: nn.Module, few: Sequence[Tensor]) -> bool:
    """Whether convolutions are given pictures channel after channel, and the net can do otherwise."""
    twin, last = copy.deepcopy(net).eval(), []

    def hear(_: nn.Module, given: tuple[Tensor, ...]) -> None:
        last.append(given[0].is_contiguous(memory_format=torch.channels_last))

    convolutions = [module for module in twin.modules() if isinstance(module, nn.Conv2d)]
    hooks = [module.register_forward_pre_hook(hear) for module in convolutions]
    if not hooks:
        return False
    with torch.no_grad():
        twin(*few)
        if all(last):
            return False
        FlatParameters(twin, channels_last=True)
        try:
            twin(*few)
        except RuntimeError:  # `view` cannot flatten maps that lie so
            return False
    return True


def _copy(net: nn.Module, plan: TrainingPlan, way: Way) -> Training:
    """A training of a copy of `net`, at a rate so small that it cannot diverge."""
    gentle = plan.model_copy(update={**way._asdict(), "learning_rate": 1e-9})
    return Training(copy.deepcopy(net), gentle, epochs=1 + ROUNDS, seed=0)


def _worthwhile(seconds: Sequence[float]) -> int:
    """The way worth using: a later one only when it pays."""
    chosen = 0
    for place, taken in enumerate(seconds):
        if taken < WORTHWHILE * seconds[chosen]:
            chosen = place
    return chosen
