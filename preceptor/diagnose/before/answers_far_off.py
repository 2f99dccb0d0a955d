"""Answers so far from zero that training spends its steps on the way there (13).

    symptom   the loss of an output of all zeros is > 3 times that of the best constant output
    harm      in as many steps as the plan has, 256 at most, the net does not come below the constant answer's
              loss, and with the answers' mean in its last bias it comes lower by 0.3; nor does it at 30 times
              the learning rate, or the symptom is > 20

Most offsets are met by the bias within a few steps; a weight in grams, or a temperature in kelvin, is not.
Source: Karpathy (2019), "init well".
"""

import math

import torch
from torch import nn

from preceptor.diagnose.before.starting_loss import zero_loss
from preceptor.diagnose.case import Case
from preceptor.diagnose.trial import STEPS, trial, tried
from preceptor.finding import Finding

FAR, FARTHER, FASTER, LONGEST, PLAINLY = 3.0, 20.0, 30.0, 256, 0.3


def answers_far_off(case: Case) -> Finding | None:
    """A long way from zero to the answers."""
    zero, last = zero_loss(case), _last_bias(case)
    if zero <= FAR or last is None:
        return None
    goal = case.train.goal.double()
    mean = goal.reshape(len(goal), -1).mean(0)

    def moved(net: nn.Module) -> nn.Module:
        with torch.no_grad():
            net.get_parameter(last).add_(mean.to(case.train.goal.dtype))
        return net

    steps = max(STEPS, min(case.steps or 0, LONGEST))
    as_is, mended = tried(case, steps).train, trial(case, steps=steps, edit=moved).train
    if not 1.0 <= as_is < math.inf or as_is - mended < PLAINLY:
        return None
    if zero < FARTHER and tried(case, steps, factor=FASTER).train < 1.0:
        return None
    return Finding(
        "starting-loss",
        "warning",
        f"The answers lie far from zero: {float(mean[0]):.3g} on average, {float(goal.std()):.3g} around it."
        f" A net that starts at zero has {zero:.3g} times the constant answer's loss, and still"
        f" {min(as_is, 1e9):.3g} times after {steps} steps; with their mean in its last bias {mended:.3g}.",
        layer=last.rpartition(".")[0],
        evidence={"start": zero, "expected": 1.0, "outputs": float(case.output.std())},
        remedy="Standardise the answers, (y - y_train.mean()) / y_train.std(), and turn predictions back; or"
        " set the last bias to their mean.",
    )


def _last_bias(case: Case) -> str | None:
    """The bias that is added last, where it has one number for each amount that is asked."""
    weighted, goal = case.trace.weighted, case.train.goal
    name = f"{weighted[-1].layer}.bias".lstrip(".") if weighted else ""
    bias = dict(case.mirror.named_parameters()).get(name)
    if bias is None or not goal.is_floating_point() or bias.numel() != goal[0].numel():
        return None
    return name
