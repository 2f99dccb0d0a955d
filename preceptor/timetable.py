"""Seconds become whole numbers: how many folds, how many epochs, and whether there is time for a duel.

schedule = fitted_schedule(200.0, measure_pace(...), judging=0.3, folds=5, wanted=20)
schedule.epochs, schedule.shares
"""

import math
from typing import NamedTuple

from preceptor.training.pace import Pace

FEWEST_EPOCHS = 4
"""A learning-rate schedule wants at least so many epochs; a pass over many rows is cut into several."""
SLACK = 1.15
"""Checkpoints and a busy neighbour make a planned epoch last longer than a measured one."""
DUEL_COSTS = 1.0
"""What trying the net the other way on one fold costs, in lessons."""


class Schedule(NamedTuple):
    """What the clock allows: threads, folds, epochs a fold, epochs a pass over the rows, a duel or none."""

    threads: int
    folds: int
    epochs: int
    shares: int
    duel: bool


def fitted_schedule(seconds: float, pace: Pace, judging: float, folds: int, wanted: int) -> Schedule:
    """What fits into so many seconds. With less time first the duel goes, then folds, then epochs.

    An epoch costs a pass over the rows, by `pace`, and `judging` seconds. Where a few passes would be too
    many, each is cut into shares, so that the learning rate still goes through its schedule.
    """
    one_pass, seconds = pace.seconds[pace.threads], max(seconds, 1.0) / SLACK
    lesson = wanted * (one_pass + judging)
    duel = seconds > lesson * (folds + DUEL_COSTS)
    seconds -= DUEL_COSTS * lesson * duel
    fewest = min(wanted, FEWEST_EPOCHS)
    count = max(1, min(folds, int(seconds / (2 * fewest * (one_pass + judging)))))
    each = seconds / count
    spare = max(each - fewest * judging, each / 2)
    shares = max(1, math.ceil(fewest * one_pass / spare))
    epochs = max(1, min(wanted, int(each / (one_pass / shares + judging))))
    return Schedule(pace.threads, count, epochs, shares, duel)
