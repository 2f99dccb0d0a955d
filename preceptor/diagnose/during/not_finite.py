"""The loss or its gradient is not a number any more (25). Certain.

    not isfinite(L) or not isfinite(‖g‖) at any step seen, or the probe's loss is none

Where the loss had risen before, the learning rate explains it, and is named first when a trial agrees.
Otherwise an operation that knows no bounds is the likelier cause: log(0), x / 0, exp of large numbers.
"""

import math

import numpy as np

from preceptor.diagnose.case import Case
from preceptor.diagnose.progress import now
from preceptor.finding import Finding


def not_finite(case: Case) -> Finding | None:
    """The first step that is spoilt."""
    losses = np.array(case.record.losses)
    spoilt = np.flatnonzero(~np.isfinite(losses)) + 1
    norms = [step for step, value in case.record.norms if not math.isfinite(value)]
    if not len(spoilt) and not norms and math.isfinite(now(case).train):
        return None
    step = int(min([*spoilt.tolist(), *norms], default=case.record.step))
    sound = losses[: step - 1][np.isfinite(losses[: step - 1])]
    rose = len(sound) > 1 and sound[-1] > 3 * abs(np.median(sound[: max(1, len(sound) // 2)]))
    return Finding(
        "not-finite",
        "error",
        f"At step {step} the loss or its gradient is not a number any more, "
        + ("after the loss had risen. " if rose else "without the loss having risen before. ")
        + "From there on every weight is spoilt.",
        evidence={"step": step, "loss_before": float(sound[-1]) if len(sound) else None, "rose": bool(rose)},
        remedy="Divide the learning rate by 10 and clip gradients."
        if rose
        else "Look for log, division and exp in net and loss: clamp their arguments (x.clamp(min=1e-8)), or"
        " take the stable form (CrossEntropyLoss on logits).",
    )
