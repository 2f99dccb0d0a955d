"""Seconds become whole numbers: how many folds, how many epochs, and whether there is time for a duel.

schedule = fitted_schedule(200.0, measure_pace(...), judging=0.3, folds=5, wanted=20)
schedule.epochs, schedule.shares
"""

import math
from typing import Any, NamedTuple

from preceptor.training.pace import Pace, Way

FEWEST_EPOCHS = 4
"""A learning-rate schedule wants at least so many epochs; a pass over many rows is cut into several."""
SLACK = 1.15
"""Checkpoints and a busy neighbour make a planned epoch last longer than a measured one."""
DUEL_COSTS = 1.0
"""What trying the net the other way on one fold costs, in lessons."""


class Schedule(NamedTuple):
    """What the clock allows: the way to compute, folds, epochs a fold, epochs a pass, a duel or none."""

    threads: int
    precision: str
    folds: int
    epochs: int
    shares: int
    duel: bool
    step: str = "replayed"
    layout: str = "contiguous"

    @property
    def way(self) -> dict[str, Any]:
        """The fields of a TrainingPlan that say how to compute."""
        return {name: getattr(self, name) for name in Way._fields}


def fitted_schedule(
    seconds: float, pace: Pace, judging: float, folds: int, wanted: int, *, table: bool = True
) -> Schedule:
    """What fits into so many seconds. With less time first the duel goes, then folds, then epochs.

    An epoch costs a pass over the rows, by `pace`, and `judging` seconds. Where a few passes would be too
    many, each is cut into shares, so that the learning rate still goes through its schedule. A net for
    pictures, words or series (no `table`) has no duel, and a second fold only once the first has all epochs.
    """
    one_pass, seconds = pace.seconds, max(seconds, 1.0) / SLACK
    lesson = wanted * (one_pass + judging)
    duel = table and seconds > lesson * (folds + DUEL_COSTS)
    seconds -= DUEL_COSTS * lesson * duel
    fewest = min(wanted, FEWEST_EPOCHS)
    enough = 2 * fewest if table else wanted
    count = max(1, min(folds, int(seconds / (enough * (one_pass + judging)))))
    each = seconds / count
    spare = max(each - fewest * judging, each / 2)
    shares = max(1, math.ceil(fewest * one_pass / spare))
    epochs = max(1, min(wanted, int(each / (one_pass / shares + judging))))
    return Schedule(folds=count, epochs=epochs, shares=shares, duel=duel, **pace.way._asdict())
