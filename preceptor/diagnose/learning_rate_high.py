"""The learning rate is too high: the steps jump over the valley (diagnosis 23).

    symptom   L_t - min(L_1..L_t) > 0.25 and L_t > 1.5 · min(L_1..L_t), the training loss leaps up; or
              L_t > 1.25 once, 0.8 to 1.2 in the end, and min L_validation > 0.95: thrown out, and
              stranded at the dumb answer
    harm      the training loss ends above 0.25, and it is poor (`Curve.poor`)

Source: CS231n, "babysitting the learning process"; tuning playbook; TheDeepChecker (their 2 × the
running minimum is taken relative to the baseline, so that ripples near zero do not count).
"""

import numpy as np

from preceptor.diagnose.curve import Curve, as_call
from preceptor.finding import Finding

RISE, FACTOR, THROWN = 0.25, 1.5, 1.25


def learning_rate_high(curve: Curve) -> Finding | None:
    """A training loss that leaps up, in a run that ends badly."""
    lowest = np.minimum.accumulate(curve.train)
    leaps = np.where(curve.train > FACTOR * lowest, curve.train - lowest, 0.0)
    end = float(np.median(curve.train[curve.tail]))
    stranded = curve.train.max() > THROWN and 0.8 < end < 1.2 and curve.lowest > 0.95
    if not curve.poor or end < RISE or not (stranded or leaps.max() > RISE):
        return None
    rate = float(curve.learning_rate.max())
    worst = int(np.argmax(np.maximum(leaps, curve.train - 1)))
    change = {"training": {"learning_rate": float(f"{rate / 10:.2g}")}}
    return Finding(
        "learning-rate-too-high",
        "warning",
        f"In epoch {curve.epoch[worst]} the training loss leaps to {curve.train[worst]:.2f} of the dumb"
        f" predictor's and no validation loss comes below {curve.lowest:.2f}: the learning rate of {rate:.2g}"
        " is too high.",
        evidence={
            "epoch": int(curve.epoch[worst]),
            "train": float(curve.train[worst]),
            "lowest_before": float(lowest[worst]),
            "best_validation": curve.lowest,
            "rival": curve.rival,
            "learning_rate": rate,
        },
        remedy=as_call(change),
        change=change,
    )
