"""The steps climb (44). Certain.

    negated    the loss told is below zero at nine tenths of the steps, where the loss given is above zero
    climbing   the probe's loss has risen in at most 200 steps, and the same net, optimiser and rows descend
               in a loop that is known to be right; or the last step looked at goes along the probe's
               gradient (cosine > 0.2) as well

Source: TheDeepChecker; tuning playbook.
"""

import math

import numpy as np

from preceptor.diagnose.case import Case
from preceptor.diagnose.during.gradients_accumulate import gradients_accumulate
from preceptor.diagnose.progress import plain, reached, start
from preceptor.finding import Finding

STEPS, MOSTLY, RISE, FALL, ALONG, EARLY = 4, 0.9, 0.3, 0.1, 0.2, 200


def uphill(case: Case) -> Finding | None:
    """A sign that is turned round in the loop."""
    losses, first = np.array(case.record.losses), start(case)
    if len(losses) < STEPS or case.dumb <= 0 or gradients_accumulate(case):
        return None
    negated = float((losses < 0).mean()) > MOSTLY and first > 0
    rising = reached(case) > first + RISE
    climbs = [look.uphill for look in case.record.looks if look.uphill is not None]
    along = bool(climbs) and min(climbs) > ALONG
    if not negated and not rising:
        return None
    early = case.record.step <= EARLY
    if not (negated or along or (early and plain(case).train < first - FALL)):
        return None
    if not negated and not along and np.max(np.diff(losses), initial=0) > 100 * abs(losses[0]):
        return None
    now = reached(case) if math.isfinite(reached(case)) else None
    return Finding(
        "uphill",
        "warning",
        f"In {case.record.step} steps the loss has risen from {first:.2f} to "
        + (f"{now:.3g}" if now is not None else "infinity")
        + f" of the constant answer's, while the same net and rows fall to {plain(case).train:.2f} in a plain"
        " loop. The steps go up the slope instead of down.",
        evidence={"first": first, "now": now, "negated": negated, "cosine": climbs[-1] if climbs else None},
        remedy="Look for a minus before the loss: (-loss).backward() is gradient ascent.",
    )
