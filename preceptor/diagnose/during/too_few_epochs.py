"""Training ends while it is going well (34).

    symptom   at nine tenths of the plan, going on at the present rate, or, where that has cooled down to
              nothing, through the same schedule again, for as many steps, 128 to 200, lowers
              the loss by 0.07 of the constant answer's and a fifth, more than noise (`progress.behind`), on
              rows held out too
    harm      the gain is above 0.2, or a rival is better on these already and the rate has not cooled down

Without rows held out a gain counts only while each row has been seen at most three times: later it may be
learning by heart. Source: tuning playbook.
"""

import math
from typing import Any

from preceptor.diagnose.case import Case
from preceptor.diagnose.progress import (
    LATE,
    behind,
    beyond,
    cooled,
    epochs,
    further,
    lead,
    now,
    reached,
    visits,
)
from preceptor.finding import Finding

GAIN, PART, MUCH, BY_HEART = 0.07, 0.2, 0.2, 3.0


def too_few_epochs(case: Case) -> Finding | None:
    """Training that ends while it is going well."""
    if not case.steps or not beyond(case, LATE, 0) or math.isinf(reached(case)):
        return None
    seen = visits(case)
    if case.validation is None and (seen is None or seen > BY_HEART):
        return None
    look, later = now(case), further(case)
    before = look.train if look.validation is None else look.validation
    after = later.train if later.validation is None else later.validation
    gain = min(before - after, behind(case, later))
    if gain <= max(GAIN, PART * before) or not (gain > MUCH or (lead(case) > 0 and not cooled(case))):
        return None
    return Finding(
        "too-few-epochs",
        "warning",
        f"Training ends at step {case.record.step} with a loss of {before:.2f} of the constant answer's on"
        f" {'training rows' if look.validation is None else 'rows held out'}; as many steps again (200 at"
        f" most) bring {after:.2f}. It stops while it is still going well.",
        evidence={"step": case.record.step, "now": before, "later": after, "gain": gain},
        remedy="Train for at least twice as many epochs.",
        change=_longer(case),
    )


def _longer(case: Case) -> dict[str, Any]:
    done = epochs(case)
    return {"training": {"epochs": 2 * done}} if done else {}
