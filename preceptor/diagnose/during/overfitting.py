"""The net learns by heart (33).

    symptom   the loss on rows held out lies above its lowest by more than 3 · noise, a fifth of what had been
              gained and of itself, and 0.1, at its last three measurements alike, and the training loss below
              half of it; or, from half of the plan on, the training loss is below a tenth of it, and it is
              above 0.2
    harm      each row has been seen three times at least; and in the second case a rival is better on rows
              held out by 0.1: what is learnt by heart is not what is there to be learnt; or the same net,
              taught half of the rows, is worse on them by 0.1 and a fifth: more rows would help

Noise is the standard deviation of the loss around its own trend, from second differences (`curve`). A gap
alone is no harm: nets that fit their rows to the last may still answer well. Source: tuning playbook; CS231n.
"""

from typing import Any

import numpy as np
from torch import nn

from preceptor.diagnose.case import Case
from preceptor.diagnose.progress import (
    MARGIN,
    POOR,
    beyond,
    compared,
    held_out,
    lead,
    paced,
    plain,
    reached,
    standing,
    visits,
)
from preceptor.diagnose.trial import trial
from preceptor.finding import Finding

LEARNT, HEART, BAND, PART, LAST, VISITS, MOST = 0.5, 0.1, 3.0, 0.2, 3, 3.0, 0.5


def overfitting(case: Case) -> Finding | None:
    """Rows held out that fare ever worse, or far worse than a rival shows they could."""
    seen, visited = held_out(case), visits(case)
    if len(seen) < LAST + 1 or (visited is not None and visited < VISITS):
        return None
    losses = np.array([value for _, value in seen])
    lowest, place, end = float(losses.min()), int(losses.argmin()), float(np.median(losses[-LAST:]))
    rises = _rises(losses) and reached(case) < LEARNT * end
    apart = beyond(case, 0.5, 300) and end > 2 * MARGIN and reached(case) < HEART * end
    if not rises and not (
        apart and (lead(case) > MARGIN or (end > POOR and _starved(case) > max(MARGIN, PART * end)))
    ):
        return None
    told = f"has risen from {lowest:.2f} to {end:.2f}" if rises else f"stays at {end:.2f}"
    return Finding(
        "overfitting",
        "warning",
        f"Since step {seen[place][0]} the loss on rows held out {told} of the constant answer's, while"
        f" that of the {case.train.number} training rows is {reached(case):.3f}. They are learnt by heart.",
        evidence={"step": seen[place][0], "lowest": lowest, "now": end, "train": reached(case)},
        remedy="Keep the weights of the best epoch (early stopping); more rows, dropout, or weight decay.",
        change=_more_regularised(case),
    )


def _rises(losses: np.ndarray) -> bool:
    """Whether the last losses lie above the lowest by more than noise, and by an amount that matters."""
    lowest, noise = float(losses.min()), 1.4826 * float(np.median(np.abs(np.diff(losses, n=2)))) / 6**0.5
    return bool(losses[-LAST:].min() - lowest >= max(BAND * noise, PART * max(1 - lowest, lowest), MARGIN))


def _starved(case: Case) -> float:
    """By how much half of the rows, instead of all, make the same net worse on rows held out."""
    if case.validation is None:
        return 0.0
    half, pace = case.train.few(case.train.number // 2), paced(case)
    fewer = case.once(f"half of the rows {pace}", lambda: trial(case, **pace, rows=half))
    nets = [outcome.net for outcome in (fewer, plain(case))]
    return compared(*(standing(case, net)[1] for net in nets)).sure


def _more_regularised(case: Case) -> dict[str, Any]:
    """More dropout while there is room, then weight decay."""
    dropout = max(
        (m.p for m in case.net.modules() if isinstance(m, nn.modules.dropout._DropoutNd)), default=0.0
    )
    if dropout < MOST:
        return {"net": {"dropout": round(min(dropout + 0.1, MOST), 2)}}
    decays = [float(group.get("weight_decay", 0)) for group in getattr(case.optimiser, "param_groups", ())]
    return {"training": {"weight_decay": max(10 * max(decays, default=0.0), 1e-3)}}
