"""Successive halving: many begin, the better ones go on (Jamieson & Talwalkar, 2016; Li et al., 2018).

    rungs = rungs_for(epochs=20)                 # [2, 7, 20]
    for rung in rungs: ...                       # keep(scores, ...) says who goes on

Most settings of a network show after a few epochs that they will not win, so a rung costs each of those
that have come so far about as much as the one below it cost three times as many.
"""

import math
from collections.abc import Collection, Mapping

ETA = 3
"""One in so many goes on, and has so many times the epochs."""
MOST_RUNGS = 3


def rungs_for(epochs: int) -> list[int]:
    """The epochs after which losers leave; the last is `epochs`, the end."""
    return sorted({max(1, round(epochs / ETA**place)) for place in range(MOST_RUNGS)})


def keep(
    scores: Mapping[int, float], *, higher_is_better: bool, protected: Collection[int] = ()
) -> list[int]:
    """Who goes on: the best third, rounded up, and whoever is protected; NaN is worst. In their order."""
    sign = -1.0 if higher_is_better else 1.0
    worth = {one: math.inf if math.isnan(score) else sign * score for one, score in scores.items()}
    best = sorted(worth, key=lambda one: (worth[one], one))[: math.ceil(len(worth) / ETA)]
    return sorted({*best, *(one for one in protected if one in scores)})


def epochs_spent(trials: int, rungs: list[int]) -> int:
    """The epochs that so many trials take in all, with one of them protected."""
    total, going, reached = 0, trials, 0
    for rung in rungs:
        total += going * (rung - reached)
        going, reached = min(going, math.ceil(going / ETA) + 1), rung
    return total
