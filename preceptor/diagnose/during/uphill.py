"""The steps climb (44). Certain.

    negated    the loss told is below zero at nine tenths of the steps, where the loss given never is
    climbing   the probe's loss has risen by 0.3; the steps seen go along the probe's gradient where they
               arrive: each of the first five by cos(ΔW, ∇L) > 0.05, their median by > 0.2; and the same
               net, optimiser and rows descend by 0.1 in a loop that is known to be right, or every step seen
               goes along (cosine > 0.2)

Large steps throw a loss upwards too, since they arrive on the other side of the valley; but the next ones
then turn back. Source: TheDeepChecker; tuning playbook.
"""

import math

import numpy as np

from preceptor.diagnose.case import Case
from preceptor.diagnose.during.gradients_accumulate import gradients_accumulate
from preceptor.diagnose.progress import plain, reached, start
from preceptor.finding import Finding

STEPS, MOSTLY, RISE, FALL, ALONG, UP, EARLY = 4, 0.9, 0.3, 0.1, 0.2, 0.05, 5


def uphill(case: Case) -> Finding | None:
    """A sign that is turned round in the loop."""
    losses, first = np.array(case.record.losses), start(case)
    if len(losses) < STEPS or gradients_accumulate(case):
        return None
    cosines = [look.uphill for look in case.record.looks if look.uphill is not None]
    negated = float((losses < 0).mean()) > MOSTLY and first > 0 and case.floor >= 0
    if not negated and not _climbing(case, cosines):
        return None
    now = reached(case) if math.isfinite(reached(case)) else None
    return Finding(
        "uphill",
        "warning",
        f"In {case.record.step} steps the loss has gone from {first:.2f} to "
        + (f"{now:.3g}" if now is not None else "infinity")
        + f" of the constant answer's, while the same net and rows come to {plain(case).train:.2f} in a plain"
        " loop. The steps go up the slope instead of down.",
        evidence={
            "step": case.record.step,
            "first": first,
            "now": now,
            "negated": negated,
            "cosine": float(np.median(cosines)) if cosines else None,
        },
        remedy="Look for a minus before the loss: (-loss).backward() is gradient ascent.",
    )


def _climbing(case: Case, cosines: list[float]) -> bool:
    """Whether the loss rises because the steps set out uphill."""
    if not cosines or not reached(case) > start(case) + RISE:
        return False
    if min(cosines[:EARLY]) <= UP or np.median(cosines) <= ALONG:
        return False
    return min(cosines) > ALONG or plain(case).train < start(case) - FALL
