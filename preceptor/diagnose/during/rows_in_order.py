"""Rows are visited in order (35).

    symptom   F = B · mean((batch mean - mean)²) / variance > 4, and W = mean(variance within a batch) /
              variance < 0.5, of the goals of 6 batches and more, B rows each
    harm      the same net, optimiser and rows, shuffled, come lower by 0.05 in a trial
              (`progress.behind`); none is needed where batches are all but pure in class (F > B / 2)

For rows drawn by lot F and W are 1; a sampler that draws rare classes more often raises W. In order, each
batch teaches what the last one did not, and the net swings after them. Source: cleanlab (non-iid); Bengio
(2012).
"""

import torch

from preceptor.diagnose.case import Case
from preceptor.diagnose.progress import behind, plain
from preceptor.finding import Finding

FACTOR, WITHIN, FEWEST, HARM = 4.0, 0.5, 6, 0.05


def rows_in_order(case: Case) -> Finding | None:
    """Batches whose answers are alike among themselves."""
    told, goal = case.record.batches, case.train.goal.double()
    if len(told) < FEWEST or goal.numel() != len(goal) or float(goal.var()) == 0:
        return None
    size = len(told[0].goal)
    whole = [batch.goal.double().flatten() for batch in told if len(batch.goal) == size]
    if size < 2 or len(whole) < FEWEST or whole[0].numel() != size:
        return None
    goals = torch.stack(whole)
    factor = float(size * (goals.mean(1) - goal.mean()).square().mean() / goal.var())
    within = float(goals.var(1).mean() / goal.var())
    if factor <= FACTOR or within >= WITHIN:
        return None
    lost, pure = behind(case, plain(case)), case.classifies and factor > size / 2
    return Finding(
        "rows-in-order",
        "warning" if pure or lost > HARM else "note",
        f"Up to step {told[-1].step} the batches' mean answers vary {factor:.0f} times as much as those of"
        f" rows drawn by lot, and answers within a batch {within:.2f} times. The rows come in order, so that"
        " each batch teaches what the last one did not and the net swings.",
        evidence={"factor": factor, "within": within, "batches": len(told), "rows": size, "lost": lost},
        remedy="DataLoader(..., shuffle=True), or for rows in torch.randperm(len(x)).split(batch).",
    )
