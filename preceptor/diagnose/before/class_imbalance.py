"""Some classes are rare, and nothing makes up for it (6).

    symptom   the smallest class's share < 0.1 / C
    harm      the loss weighs all classes alike, and the batches seen are no better balanced; and, once
              training has been watched, less than half of the rare class is found

Whether the loss weighs is tried out: two rows of different classes, favouring one and then the other.
Source: cleanlab (0.1 / C); Deepchecks.
"""

import torch

from preceptor.diagnose.case import Case, labels_of
from preceptor.finding import Finding

RARE, FOUND, WEIGHED = 0.1, 0.5, 1.5


def class_imbalance(case: Case) -> Finding | None:
    """A rare class that the loss hardly hears of."""
    labels = labels_of(case.train)
    if labels is None or not case.classifies or len(labels) < 50:
        return None
    counts = torch.bincount(labels)
    present = torch.nonzero(counts).flatten()
    if len(present) < 2:
        return None
    rare = int(present[counts[present].argmin()])
    share, most = float(counts[rare]) / len(labels), int(counts.argmax())
    if share >= RARE / len(present) or _weight(case, rare, most) > WEIGHED or _balanced(case, rare, share):
        return None
    found = _found(case, rare)
    return Finding(
        "class-imbalance",
        "note" if found is not None and found >= FOUND else "warning",
        f"Class {rare} has {int(counts[rare])} of {len(labels)} training rows ({share:.1%}), class {most} has"
        f" {float(counts[most]) / len(labels):.0%}, and the loss weighs them alike. The net does well by"
        " never answering the rare class.",
        evidence={"class": rare, "share": share, "counts": counts.tolist()[:100], "found": found},
        remedy="Weigh the classes, CrossEntropyLoss(weight=len(y) / (C * counts)), or draw batches with a"
        " WeightedRandomSampler; judge by recall, not by accuracy.",
    )


@torch.no_grad()
def _weight(case: Case, rare: int, most: int) -> float:
    """How much more an error on the rare class costs than one on the frequent class."""
    shape = case.output.shape[1:]
    size = case.output[0].numel()
    goal = torch.tensor([rare, most]).to(case.train.goal.dtype).reshape(2, *case.train.goal.shape[1:])
    costs = []
    for wrong in (0, 1):
        output = torch.zeros(2, size)
        for row, own in enumerate((rare, most)):
            sign = -1.0 if row == wrong else 1.0
            output[row, own if size > 1 else 0] = 3 * sign * (1.0 if size > 1 or own else -1.0)
        costs.append(case.loss_of(output.reshape(2, *shape), goal))
    return costs[0] / max(costs[1], 1e-9)


def _balanced(case: Case, rare: int, share: float) -> bool:
    """Whether the batches seen hold the rare class far more often than the training rows do."""
    told = [batch.goal.flatten() for batch in case.record.batches]
    return bool(told) and float((torch.cat(told) == rare).float().mean()) > 3 * share


@torch.no_grad()
def _found(case: Case, rare: int) -> float | None:
    """The share of the rare class that the net finds; None before training has begun."""
    rows = case.validation or case.train
    mine = (
        torch.nonzero(rows.goal.flatten() == rare).flatten()[:256]
        if rows.goal.numel() == rows.number
        else None
    )
    if case.record.step == 0 or mine is None or not len(mine):
        return None
    picked = rows.take(mine)
    return float(case.right(case.answer(case.reflect(), picked), picked.goal).float().mean())
