"""How far a watched training has come, and how far it could be: the second key of what is seen in training.

A run of s steps is compared with trials of half as many steps from the same start, so that what is merely
slow has time to win. Steps count as far as the learning rate carries them, Σ η / max η: a warm-up is no
slowness. A run that is as good as done is compared with trials as long as itself, up to a bound, whose rate
goes the same way from start to end: what has cooled down is no match for what has not. `behind` is by how
much the run is nevertheless worse.

    d_i = (L_i of the run - L_i of the trial) / L of the constant answer, slice i of the same rows
    worse by mean d, where |mean d| > 2 · standard error of the mean; otherwise by nothing

Both nets answer the same rows, so that their common noise cancels (a paired test). What is better on the
training rows alone has been learnt by heart, and proves nothing. Losses are shares of the constant answer's.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from preceptor.diagnose.case import LEAST, Case, Rows
from preceptor.diagnose.look import first_look
from preceptor.diagnose.record import Look
from preceptor.diagnose.rival import HELD_OUT, Rival, compete
from preceptor.diagnose.trace import by_unit
from preceptor.diagnose.trial import Outcome, batch_size, tried

LONGEST, SHORTEST, AHEAD, FURTHER, LATE = 128, 8, 128, 200, 0.9
AT_LAST, PRODUCTS = 512, 5e9
"""The longest trial of a run that is done, where so many steps take no more multiplications than this,
forward.
"""
POOR, MARGIN = 0.35, 0.1
SLICES, SURE, QUARTER, STEADY, COOLED, FEWEST, UNITS = 32, 2.0, 0.25, 0.95, 0.05, 3, 2.0


def now(case: Case) -> Look:
    """The look at the net as it is now."""
    return case.record.looks[-1]


def start(case: Case) -> float:
    """The loss before the first step."""
    return first_look(case).train


def reached(case: Case) -> float:
    """The loss now; infinite when it is no number."""
    return now(case).train if math.isfinite(now(case).train) else math.inf


def bounded(case: Case) -> bool:
    """Whether a constant answer is worse than the best there is, so that shares of its loss say something.

    It is not for a probe of rows that are all answered alike.
    """
    whole: float = case.once("dumb on training rows", lambda: case.dumb_on(case.train.few()))
    return math.isfinite(case.dumb) and case.dumb - case.floor > LEAST * max(whole - case.floor, 0.0)


def done(case: Case) -> float | None:
    """The share of the planned steps that are done."""
    return case.record.step / case.steps if case.steps else None


def beyond(case: Case, share: float, steps: int) -> bool:
    """Whether that share of the plan is done; without a plan, so many steps."""
    part = done(case)
    return part >= share if part is not None else case.record.step >= steps


def carried(case: Case) -> int:
    """The steps so far, each by its share of the highest learning rate."""
    rates = case.record.rates
    return round(sum(rates) / max(rates)) if any(rates) else case.record.step


def visits(case: Case) -> float | None:
    """How often each training row has been seen; None where rows or batches were not told."""
    if case.given_train is None or not case.record.batches:
        return None
    return case.record.step * batch_size(case) / case.train.number


def half(case: Case) -> int:
    """The steps of a trial: half of the run's so far, within bounds that keep it cheap.

    Rounded down to a power of two, so that asking again soon does not try again.
    """
    steps = max(SHORTEST, min(carried(case) // 2, LONGEST))
    return 2 ** int(math.log2(steps))


def paced(case: Case) -> dict[str, Any]:
    """How a trial is to go that the run can be compared with: half of its steps, or in the end all of it."""
    if (done(case) or 0.0) < LATE:
        return {"steps": half(case)}
    longest = max(LONGEST, min(AT_LAST, int(PRODUCTS / (batch_size(case) * _products(case)))))
    return {"steps": max(SHORTEST, min(case.record.step, longest)), "along": True}


def _products(case: Case) -> float:
    """The multiplications that one row takes, forward."""
    places = ((step, step.made.numel() / by_unit(step.made).shape[1]) for step in case.trace.weighted)
    seen = sum(number * step.weight.numel() for step, number in places if step.weight is not None)
    return max(seen / case.probe.number, sum(x[:1].numel() for x in case.probe.inputs), 1.0)


def so_long(case: Case) -> str:
    """How long those trials are, in words."""
    return "half of the steps" if (done(case) or 0.0) < LATE else f"{paced(case)['steps']} steps"


def again(case: Case, **how: Any) -> Outcome:
    """The same net, optimiser and rows in a loop that is known to be right, with `how` as in `trial`."""
    return tried(case, **paced(case), **how)


def plain(case: Case) -> Outcome:
    """The same net, optimiser and rows, taught by a loop that is known to be right."""
    return again(case)


def onward(case: Case, slower: float = 1.0) -> Outcome:
    """Where going on from here as long again, within bounds, would lead, at the present rate · `slower`."""
    rates = case.record.rates
    factor = rates[-1] / max(rates) if any(rates) else 1.0
    return tried(case, max(AHEAD, min(case.record.step, FURTHER)), now=True, factor=slower * factor)


def cooled(case: Case) -> bool:
    """Whether the learning rate is as good as nothing by now."""
    rates = case.record.rates
    return bool(rates) and rates[-1] < COOLED * max(rates)


def further(case: Case) -> Outcome:
    """`onward`, or, where the rate has cooled down to nothing, through the same schedule once more."""
    if cooled(case):
        return tried(case, max(AHEAD, min(case.record.step, FURTHER)), now=True, along=True)
    return onward(case)


def later(case: Case) -> Outcome | None:
    """Where the run is heading; None when the plan is as good as done.

    Where the rate has already fallen a schedule is at work, which will cool it further: a tenth is tried.
    """
    if (done(case) or 0.0) >= LATE:
        return None
    rates = case.record.rates
    falling = bool(rates) and rates[-1] < STEADY * max(rates)
    return onward(case, 0.1 if falling else 1.0)


class Lost(NamedTuple):
    """By how much a net is worse than another: the mean over slices of rows, and that if it is no chance."""

    mean: float
    sure: float


def behind(case: Case, other: Outcome, *, lasting: bool = False) -> float:
    """By how much the run is worse than a trial; `lasting`: and would be, after going on for a while."""
    if not math.isfinite(other.train):
        return -math.inf
    theirs = standing(case, other.net)
    lost = _lost(case, _now(case), theirs)
    ahead = later(case) if lasting and lost > 0 else None
    return lost if ahead is None else min(lost, _lost(case, standing(case, ahead.net), theirs))


def _lost(case: Case, mine: list[np.ndarray], theirs: list[np.ndarray]) -> float:
    """What is lost on the training rows, where rows held out bear it out by a quarter; or more on these."""
    train, *held = [compared(own, other) for own, other in zip(mine, theirs, strict=True)]
    if not held:
        return train.sure
    if train.mean <= 0 or held[0].mean < QUARTER * train.mean:
        return min(train.mean, held[0].mean)
    return max(train.sure, held[0].sure)


def compared(mine: np.ndarray, theirs: np.ndarray) -> Lost:
    """The paired test of two nets' losses on the same slices of rows."""
    if not np.isfinite(mine).all():
        return Lost(math.inf, math.inf)
    apart = mine - theirs
    mean, error = float(apart.mean()), float(apart.std(ddof=1)) / len(apart) ** 0.5
    return Lost(mean, mean if abs(mean) > SURE * error else 0.0)


