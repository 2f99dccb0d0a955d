"""Gradients are never cleared (39). Certain.

    in five of the first steps and more: what lies in place is the step's own gradient and, to a thousandth,
    all of what lay there a step ago

One parameter's own gradient is heard by a hook before it is added. Gradients that are gathered on purpose are
cleared now and then, and told once a step of the optimiser.
"""

import torch

from preceptor.diagnose.case import Case
from preceptor.finding import Finding

SEEN, LEFT = 5, 0.05


def gradients_accumulate(case: Case) -> Finding | None:
    """Each step moves along the sum of all gradients so far."""
    left = torch.stack(case.record.leftovers) if case.record.leftovers else torch.zeros(0)
    if int((left > LEFT).sum()) < SEEN or float((left > LEFT).float().mean()) < 0.8:
        return None
    return Finding(
        "gradients-accumulate",
        "warning",
        f"At step {len(left) + 1} the gradient in place holds the step's own and {float(left[-1]):.1f} times"
        " as much of"
        " earlier steps. Old gradients point where the net no longer is, so that steps grow and swing.",
        evidence={"steps": len(left), "left_over": [round(value, 3) for value in left.tolist()]},
        remedy="Call optimiser.zero_grad() before loss.backward(), at every step.",
    )
