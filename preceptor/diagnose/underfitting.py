"""Underfitting: the net is too simple, for it fails on the training rows too (diagnosis 31).

    symptom   min L_validation - L_train < 0.15 and L_train > 0.1 in the last tenth of the epochs: poor on
              both alike
    harm      a rival shows that more was to be had (`Curve.harmed`)

Without a rival it cannot be told from answers that are noise, and it stays a note, where the best epoch
is above 0.75. Source: CS231n; Karpathy (2019).
"""

import numpy as np

from preceptor.diagnose.curve import Curve
from preceptor.finding import Finding

GAP, RICH, EPOCHS = 0.15, 0.1, 3


def underfitting(curve: Curve) -> Finding | None:
    """Training and validation losses that are alike and poor."""
    train = float(np.median(curve.train[curve.tail]))
    if len(curve.epoch) < EPOCHS or not curve.poor or curve.lowest - train >= GAP or train <= RICH:
        return None
    beside = f", while a rival reaches {curve.rival:.2f}" if curve.harmed else ""
    return Finding(
        "underfitting",
        "warning" if curve.harmed else "note",
        f"The net is as poor on the rows it has learnt, with {train:.2f} of the dumb predictor's loss, as on"
        f" others, with {curve.lowest:.2f}{beside}.",
        evidence={"train": train, "best_validation": curve.lowest, "rival": curve.rival},
        remedy="Make it wider or deeper.",
    )
