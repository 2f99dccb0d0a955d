"""Every gradient is clipped (42).

    symptom   the gradient norms of the last 8 steps seen lie within a thousandth of each other: they are the
              threshold
    harm      the probe's own gradient was above 5 times the threshold at every look since, and the same net,
              optimiser and rows without clipping come lower by 0.1 in a trial (`progress.behind`)

With an optimiser that divides by the gradient's size (Adam) it does little, and stays a note. Clipping in
the first steps, or a little all the time, is as it should be. Source: tuning playbook.
"""

import numpy as np

from preceptor.diagnose.case import Case
from preceptor.diagnose.progress import MARGIN, behind, plain, reached, so_long
from preceptor.finding import Finding

STEPS, ALIKE, ABOVE = 8, 1e-3, 5.0


def clipping_always(case: Case) -> Finding | None:
    """Norms that are all the same."""
    norms = case.record.norm
    if len(norms) < STEPS or not np.isfinite(norms).all():
        return None
    last, level = norms[-STEPS:], float(norms[-1])
    if level == 0 or last.std() > ALIKE * last.mean():
        return None
    since = case.record.norms[-STEPS][0]
    slopes = [look.slope for look in case.record.looks if look.step >= since]
    above = min(slopes, default=0.0) / level
    lost = behind(case, plain(case)) if above > ABOVE else 0.0
    return Finding(
        "clipping-always",
        "warning" if lost > MARGIN else "note",
        f"The gradient's norm was {level:.3g} at every one of the last {STEPS} steps seen, up to step"
        f" {case.record.step}, while that of the probe rows, unclipped, is {slopes[-1] if slopes else 0:.3g}:"
        " clipping is always active, and every step is as long as the threshold says. The loss is at"
        f" {reached(case):.2f} of the constant answer's, and without clipping {so_long(case)} bring"
        f" {plain(case).train:.2f}.",
        evidence={"norm": level, "above": above, "steps": case.record.step, "lost": lost},
        remedy=f"Raise max_norm of clip_grad_norm_ to about {max(slopes, default=level):.1g}, the size of the"
        " unclipped norms.",
        change={"training": {"clip": float(f"{max(slopes, default=level):.2g}")}} if slopes else {},
    )
