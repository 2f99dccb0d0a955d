"""Training in evaluation mode, or validating in training mode (40). Certain.

    trains in eval       the net has dropout, or batch normalisation that learns, and `net.training` is False
                         at nine tenths of the steps (five at least)
    validates in train   at the end of an epoch the net is in training mode, and the validation loss told is
                         2 % off that of evaluation mode, and nearer to that of training mode by a factor of
                         ten; twice over, a factor of two is enough

Normalisation whose weights are frozen is kept in evaluation mode on purpose. Source: TheDeepChecker,
"train/eval switch".
"""

import numpy as np
from torch import nn

from preceptor.diagnose.case import Case
from preceptor.diagnose.record import Mark
from preceptor.finding import Finding

STEPS, MOSTLY, OFF, NEARER, NEAR = 5, 0.9, 0.02, 0.1, 0.5


def moody(net: nn.Module) -> list[nn.Module]:
    """The layers that do one thing in training and another in use."""
    dropout, norm = nn.modules.dropout._DropoutNd, nn.modules.batchnorm._BatchNorm
    return [
        m
        for m in net.modules()
        if (isinstance(m, dropout) and m.p > 0)
        or (isinstance(m, norm) and all(p.requires_grad for p in m.parameters()))
    ]


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
    wrong = [(mark, mark.seen) for mark in case.record.marks if mark.seen and _train_like(mark, NEAR)]
    if not wrong or (len(wrong) == 1 and not _train_like(wrong[0][0], NEARER)):
        return None
    mark, (evaluation, training) = wrong[-1]
    return Finding(
        "wrong-mode",
        "warning",
        f"The validation loss told at step {mark.step} is {mark.validation:.3g}, while the net in evaluation"
        f" mode has {evaluation:.3g}: validation ran in training mode. What is measured is not the net that"
        " will be used.",
        evidence={"step": mark.step, "told": mark.validation, "evaluation": evaluation, "training": training},
        remedy="Call net.eval() before validating, and net.train() afterwards.",
    )


def _train_like(mark: Mark, near: float) -> bool:
    """Whether what was told is off the loss of evaluation mode, and much nearer to that of training mode."""
    if mark.seen is None or mark.validation is None:
        return False
    evaluation, training = mark.seen
    off = abs(mark.validation - evaluation)
    return off > OFF * abs(evaluation) and abs(mark.validation - training) < near * off
