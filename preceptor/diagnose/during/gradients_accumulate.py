"""Gradients are never cleared (39). Certain.

    in four of the first steps and more, and in most of them: what lies in place is the step's own gradient
    and, to a thousandth, all of what lay there a step ago, both shortened by one factor at most (clipping),
    though the weights have moved in between

One parameter's own gradient is heard by a hook before it is added. Gradients that are gathered on purpose
wait for their step: between two of them no weight moves.
"""

import torch
from torch import Tensor

from preceptor.diagnose.case import Case
from preceptor.diagnose.record import Heard
from preceptor.finding import Finding

SEEN, MOSTLY, LEFT, ALIKE = 4, 0.6, 0.05, 1e-3


def gradients_accumulate(case: Case) -> Finding | None:
    """Each step moves along the sum of all gradients so far."""
    heard = case.record.heard
    left = [_left(*three) for three in zip(heard, heard[1:], heard[2:], strict=False)]
    seen = sum(share > LEFT for share in left)
    if seen < SEEN or seen < MOSTLY * len(left):
        return None
    return Finding(
        "gradients-accumulate",
        "warning",
        f"At step {len(left) + 1} the gradient in place holds the step's own and {left[-1]:.1f} times as much"
        " of earlier steps. Old gradients point where the net no longer is, so that steps grow and swing.",
        evidence={"steps": len(left) + 1, "left_over": [round(share, 3) for share in left]},
        remedy="Call optimiser.zero_grad() before loss.backward(), at every step.",
    )


def _left(earlier: Heard, last: Heard, new: Heard) -> float:
    """‖g_before‖ / ‖g_own‖ where both make up what is in place, and the step before was made; else 0."""
    if new.own.is_sparse:
        return 0.0
    both = new.own + last.placed
    alike = _off(new.placed, both) <= ALIKE < _off(new.placed, new.own)
    if not alike or torch.equal(earlier.after, last.after):
        return 0.0
    return float(torch.linalg.vector_norm(last.placed) / torch.linalg.vector_norm(new.own).clamp(min=1e-30))


def _off(placed: Tensor, whole: Tensor) -> float:
    """By how much, as a share, this is not the whole, made shorter by one factor or left as it is."""
    factor = (placed * whole).sum() / whole.square().sum().clamp(min=1e-30)
    rest = placed - factor.clamp(0.0, 1.0) * whole
    return float(torch.linalg.vector_norm(rest) / torch.linalg.vector_norm(placed).clamp(min=1e-30))
