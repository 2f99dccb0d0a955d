"""Sigmoids and tanhs that went to the edge of their range on the way (29): `at_rest` says when.

Source: TheDeepChecker (ρ > 0.85); Glorot & Bengio (2010).
"""

from dataclasses import replace

from preceptor.diagnose.before.saturated_units import saturated
from preceptor.diagnose.case import Case
from preceptor.diagnose.during.at_rest import came_to_rest, harm
from preceptor.diagnose.during.range_test import rate
from preceptor.diagnose.progress import now
from preceptor.finding import Finding


def saturated_in_training(case: Case) -> Finding | None:
    """Units that large steps have pushed to where the curve is flat."""
    worst = came_to_rest(case, "saturated")
    if worst is None:
        return None
    return replace(
        saturated(worst, now(case).step, harm(case)), change=rate(max(case.record.rates, default=1e-3) / 10)
    )
