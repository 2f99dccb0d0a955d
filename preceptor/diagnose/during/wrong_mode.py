"""Training in evaluation mode, or validating in training mode (40). Certain.

    trains in eval       the net has dropout or batch normalisation, and `net.training` is False at nine
                         tenths of the steps (five at least), with all such layers in evaluation mode
    validates in train   at the end of an epoch the net is in training mode, and the validation loss told is
                         nearer to that of training mode than to that of evaluation mode, and 2 % off the
                         latter

Source: TheDeepChecker, "train/eval switch".
"""

import numpy as np
from torch import nn

from preceptor.diagnose.case import Case
from preceptor.finding import Finding

STEPS, MOSTLY, OFF, MARKS = 5, 0.9, 0.02, 2


def moody(net: nn.Module) -> list[nn.Module]:
    """The layers that do one thing in training and another in use."""
    kinds = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)
    return [m for m in net.modules() if isinstance(m, kinds) and getattr(m, "p", 1.0) > 0]


def wrong_mode(case: Case) -> Finding | None:
    """A mode that does not fit what is being done."""
    modes = case.record.training
    if len(modes) < STEPS or not moody(case.net):
        return None
    if 1 - np.mean(modes) > MOSTLY:
        return Finding(
            "wrong-mode",
            "warning",
            f"The net was in evaluation mode at {modes.count(False)} of {len(modes)} training steps. Dropout"
            " did nothing, and batch normalisation kept the statistics it began with.",
            evidence={"steps": len(modes), "in_evaluation": modes.count(False)},
            remedy="Call net.train() before each epoch's first step, net.eval() before validating.",
        )
    return _validated(case)


def _validated(case: Case) -> Finding | None:
    """Validation in training mode."""
    told = [mark for mark in case.record.marks if mark.seen and mark.validation]
    wrong = [
        (mark, mark.seen) for mark in told if mark.seen and _train_like(mark.validation or 0.0, *mark.seen)
    ]
    if len(wrong) < max(1, min(MARKS, len(told))):
        return None
    mark, (evaluation, training) = wrong[-1]
    return Finding(
        "wrong-mode",
        "warning",
        f"The validation loss told at step {mark.step} is {mark.validation:.3g}, while the net in evaluation"
        " mode"
        f" has {evaluation:.3g}: validation ran in training mode. What is measured is not the net that will"
        " be used.",
        evidence={"step": mark.step, "told": mark.validation, "evaluation": evaluation, "training": training},
        remedy="Call net.eval() before validating, and net.train() afterwards.",
    )


def _train_like(told: float, evaluation: float, training: float) -> bool:
    off = abs(told - evaluation)
    return off > OFF * abs(evaluation) and abs(told - training) < 0.5 * off
