"""Gradients are never cleared (39). Certain.

    in four of the first steps and more, and in most of them: what lies in place is the step's own gradient
    and, to a thousandth, all of what lay there a step ago, though the weights have moved in between

One parameter's own gradient is heard by a hook before it is added. Gradients that are gathered on purpose
wait for their step: between two of them no weight moves.
"""

import torch

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
    """‖g_in_place - g_own‖ / ‖g_own‖ where that rest was in place a step ago, and that step was made."""
    if new.own.is_sparse:
        return 0.0
    rest = new.placed - new.own
    apart, before = torch.linalg.vector_norm(rest - last.placed), torch.linalg.vector_norm(last.placed)
    if bool(apart > ALIKE * before) or torch.equal(earlier.after, last.after):
        return 0.0
    return float(torch.linalg.vector_norm(rest) / torch.linalg.vector_norm(new.own).clamp(min=1e-30))
