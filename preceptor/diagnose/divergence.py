"""NaN or infinity in the losses or the gradients (diagnosis 25). Certain: it needs no second key.

    not isfinite(L_train), not isfinite(L_validation) or not isfinite(‖g‖) in any epoch

From the first epoch on the rows or answers are the first suspects, later the learning rate.
Source: every surveyed tool; a non-finite gradient norm reveals it without a scan.
"""

import numpy as np

from preceptor.diagnose.curve import Curve, as_call
from preceptor.finding import Finding


def divergence(curve: Curve) -> Finding | None:
    """The first epoch whose record is not finite."""
    if curve.finite:
        return None
    bad = ~(np.isfinite(curve.train) & np.isfinite(curve.validation) & np.isfinite(curve.gradient_norm))
    place = int(np.argmax(bad))
    rate = float(curve.learning_rate[place])
    change = {"training": {"learning_rate": float(f"{rate / 10:.2g}"), "clip": 1.0}}
    evidence = {
        "epoch": int(curve.epoch[place]),
        "train_loss_before": float(curve.train[place - 1]) if place else None,
        "learning_rate": rate,
    }
    suspects = (
        "the rows or answers may hold NaN or infinity, or the learning rate may be far too high"
        if place == 0
        else "the steps have grown too large for the learning rate"
    )
    return Finding(
        "not-finite",
        "error",
        f"In epoch {evidence['epoch']} the loss or its gradient is not a number any more: {suspects}.",
        evidence=evidence,
        remedy=f"Look for missing or infinite values first; then {as_call(change)}",
        change=change,
    )
