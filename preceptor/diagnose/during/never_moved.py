"""The weights are where they began (22). Certain.

    after 8 steps and more every weight that is to be learnt has, to the bit, its first value, though the
    learning rate was above zero and the gradient on the probe is not

The optimiser's step is not called, or it holds other weights than the net's. Source: TheDeepChecker.
"""

import torch

from preceptor.diagnose.case import Case
from preceptor.diagnose.progress import now
from preceptor.finding import Finding

STEPS = 8


def never_moved(case: Case) -> Finding | None:
    """A loop in which nothing is learnt, since nothing is changed."""
    learnt = [place for place, own in enumerate(case.net.parameters()) if own.requires_grad]
    highest = max(case.record.rates, default=0.0)
    if case.record.step < STEPS or not highest or not now(case).slope or not learnt:
        return None
    if not all(torch.equal(case.live[place].detach(), case.start[place]) for place in learnt):
        return None
    names = [name for name, own in case.net.named_parameters() if own.requires_grad]
    return Finding(
        "parameters-unmoved",
        "warning",
        f"After {case.record.step} steps at a learning rate of {highest:.2g} no weight has moved: all have"
        " their first values, to the bit. What looks like training is none.",
        evidence={
            "step": case.record.step,
            "rate": highest,
            "parameters": len(names),
            "unmoved": names,
            "why": "never moved",
        },
        remedy="Call optimiser.step() after loss.backward(), with an optimiser of this net's parameters.",
    )
