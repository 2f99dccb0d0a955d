"""Some classes are rare, and nothing makes up for it (6).

    symptom   the smallest class's share < 0.1 / C; the loss weighs all classes alike, and the batches seen
              are no better balanced
    harm      a forest, out of bag, finds less than half of the rare class: rows so few do not speak for
              themselves; from half of the training on, the net finds less than half of it; and at most a
              tenth of the classes are so rare: letters and words are many, and most are rare by nature

Whether the loss weighs is tried out: two rows of different classes, favouring one and then the other.
Source: cleanlab (0.1 / C); Deepchecks.
"""

import torch
from torch import Tensor

from preceptor.diagnose.before.explained import forest
from preceptor.diagnose.case import Case, Rows, labels_of
from preceptor.diagnose.loss_shape import asked
from preceptor.finding import Finding

RARE, FOUND, WEIGHED, FEWEST, DUE, HALF = 0.1, 0.5, 1.5, 50, 300, 0.5


def class_imbalance(case: Case) -> Finding | None:
    """A rare class that the loss hardly hears of."""
    labels = labels_of(case.train)
    if labels is None or not case.classifies or len(labels) < FEWEST:
        return None
    counts = torch.bincount(labels)
    present = torch.nonzero(counts).flatten()
    rare, most = int(present[counts[present].argmin()]), int(counts.argmax())
    share = float(counts[rare]) / len(labels)
    if share >= RARE / len(present) or _weight(case, rare, most) > WEIGHED or _balanced(case, rare, share):
        return None
    found = _found(case, labels, rare)
    alike = int((counts[present] < RARE * len(labels) / len(present)).sum())
    apart = alike <= max(1, len(present) // 10)
    return Finding(
        "class-imbalance",
        "warning" if apart and found is not None and found < FOUND else "note",
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
    shape, size = case.output.shape[1:], case.output[0].numel()
    goal = torch.tensor([rare, most]).to(case.train.goal.dtype).reshape(2, *case.train.goal.shape[1:])
    costs = []
    for wrong in (0, 1):
        output = torch.zeros(2, size, dtype=case.output.dtype)
        for row, own in enumerate((rare, most)):
            sign = -1.0 if row == wrong else 1.0
            output[row, own if size > 1 else 0] = 3 * sign * (1.0 if size > 1 or own else -1.0)
        output = output.reshape(2, *shape)
        costs.append(asked(case, output.sigmoid() if case.last == "sigmoid" else output, Rows([], goal)))
    return costs[0] / max(costs[1], 1e-9)


def _balanced(case: Case, rare: int, share: float) -> bool:
    """Whether the batches seen hold the rare class far more often than the training rows do."""
    told = [batch.goal.flatten() for batch in case.record.batches]
    return bool(told) and float((torch.cat(told) == rare).float().mean()) > 3 * share


def _found(case: Case, labels: Tensor, rare: int) -> float | None:
    """The share of the rare class that is found: by a forest, and by the net once it is half trained."""
    done = case.record.step / case.steps if case.steps else case.record.step / (DUE / HALF)
    if done >= HALF:
        return _found_by_net(case, rare)
    rival = forest(case)
    if rival is None:
        return None
    mine = (labels.cpu().numpy()[rival.rows] == rare).nonzero()[0]
    return float((rival.answers[mine].argmax(1) == rare).mean()) if len(mine) else None


@torch.no_grad()
def _found_by_net(case: Case, rare: int) -> float | None:
    rows = case.validation or case.train
    mine = torch.nonzero(rows.goal.flatten() == rare).flatten()[:256]
    if rows.goal.numel() != rows.number or not len(mine):
        return None
    picked = rows.take(mine)
    return float(case.right(case.answer(case.reflect(), picked), picked.goal).float().mean())
