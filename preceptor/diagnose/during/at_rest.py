"""Layers that came to rest on the way: whether they did, and whether smaller steps would have spared them.

    symptom   more than half of a layer's units are at rest, a fifth of them more than at the start
    harm      the training rows are badly learnt (loss > 0.35), and the same net at a tenth of the learning
              rate, in a trial, comes lower by 0.1 (`progress.behind`)

Nets live well with many units at rest; that alone is no fault. Source: AutoTrainer (its harm gate).
"""

from typing import Literal

from preceptor.diagnose.case import Case
from preceptor.diagnose.look import first_look
from preceptor.diagnose.progress import MARGIN, POOR, again, behind, now, reached
from preceptor.diagnose.record import Unit

HALF, RISEN = 0.5, 0.2


def came_to_rest(case: Case, how: Literal["dead", "saturated"]) -> Unit | None:
    """The layer that fares worst now, if it fares a good deal worse than at the start, and that does harm."""
    pairs = list(zip(now(case).units, first_look(case).units, strict=False))
    if case.last and pairs:
        pairs = pairs[:-1]
    shares = [(getattr(unit, how), getattr(first, how), unit) for unit, first in pairs]
    share, before, worst = max(shares, key=lambda each: each[0], default=(0.0, 0.0, None))
    if share <= HALF or share < before + RISEN or reached(case) <= POOR:
        return None
    return worst if behind(case, again(case, factor=0.1)) > MARGIN else None


def harm(case: Case) -> dict[str, float]:
    """The evidence: the loss now, and where a tenth of the learning rate leads."""
    return {"loss": min(reached(case), 1e9), "calmer": again(case, factor=0.1).train}
