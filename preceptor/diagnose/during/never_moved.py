"""The weights are where they began (22). Certain.

    after 8 steps and more every weight that is to be learnt has its first value, or that times one
    factor for all (the rest of its way is a thousandth at most), though the learning rate was above zero and
    the gradient on the probe is not

The optimiser's step is not called, it holds other weights than the net's, or gradients are cleared before it;
what weight decay alone has done is a multiple. Source: TheDeepChecker.
"""

import torch
from torch import Tensor

from preceptor.diagnose.case import Case
from preceptor.diagnose.progress import now
from preceptor.finding import Finding

STEPS, REST = 8, 1e-3


def never_moved(case: Case) -> Finding | None:
    """A loop in which nothing is learnt, since nothing is changed."""
    learnt = [place for place, own in enumerate(case.net.parameters()) if own.requires_grad]
    highest = max(case.record.rates, default=0.0)
    if case.record.step < STEPS or not highest or not now(case).slope or not learnt:
        return None
    pairs = [(case.live[place].detach(), case.start[place]) for place in learnt]
    factor = _factor(*max(pairs, key=lambda pair: pair[0].numel()))
    if not all(torch.equal(own, first) or _a_multiple(own, first, factor) for own, first in pairs):
        return None
    names = [name for name, own in case.net.named_parameters() if own.requires_grad]
    return Finding(
        "parameters-unmoved",
        "warning",
        f"After {case.record.step} steps at a learning rate of {highest:.2g} no weight has moved: all have"
        " their first values, but for what weight decay takes. What looks like training is none.",
        evidence={
            "step": case.record.step,
            "rate": highest,
            "parameters": len(names),
            "unmoved": names,
            "why": "never moved",
        },
        remedy="Call optimiser.step() after loss.backward() and before zero_grad(), with an optimiser of this"
        " net's parameters.",
    )


def _factor(own: Tensor, first: Tensor) -> Tensor:
    """By what the first values have been multiplied, as near as may be."""
    return (own * first).sum() / first.square().sum().clamp(min=1e-30)


def _a_multiple(own: Tensor, first: Tensor, factor: Tensor) -> bool:
    """Whether these are the first values times the factor that is the same for all."""
    rest, way = (torch.linalg.vector_norm(own - part) for part in (factor * first, first))
    return bool(rest <= REST * way)
