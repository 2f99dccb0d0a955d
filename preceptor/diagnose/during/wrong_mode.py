"""Training in evaluation mode, or validating in training mode (40). Certain.

    trains in eval       the net has dropout, or batch normalisation that learns, and `net.training` is False
                         at nine tenths of the steps (five at least) from half-way on; or a batch
                         normalisation that is used still has the statistics that it was made with, mean 0
                         and variance 1
    validates in train   at the end of an epoch the net is in training mode, and the validation loss told is
                         2 % off that of evaluation mode, and nearer to that of training mode by a factor of
                         ten; twice over, a factor of two is enough

Normalisation whose weights are frozen, or that brings statistics along, is kept in evaluation mode on
purpose. Source: TheDeepChecker, "train/eval switch".
"""

import numpy as np
from torch import Tensor, nn

from preceptor.diagnose.case import Case
from preceptor.diagnose.progress import now
from preceptor.diagnose.record import Mark
from preceptor.finding import Finding

STEPS, MOSTLY, OFF, NEARER, NEAR = 5, 0.9, 0.02, 0.1, 0.5


def moody(net: nn.Module) -> list[nn.Module]:
    """The layers that do one thing in training and another in use."""
    dropout = nn.modules.dropout._DropoutNd
    return [m for m in net.modules() if (isinstance(m, dropout) and m.p > 0) or _learns(m)]


def _learns(module: nn.Module) -> bool:
    """Whether it is a batch normalisation that is trained."""
    norm = isinstance(module, nn.modules.batchnorm._BatchNorm)
    return norm and all(p.requires_grad for p in module.parameters())


def wrong_mode(case: Case) -> Finding | None:
    """A mode that does not fit what is being done."""
    modes = case.record.training[case.record.step // 2 :]
    if len(modes) < STEPS or not moody(case.net):
        return None
    if 1 - np.mean(modes) > MOSTLY:
        return Finding(
            "wrong-mode",
            "warning",
            f"The net was in evaluation mode at {modes.count(False)} of the last {len(modes)} steps. Dropout"
            " did nothing, and batch normalisation kept the statistics it began with.",
            evidence={"steps": len(modes), "in_evaluation": modes.count(False)},
            remedy="Call net.train() before each epoch's first step, net.eval() before validating.",
        )
    return _untouched(case) or _validated(case)


def _untouched(case: Case) -> Finding | None:
    """Batch normalisation that has never learnt what its inputs look like."""
    used = now(case).fresh
    layers = [
        name
        for name, module in case.net.named_modules()
        if _learns(module) and f"{name}.weight" in used and _as_made(module)
    ]
    if not layers:
        return None
    return Finding(
        "wrong-mode",
        "warning",
        f"After {case.record.step} steps the batch normalisation {layers[0]!r} still has the statistics it"
        " was made with, mean 0 and variance 1. It was never in training mode, or its momentum is 0: in use"
        " it normalises by nothing.",
        layer=layers[0],
        evidence={"step": case.record.step, "layers": layers},
        remedy="Call net.train() before training, leave single layers out of eval(), and momentum at 0.1.",
    )


def _as_made(module: nn.Module) -> bool:
    """Whether its running statistics are those of a layer just made; it keeps none in some nets."""
    mean, variance = module.running_mean, module.running_var
    if not isinstance(mean, Tensor) or not isinstance(variance, Tensor):
        return False
    return not bool(mean.any()) and bool((variance == 1).all())


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
