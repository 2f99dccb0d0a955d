"""ReLUs that died on the way (28): `at_rest` says when.

Source: TheDeepChecker; SageMaker (active < 1 % of rows), by units instead of elements.
"""

from dataclasses import replace

from preceptor.diagnose.before.dead_units import dead
from preceptor.diagnose.case import Case
from preceptor.diagnose.during.at_rest import came_to_rest, harm
from preceptor.diagnose.during.range_test import rate
from preceptor.diagnose.progress import now
from preceptor.finding import Finding


def dead_in_training(case: Case) -> Finding | None:
    """Units that large steps have pushed to where no gradient reaches them."""
    worst = came_to_rest(case, "dead")
    if worst is None:
        return None
    return replace(
        dead(worst, now(case).step, harm(case)), change=rate(max(case.record.rates, default=1e-3) / 10)
    )
