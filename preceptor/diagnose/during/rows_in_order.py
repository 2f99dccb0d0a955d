"""Rows are visited in order (35).

    symptom   F = B · mean((batch mean - mean)²) / variance > 4 of the goals of 6 batches and more, B rows
              each
    harm      batches are all but pure (F > B / 2); or the same net, optimiser and rows, shuffled, come lower
              in half of the steps

Each batch then teaches what the last one did not, and the net swings after them. For rows drawn by lot F is
1. Source: cleanlab (non-iid); Bengio (2012).
"""

import torch

from preceptor.diagnose.case import Case
from preceptor.diagnose.progress import behind, plain
from preceptor.finding import Finding

FACTOR, FEWEST, HARM = 4.0, 6, 0.05


def rows_in_order(case: Case) -> Finding | None:
    """Batches whose answers are alike among themselves."""
    told, goal = case.record.batches, case.train.goal.double()
    if len(told) < FEWEST or goal.numel() != len(goal) or float(goal.var()) == 0:
        return None
    size = len(told[0].goal)
    means = torch.stack([batch.goal.double().mean() for batch in told if len(batch.goal) == size])
    if size < 2 or len(means) < FEWEST:
        return None
    factor = float(size * (means - goal.mean()).square().mean() / goal.var())
    if factor <= FACTOR:
        return None
    harmed = factor > size / 2 or behind(case, plain(case)) > HARM
    return Finding(
        "rows-in-order",
        "warning" if harmed else "note",
        f"Up to step {told[-1].step} the batches' mean answers vary {factor:.0f} times as much as those of"
        " rows drawn by"
        " lot. The rows come in order, so that each batch teaches what the last one did not and the net"
        " swings.",
        evidence={"factor": factor, "batches": len(told), "rows": size},
        remedy="DataLoader(..., shuffle=True), or for rows in torch.randperm(len(x)).split(batch).",
    )
