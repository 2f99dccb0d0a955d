"""The loss before training is not that of someone who knows nothing (13); not a number at all (25).

    symptom   L₀ > 1.3 · max(L_constant, L_zero), the losses of the best constant output and of all zeros
    far       L_zero itself is > 3 times L_constant: the answers lie far from zero. In as many steps as the
              plan has, 256 at most, the net does not come below the constant answer's loss, and with the
              answers' mean in the last bias it comes lower by 0.3; nor does it at 30 times the learning
              rate, or L_zero is > 20 times L_constant
    harm      > 3 times it; or > 1.6 times it, and the same net with a silent last layer comes lower in 60
              steps, by a twentieth of the constant's loss: the first epochs go into unlearning

A net that starts at zero outputs is as good as one can be that has not been told the answers' mean; offsets
are met by the bias. Losses are compared above the lowest that there is. Source: Karpathy (2019); CS231n.
"""

import math

import torch
from torch import nn

from preceptor.diagnose.case import Case
from preceptor.diagnose.extremes import Extremes
from preceptor.diagnose.loss_shape import asked
from preceptor.diagnose.trial import STEPS, trial, tried
from preceptor.finding import Finding

ABOVE, DOUBTFUL, FAR, GAIN, LONGEST, PLAINLY = 1.3, 1.6, 3.0, 0.05, 256, 0.3
FARTHER, FASTER = 20.0, 30.0


def starting_loss(case: Case) -> Finding | None:
    """A first guess that is worse than none."""
    start, scale = first_loss(case)
    if not math.isfinite(start):
        return _no_number(start)
    zero = asked(case, torch.zeros_like(case.output))
    expected = max(1.0, scale.share(zero) if math.isfinite(zero) else 1.0)
    if expected > FAR and (finding := _far_from_zero(case, expected)):
        return finding
    if scale.share(start) <= ABOVE * expected:
        return None
    times, spread = scale.share(start) / expected, float(case.output.std())
    harmed = times > FAR or (times > DOUBTFUL and _unlearnt(case))
    return Finding(
        "starting-loss",
        "warning" if harmed else "note",
        f"Before training the loss is {start:.3g}, and {scale.constant:.3g} would be that of someone who"
        f" knows nothing. Outputs start at a size of {spread:.2g}: the first steps go into unlearning them.",
        layer=case.trace.weighted[-1].layer if case.trace.weighted else None,
        evidence={"start": start, "expected": scale.constant, "outputs": spread},
        remedy="Start the last layer small: nn.init.zeros_(last.weight), its bias at the answers' mean or log"
        " shares.",
    )


def _far_from_zero(case: Case, zero: float) -> Finding | None:
    """Answers so far from zero that the steps there are are spent on the way."""
    goal, weighted = case.train.goal, case.trace.weighted
    biases = [name for name, p in case.mirror.named_parameters() if p.ndim == 1 and name.endswith("bias")]
    if not goal.is_floating_point() or not biases or not weighted:
        return None
    last = f"{weighted[-1].layer}.bias".lstrip(".")
    mean = goal.double().flatten(1).mean(0) if goal.ndim > 1 else goal.double().mean().reshape(1)
    if last not in biases or case.mirror.get_parameter(last).numel() != mean.numel():
        return None

    def moved(net: nn.Module) -> nn.Module:
        with torch.no_grad():
            net.get_parameter(last).add_(mean.to(goal.dtype))
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
        f"The answers lie far from zero: {float(mean[0]):.3g} on average, {float(goal.double().std()):.3g}"
        f" around it. A net that starts at zero has {zero:.3g} times the constant answer's loss, and still"
        f" {min(as_is, 1e9):.3g} times after {steps} steps; with their mean in its last bias {mended:.3g}.",
        layer=weighted[-1].layer,
        evidence={"start": zero, "expected": 1.0, "outputs": float(case.output.std())},
        remedy="Standardise the answers, (y - y_train.mean()) / y_train.std(), and turn predictions back; or"
        " set the last bias to their mean.",
    )


def first_loss(case: Case) -> tuple[float, Extremes]:
    """The untrained net's loss on the probe, and what it can be."""
    start = case.loss_of(case.output, case.probe.goal)
    return start, Extremes(case.floor, case.dumb)


def _no_number(start: float) -> Finding:
    return Finding(
        "not-finite",
        "error",
        "Even before training the loss is not a number: the rows, the answers or the net's own arithmetic"
        " bring forth NaN or infinity. Every weight is spoilt in the first step.",
        evidence={"start": str(start)},
        remedy="Look for missing or infinite values, and for log(0), x / 0 and exp of large numbers.",
    )


def _unlearnt(case: Case) -> bool:
    """Whether the same net learns faster when its last layer starts silent."""
    weights = case.trace.weighted
    last = weights[-1].weight if weights else None
    names = [
        name
        for name, p in case.mirror.named_parameters()
        if last is not None and p.data_ptr() == last.data_ptr()
    ]

    def silent(net: nn.Module) -> nn.Module:
        with torch.no_grad():
            for name in names:
                net.get_parameter(name).zero_()
        return net

    return bool(names) and tried(case).train - trial(case, edit=silent).train > GAIN
