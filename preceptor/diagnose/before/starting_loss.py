"""The loss before training is not that of someone who knows nothing (13); not a number at all (25).

    symptom   L₀ > 1.3 · max(L_constant, L_zero), the losses of the best constant output and of all zeros
    harm      > 3 times it; or > 1.6 times it, and the same net with a silent last layer comes lower in 60
              steps, by a twentieth of the constant's loss: the first epochs go into unlearning

A net that starts at zero outputs is as good as one can be that has not been told the answers' mean; offsets
are met by the bias (`answers_far_off` says when they are not). Losses are compared above the lowest there is.
Source: Karpathy (2019); CS231n.
"""

import math

import torch
from torch import nn

from preceptor.diagnose.case import Case
from preceptor.diagnose.extremes import Extremes
from preceptor.diagnose.loss_shape import asked
from preceptor.diagnose.trial import trial, tried
from preceptor.finding import Finding

ABOVE, DOUBTFUL, FAR, GAIN = 1.3, 1.6, 3.0, 0.05


def starting_loss(case: Case) -> Finding | None:
    """A first guess that is worse than none."""
    start, scale = first_loss(case)
    if not math.isfinite(start):
        return _no_number(start)
    expected = max(1.0, zero_loss(case))
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


def first_loss(case: Case) -> tuple[float, Extremes]:
    """The untrained net's loss on the probe, and what it can be."""
    start = case.loss_of(case.output, case.probe.goal)
    return start, Extremes(case.floor, case.dumb)


def zero_loss(case: Case) -> float:
    """The loss of an output of all zeros, as a share of the best constant's; 1 where it is refused."""
    zero = asked(case, torch.zeros_like(case.output))
    return first_loss(case)[1].share(zero) if math.isfinite(zero) else 1.0


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
