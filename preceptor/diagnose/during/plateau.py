"""A plateau or saddle (30).

    symptom   over the last third of the steps (30 at least) the batch losses have no trend: less than 1 %
              between its halves, and the probe's loss is above 0.35 of the constant answer's
    harm      ten times the learning rate from here lowers it by 0.1 and a fifth; the rate is not zero

Source: tuning playbook; TheDeepChecker.
"""

import numpy as np

from preceptor.diagnose.case import Case
from preceptor.diagnose.progress import beyond, reached
from preceptor.diagnose.trial import tried
from preceptor.finding import Finding

FLAT, FEWEST, POOR, MARGIN = 0.01, 30, 0.35, 0.1


def plateau(case: Case) -> Finding | None:
    """A loss that stands still, and need not."""
    losses = np.array(case.record.losses)
    third = losses[-(len(losses) // 3) :]
    if len(third) < FEWEST or not np.isfinite(losses).all() or not beyond(case, 0.2, 100):
        return None
    first, second = np.array_split(third, 2)
    flat = abs(second.mean() - first.mean()) < FLAT * abs(first.mean())
    if not flat or reached(case) < POOR or not case.record.rates[-1]:
        return None
    onward = tried(case, 64, now=True, factor=10.0)
    if reached(case) - onward.train < max(MARGIN, 0.2 * reached(case)):
        return None
    return Finding(
        "plateau",
        "warning",
        f"For {len(third)} steps up to step {len(losses)} the loss has stood at {reached(case):.2f} of the"
        " constant"
        f" answer's; 64 steps at ten times the learning rate bring it to {onward.train:.2f}. It lies on a"
        " plateau.",
        evidence={"steps": len(third), "now": reached(case), "trial": onward.train},
        remedy="Raise the learning rate for a while (a warm restart), or take momentum or Adam.",
    )
