"""How far a watched training has come, and how far it could be: the second key of what is seen in training.

A run of s steps is compared with trials of half as many steps from the same start, so that what is merely
slow has time to win: `behind` is by how much the run is nevertheless worse. Losses are shares of the constant
answer's.
"""

import math

import numpy as np

from preceptor.diagnose.case import Case
from preceptor.diagnose.look import first_look
from preceptor.diagnose.record import Look
from preceptor.diagnose.rival import Rival, compete
from preceptor.diagnose.trial import Outcome, tried

LONGEST, SHORTEST, FURTHER = 100, 8, 200
POOR, MARGIN = 0.35, 0.1


def now(case: Case) -> Look:
    """The look at the net as it is now."""
    return case.record.looks[-1]


def start(case: Case) -> float:
    """The loss before the first step."""
    return first_look(case).train


def reached(case: Case) -> float:
    """The loss now; infinite when it is no number."""
    return now(case).train if math.isfinite(now(case).train) else math.inf


def done(case: Case) -> float | None:
    """The share of the planned steps that are done."""
    return case.record.step / case.steps if case.steps else None


def beyond(case: Case, share: float, steps: int) -> bool:
    """Whether that share of the plan is done; without a plan, so many steps."""
    part = done(case)
    return part >= share if part is not None else case.record.step >= steps


def half(case: Case) -> int:
    """The steps of a trial: half of the run's so far, within bounds that keep it cheap.

    Rounded down to a power of two, so that asking again soon does not try again.
    """
    steps = max(SHORTEST, min(case.record.step // 2, LONGEST))
    return min(LONGEST, 2 ** int(math.log2(steps)))


def plain(case: Case) -> Outcome:
    """The same net, optimiser and rows, taught by a loop that is known to be right."""
    return tried(case, half(case))


def onward(case: Case) -> Outcome:
    """Where going on from here at the present learning rate, as long again within bounds, would lead."""
    rates = case.record.rates
    factor = rates[-1] / max(rates) if any(rates) else 1.0
    return tried(case, max(32, min(case.record.step, FURTHER)), now=True, factor=factor)


def behind(case: Case, other: Outcome) -> float:
    """By how much the run is worse than a trial: on training rows, or where these are as good, on those held
    out.
    """
    if not math.isfinite(other.train):
        return -math.inf
    lost, held = reached(case) - other.train, now(case).validation
    if lost > 0 and held is not None and other.validation is not None:
        return max(lost, held - other.validation)
    return lost


def rival(case: Case) -> Rival | None:
    """What could be reached without a net."""
    found: Rival | None = case.once("rival", lambda: compete(case))
    return found


def poor(case: Case) -> bool:
    """Whether there is a reason to look closer: the training rows are badly learnt, or a rival knows more."""
    other, held = rival(case), now(case).validation
    if reached(case) > POOR or other is None or other.validation is None or held is None:
        return reached(case) > POOR
    return held > other.validation + MARGIN


def held_out(case: Case) -> list[tuple[int, float]]:
    """(step, validation loss) as the user measured it, or else as the looks did."""
    marks = [
        (mark.step, mark.validation / case.dumb_held_out) for mark in case.record.marks if mark.validation
    ]
    looks = [(look.step, look.validation) for look in case.record.looks if look.validation is not None]
    return marks if len(marks) >= 3 else looks


def settled(losses: np.ndarray) -> float:
    """The median of the last tenth of some losses."""
    return float(np.median(losses[-max(1, len(losses) // 10) :]))
