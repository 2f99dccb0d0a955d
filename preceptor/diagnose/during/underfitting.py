"""The net is too simple for what there is to learn (31).

    symptom   after half of the plan (300 steps), training and rows held out are poor alike: less than 0.15
              apart, training above 0.1; a forest is better on rows held out by 0.15 and a fifth; going on
              does not help by a third of that
    harm      a plain net of two layers of 128 rectifiers, on the same rows as numbers, comes lower by 0.1 and
              a fifth in as many steps (500 at most), on training and held-out rows (`progress.behind`)

That a forest wins says that more is there; that a wide net gets it says that it is the net's width which is
in the way, not the nature of nets. Source: CS231n; Karpathy (2019).
"""

import math
from typing import Any

from preceptor.diagnose.case import Case
from preceptor.diagnose.during.range_test import matters
from preceptor.diagnose.progress import MARGIN, behind, beyond, further, lead, now, reached, rival
from preceptor.diagnose.trace import by_unit
from preceptor.diagnose.wide_net import WIDTH, wide_net
from preceptor.finding import Finding

GAP, PART, WIDEST = 0.15, 0.2, 4096


def underfitting(case: Case) -> Finding | None:
    """A net that fails on its own exercises."""
    look, other = now(case), rival(case)
    if look.validation is None or other is None or other.validation is None or not beyond(case, 0.5, 300):
        return None
    if math.isinf(reached(case)) or look.validation - look.train > GAP or look.train < MARGIN:
        return None
    lost, later = lead(case), further(case).validation
    if lost < max(1.5 * MARGIN, PART * look.validation) or (later and look.validation - later > lost / 3):
        return None
    wider = wide_net(case)
    if not matters(behind(case, wider), case):
        return None
    return Finding(
        "underfitting",
        "warning",
        f"After {case.record.step} steps the loss is {look.train:.2f} of the constant answer's on training"
        f" rows and {look.validation:.2f} on rows held out, while a forest reaches {other.validation:.2f}"
        f" and a plain net of width {WIDTH} {wider.validation:.2f}. The net fails on its own exercises: it"
        " is too simple.",
        evidence={
            "step": case.record.step,
            "train": look.train,
            "validation": look.validation,
            "rival": other.validation,
            "wide_net": wider.validation,
        },
        remedy="Make it wider or deeper: double the hidden width, or add a layer.",
        change=_wider(case),
    )


def _wider(case: Case) -> dict[str, Any]:
    """Twice the widest hidden layer, and two layers at least."""
    widths = [by_unit(step.made).shape[1] for step in case.trace.weighted][:-1]
    return {
        "net": {"width": min(max(2 * max(widths, default=0), WIDTH), WIDEST), "depth": max(len(widths), 2)}
    }
