"""The loss before training is not that of someone who knows nothing (13).

    symptom   L₀ > 1.3 · max(L_constant, L_zero), the losses of the best constant output and of all zeros
    harm      > 1.6 times it: the first epochs go into unlearning

A net that starts at zero outputs is as good as one can be that has not been told the answers' mean; offsets
are met by the bias. Source: Karpathy (2019); CS231n.
"""

import math

import torch

from preceptor.diagnose.case import Case
from preceptor.finding import Finding

ABOVE, FAR = 1.3, 1.6


def starting_loss(case: Case) -> Finding | None:
    """A first guess that is worse than none."""
    start = case.loss_of(case.output, case.probe.goal)
    with torch.no_grad():
        zero = case.loss_of(torch.zeros_like(case.output), case.probe.goal)
    expected = max(case.dumb, zero if math.isfinite(zero) else case.dumb)
    if not math.isfinite(start) or start <= ABOVE * expected or expected <= 0:
        return None
    return Finding(
        "starting-loss",
        "warning" if start > FAR * expected else "note",
        f"Before training the loss is {start:.3g}, and {expected:.3g} would be that of someone who knows"
        " nothing."
        f" Outputs start at a size of {float(case.output.std()):.2g}: the first steps go into unlearning"
        " them.",
        layer=_last_layer(case),
        evidence={"start": start, "expected": expected, "outputs": float(case.output.std())},
        remedy="Start the last layer small: nn.init.zeros_(last.weight), its bias at the answers' mean or log"
        " shares.",
    )


def _last_layer(case: Case) -> str | None:
    weighted = case.trace.weighted
    return weighted[-1].layer if weighted else None
