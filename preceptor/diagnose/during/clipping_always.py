"""Every gradient is clipped (42).

    symptom   the gradient norms of 16 steps and more lie within a thousandth of each other: they are the
              threshold
    harm      the same net, optimiser and rows without clipping come lower in half of the steps

With an optimiser that divides by the gradient's size (Adam) it does little, and stays a note. Clipping in
the first steps alone is as it should be. Source: tuning playbook.
"""

import numpy as np

from preceptor.diagnose.case import Case
from preceptor.diagnose.progress import behind, plain, reached
from preceptor.finding import Finding

STEPS, ALIKE, HARM = 16, 1e-3, 0.05


def clipping_always(case: Case) -> Finding | None:
    """Norms that are all the same."""
    norms = case.record.norm
    if (
        len(norms) < STEPS
        or not np.isfinite(norms).all()
        or norms[-STEPS:].std() > ALIKE * norms[-STEPS:].mean()
    ):
        return None
    level = float(norms[-1])
    if level == 0:
        return None
    lost = behind(case, plain(case))
    return Finding(
        "clipping-always",
        "warning" if lost > HARM else "note",
        f"The gradient's norm was {level:.3g} at every one of the last {STEPS} steps looked at, up to step"
        f" {case.record.step}: clipping is always active. Its size is thrown away; the loss is at"
        f" {reached(case):.2f} of"
        f" the constant answer's, and without clipping half as many steps bring {plain(case).train:.2f}.",
        evidence={"norm": level, "steps": case.record.step, "lost": lost},
        remedy="Raise max_norm of clip_grad_norm_ to about the 90th percentile of the unclipped norms.",
    )
