"""How long an epoch takes here and now, measured, so that a budget in minutes becomes a number of epochs.

pace = measure_pace(net, inputs, goal, loss, plan.training)
epochs = ledger.decide("epochs", lambda: int(seconds_left // pace.seconds[pace.threads]))
"""

import copy
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from preceptor.plan import TrainingPlan
from preceptor.training.loop import Loss, batch_count, train
from preceptor.training.state import Training

ROUNDS = 3

WORTHWHILE = 0.9
"""More threads are worth having when they bring an epoch below this share of its time."""


class Pace(NamedTuple):
    """Seconds of one epoch for each number of threads tried, and the number worth using."""

    seconds: dict[int, float]
    threads: int


def measure_pace(
    net: nn.Module,
    inputs: Sequence[Tensor],
    goal: Tensor,
    loss: Loss,
    plan: TrainingPlan,
    *,
    threads: Sequence[int] = (1, 2),
    steps: int = 6,
) -> Pace:
    """Train copies of `net` by turns, `steps` at a time: once to warm up, then three times.

    The net and everybody's random numbers stay as they are. The median of the turns counts, since
    other work on the machine disturbs. What a caller does between epochs is not included.
    """
    trainings = [_copy(net, plan, number) for number in sorted(threads)]
    rows = min(len(goal), steps * trainings[0].batch_size)
    few = [part[:rows] for part in inputs]
    turns = list(zip(*(train(training, few, goal[:rows], loss) for training in trainings), strict=False))
    size = trainings[0].batch_size
    scale = batch_count(len(goal), size) / batch_count(rows, size)
    medians = [statistics.median(epoch.seconds for epoch in turn) for turn in zip(*turns[1:], strict=True)]
    seconds = {training.threads: scale * median for training, median in zip(trainings, medians, strict=True)}
    return Pace(seconds, _fewest(seconds))


def _copy(net: nn.Module, plan: TrainingPlan, threads: int) -> Training:
    """A training of a copy of `net`, at a rate so small that it cannot diverge."""
    gentle = plan.model_copy(update={"threads": threads, "learning_rate": 1e-9})
    return Training(copy.deepcopy(net), gentle, epochs=1 + ROUNDS, seed=0)


def _fewest(seconds: dict[int, float]) -> int:
    """The number of threads worth using: more only when they pay."""
    chosen = min(seconds)
    for number in sorted(seconds):
        if seconds[number] < WORTHWHILE * seconds[chosen]:
            chosen = number
    return chosen