def standing(case: Case, net: nn.Module) -> list[np.ndarray]:
    """A net's losses, slice by slice, on training rows and, where there are some, on rows held out."""
    parts = [(slices(case.train), case.dumb)]
    if case.validation is not None:
        parts.append((slices(case.validation), case.dumb_held_out))
    with torch.no_grad():
        return [
            np.array([case.share(case.loss_of(case.answer(net, rows), rows.goal), constant) for rows in part])
            for part, constant in parts
        ]


def slices(rows: Rows) -> list[Rows]:
    """A few rows in up to 32 slices of at least four."""
    few = rows.few(HELD_OUT)
    return [few.take(place) for place in torch.arange(few.number).tensor_split(_pieces(few.number))]


def _pieces(number: int) -> int:
    return min(number, max(2, min(SLICES, number // 4)))


def _now(case: Case) -> list[np.ndarray]:
    """Where the net stands now."""
    found: list[np.ndarray] = case.once(
        f"standing {case.record.step}", lambda: standing(case, case.reflect())
    )
    return found


def rival(case: Case) -> Rival | None:
    """What could be reached without a net."""
    found: Rival | None = case.once("rival", lambda: compete(case))
    return found


def lead(case: Case) -> float:
    """By how much the rival is better than the run on the same rows held out; 0 where it is not for sure."""
    other = rival(case)
    if other is None or other.told is None or case.validation is None:
        return 0.0
    cut, told = slices(case.validation), other.told.tensor_split(_pieces(len(other.told)))
    losses = [case.loss_of(output, rows.goal) for output, rows in zip(told, cut, strict=True)]
    theirs = [case.share(loss, case.dumb_held_out) for loss in losses]
    return max(compared(_now(case)[1], np.array(theirs)).sure, 0.0)


def poor(case: Case) -> bool:
    """Whether there is a reason to look closer: the training rows are badly learnt, or a rival knows more."""
    return reached(case) > POOR or lead(case) > MARGIN


def held_out(case: Case) -> list[tuple[int, float]]:
    """(step, validation loss) as the user measured it, where in the same units, or else as the looks did."""
    marks = [
        (mark.step, case.share(mark.validation, case.dumb_held_out))
        for mark in case.record.marks
        if mark.validation is not None
    ]
    looks = [(look.step, look.validation) for look in case.record.looks if look.validation is not None]
    alike = len(marks) >= FEWEST and looks and looks[-1][1] / UNITS < marks[-1][1] < looks[-1][1] * UNITS
    return marks if alike else looks


def epochs(case: Case) -> int | None:
    """How many epochs are done; None where nothing tells."""
    seen = visits(case)
    return len(case.record.marks) or (None if seen is None else math.ceil(seen))
