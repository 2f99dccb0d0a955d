"""The loss or its gradient is not a number any more (25). Certain.

    not isfinite(L) at any step; or not isfinite(‖g‖) of the last norm seen; or the probe's loss is none

A gradient that overflows once, and whose step is left out, is how mixed precision finds its scale. Where the
loss had risen before, the learning rate explains it, and is named first when a trial agrees. Otherwise an
operation that knows no bounds is the likelier cause: log(0), x / 0, exp of large numbers.
"""

import math

import numpy as np

from preceptor.diagnose.case import Case
from preceptor.diagnose.progress import now
from preceptor.finding import Finding

ROSE = 3.0


def not_finite(case: Case) -> Finding | None:
    """The first step that is spoilt."""
    losses, norms = np.array(case.record.losses), case.record.norms
    lost = (np.flatnonzero(~np.isfinite(losses)) + 1).tolist()
    spoilt = not math.isfinite(now(case).train) or bool(norms and not math.isfinite(norms[-1][1]))
    if not lost and not spoilt:
        return None
    step = min([*lost, *(step for step, norm in norms if not math.isfinite(norm))], default=case.record.step)
    sound = losses[: step - 1][np.isfinite(losses[: step - 1])]
    rose = bool(len(sound) > 1 and sound[-1] > ROSE * abs(np.median(sound[: max(1, len(sound) // 2)])))
    return Finding(
        "not-finite",
        "error",
        f"At step {step} the loss or its gradient is not a number any more, "
        + ("after the loss had risen. " if rose else "without the loss having risen before. ")
        + ("From there on every weight is spoilt." if spoilt else "The weights have come through so far."),
        evidence={
            "step": step,
            "loss_before": float(sound[-1]) if len(sound) else None,
            "rose": rose,
            "spoilt": spoilt,
        },
        remedy="Divide the learning rate by 10 and clip gradients."
        if rose
        else "Look for log, division and exp in net and loss: clamp their arguments (x.clamp(min=1e-8)), or"
        " take the stable form (CrossEntropyLoss on logits).",
        change=_slower(case) if rose else {},
    )


def _slower(case: Case) -> dict[str, dict[str, float]]:
    rate = max(case.record.rates, default=0.0) / 10
    return {"training": {"clip": 1.0, **({"learning_rate": float(f"{rate:.2g}")} if rate else {})}}
