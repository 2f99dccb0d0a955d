"""A range test by trial (Smith, 2017): the run's own net, rows and optimiser at other learning rates.

Each trial begins where the net began and is as long as `progress.paced` says, so that no absolute rate is
called high or low.
"""

import math
from typing import Any

from preceptor.diagnose.case import Case
from preceptor.diagnose.progress import MARGIN, again, poor, reached
from preceptor.diagnose.trial import Outcome, remakeable

PART = 0.2


def best(case: Case, factors: tuple[float, ...]) -> tuple[float, Outcome]:
    """The factor whose trial comes lowest; the next is tried only while it helps, or the last one failed."""
    found, outcome = factors[0], again(case, factor=factors[0])
    for factor in factors[1:]:
        further = again(case, factor=factor)
        if further.train < outcome.train:
            found, outcome = factor, further
    return found, outcome


def suspected(case: Case) -> bool:
    """Whether there is a rate to be tried, and a reason to."""
    return any(case.record.rates) and remakeable(case) and (math.isinf(reached(case)) or poor(case))


def matters(lost: float, case: Case) -> bool:
    """Whether a loss that is higher by `lost` is worth an alarm."""
    return lost > MARGIN and (lost > PART * reached(case) or math.isinf(lost))


def rate(value: float) -> dict[str, Any]:
    """A learning rate as a change of the plan."""
    return {"training": {"learning_rate": float(f"{value:.2g}")}}


def said(loss: float) -> str:
    """A loss in words."""
    return f"{loss:.2f}" if loss < 1e6 else "infinity"


def number(loss: float) -> float | None:
    """A loss as evidence; None where it is none."""
    return loss if math.isfinite(loss) else None
