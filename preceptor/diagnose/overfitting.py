"""Overfitting: the net learns the training rows by heart (diagnosis 33).

    symptom   the median validation loss of the last tenth of the epochs lies above the lowest by more than
              3 · noise and by more than a fifth of what had been gained, while the training loss fell on
    harm      the last epoch's weights are the ones that stay

Where the best epoch's weights are kept, as early stopping does, the harm is averted: a note. Still,
more regularisation may move the best epoch lower. Source: tuning playbook; CS231n.
"""

import numpy as np

from preceptor.diagnose.curve import Curve
from preceptor.finding import Finding

BAND, LOST = 3.0, 0.2


def overfitting(curve: Curve) -> Finding | None:
    """A validation loss that has turned upwards while the training loss has not."""
    rise = float(np.median(curve.validation[curve.tail])) - curve.lowest
    fall = float(curve.train[curve.best] - np.median(curve.train[curve.tail]))
    gained = max(1 - curve.lowest, 0.0)
    if fall <= 0 or rise <= BAND * curve.noise or rise <= LOST * gained:
        return None
    turn = int(curve.epoch[curve.best])
    return Finding(
        "overfitting",
        "note" if curve.kept_best else "warning",
        f"After epoch {turn} the validation loss rises from {curve.lowest:.2f} to {curve.lowest + rise:.2f}"
        f" of the dumb predictor's, while the training loss falls on to {float(curve.train[-1]):.2f}.",
        evidence={
            "epoch": turn,
            "best_validation": curve.lowest,
            "rise": rise,
            "noise": curve.noise,
            "train_fall": fall,
        },
        done=f"The weights of epoch {turn} are kept." if curve.kept_best else "",
        remedy="Give it more rows, or hold it back.",
    )
