"""Training ends while it is still going well (diagnosis 34).

    symptom   the best epoch lies in the last tenth, and b · epochs / 2 > 0.05, where b is the fall of
              L_validation per epoch over the last third, counted when b > 3 · noise / √third
    harm      a rival shows that more was to be had (`Curve.harmed`), where one is known;
              where one is, fewer than 200 steps are symptom enough

b · epochs / 2 is a sober guess of what as many epochs again would bring: half of the present speed.
A schedule that has cooled down has a flat end and stays unnamed. Source: tuning playbook; DeepFD.
"""

from preceptor.diagnose.curve import Curve
from preceptor.finding import Finding

PROMISE, STEPS = 0.05, 200


def too_few_epochs(curve: Curve) -> Finding | None:
    """A validation loss that falls to the end, by an amount that matters."""
    epochs, fall = len(curve.epoch), curve.fall
    promising = fall * epochs / 2 > PROMISE
    short = curve.harmed and curve.best_at_end and curve.step[-1] < STEPS
    if curve.harmed is False or not (promising or short):
        return None
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
        remedy="Give it more time: --minutes, or twice the epochs.",
    )
