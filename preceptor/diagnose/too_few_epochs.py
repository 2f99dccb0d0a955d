"""Training ends while it is still going well (diagnosis 34).

    symptom   the best epoch lies in the last tenth, and b, the mean fall of L_validation per epoch over the
              last third, has b > 3 · noise / √third and b · epochs / 2 > 0.05 of the baseline
    harm      a rival shows that more was to be had (`Curve.harmed`), where one is known;
              where one is, fewer than 200 steps are symptom enough

b · epochs / 2 is a sober guess of what as many epochs again would bring: half of the present speed.
A schedule that has cooled down has a flat end and stays unnamed. Source: tuning playbook; DeepFD.
"""

import numpy as np

from preceptor.diagnose.curve import Curve, as_call
from preceptor.finding import Finding

PROMISE, STEPS = 0.05, 200


def too_few_epochs(curve: Curve) -> Finding | None:
    """A validation loss that falls to the end, by an amount that matters."""
    epochs = len(curve.epoch)
    third = max(1, epochs // 3)
    if epochs < 2 or curve.harmed is False or curve.best < epochs - max(1, epochs // 10):
        return None
    fall = float(curve.validation[-1 - third] - curve.validation[-1]) / third
    falling = fall > 3 * curve.noise / np.sqrt(third) and fall * epochs / 2 > PROMISE
    if not falling and not (curve.harmed and curve.step[-1] < STEPS):
        return None
    change = {"training": {"epochs": 2 * epochs}}
    return Finding(
        "too-few-epochs",
        "warning",
        f"After {curve.step[-1]} steps training ends while each epoch still lowers the validation loss by"
        f" {fall:.2g} of the dumb predictor's.",
        evidence={
            "epochs": epochs,
            "steps": int(curve.step[-1]),
            "fall_per_epoch": fall,
            "noise": curve.noise,
            "best_validation": curve.lowest,
            "rival": curve.rival,
        },
        remedy=f"Give it more time: --minutes, or {as_call(change)}",
        change=change,
    )
