"""The learning rate is too low: training crawls down a straight line (diagnosis 24).

    L_validation = a - b · s, where s is the sum of the learning rates so far: b > 0 with R² >= 0.98,
    less than a tenth of the first loss gained, after at least 100 steps
    harm      a rival shows that more was to be had (`Curve.harmed`), where one is known

A net that has moved so little that its loss is still a straight line has not yet begun to learn: the
first steps of a good run bend. Source: CS231n, "low learning rates: improvement is linear".
"""

import numpy as np

from preceptor.diagnose.curve import Curve, as_call
from preceptor.finding import Finding

STRAIGHT, GAINED, STEPS, EPOCHS = 0.98, 0.1, 100, 5


def learning_rate_low(curve: Curve) -> Finding | None:
    """A validation loss that falls in a straight line and hardly at all."""
    if len(curve.epoch) < EPOCHS or curve.step[-1] < STEPS:
        return None
    gained = 1 - float(curve.validation[-1] / curve.validation[0])
    straight = float(np.corrcoef(curve.trained, curve.validation)[0, 1]) if gained > 0 else 0.0
    if curve.harmed is False or straight**2 < STRAIGHT or gained > GAINED:
        return None
    rate = float(curve.learning_rate.max())
    change = {"training": {"learning_rate": float(f"{rate * 10:.2g}")}}
    return Finding(
        "learning-rate-too-low",
        "warning",
        f"In {curve.step[-1]} steps the validation loss has come down by {gained:.2%}, in a straight line:"
        f" the learning rate of {rate:.2g} is too low.",
        evidence={
            "steps": int(curve.step[-1]),
            "gained": gained,
            "straightness": straight**2,
            "best_validation": curve.lowest,
            "rival": curve.rival,
            "learning_rate": rate,
        },
        remedy=as_call(change),
        change=change,
    )
