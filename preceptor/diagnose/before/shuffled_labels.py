"""With shuffled answers, something is learnt that carries over (8, 37).

    z = mean(d) / (sd(d) / √n) > 4,   d = loss of the mean output - loss of the output, by held-out row

Every distinct row, inputs and answer together, is given the answer of another; then a copy of the net
learns training rows and is asked held-out ones. What it learns is nonsense, so it can beat a
constant only if rows lie on both sides of the split. Rows whose inputs occur on both sides are learnt
first, so that a leak has every chance to show. Source: TheDeepChecker; Zhang et al. (2017),
"Understanding deep learning requires rethinking generalization".
"""

import numpy as np
import torch
from torch import Tensor, nn

from preceptor.diagnose.case import Case, Rows
from preceptor.diagnose.check import practise, sample
from preceptor.diagnose.twins import keys
from preceptor.finding import Finding

ROWS, HELD_ROWS, SEARCHED, STEPS, RATE, BEYOND = 64, 64, 20_000, 15, 1e-2, 4.0


def shuffled_labels(case: Case) -> Finding | None:
    """Learn shuffled answers of training rows; held-out rows must then be answered no better than chance."""
    if case.validation is None:
        return None
    rows, held = _twins_first(_drawn(case.train, SEARCHED), _drawn(case.validation, HELD_ROWS))
    goal, held_goal = _shuffled(rows, held)
    pupil, _ = practise(case.reflect(first=True), rows.inputs, goal, case.loss, steps=STEPS, rate=RATE)
    gain = _gain_over_chance(case, pupil, Rows(held.inputs, held_goal))
    z = float(gain.mean() / (gain.std(ddof=1) / len(gain) ** 0.5 + 1e-12))
    if not z > BEYOND:
        return None
    return Finding(
        "shuffled-labels-learnt",
        "warning",
        f"Trained on shuffled answers, the net beats chance on held-out rows by {z:.1f} standard errors."
        " Nothing of such nonsense carries over unless the same rows stand on both sides.",
        evidence={"rows": len(goal), "held_rows": len(held_goal), "gain": float(gain.mean()), "z": z},
        remedy="Rows lie on both sides of the split: remove duplicates, or name their --group.",
    )


def _drawn(rows: Rows, most: int) -> Rows:
    """At most so many rows, in an order that says nothing."""
    return rows.take(sample(rows.number, most))


def _twins_first(rows: Rows, held: Rows) -> tuple[Rows, Rows]:
    """A few of the rows, those first whose inputs occur among the held-out ones, and the held-out ones."""
    theirs = set(keys(held.inputs))
    order = np.argsort([key not in theirs for key in keys(rows.inputs)], kind="stable")[:ROWS]
    return rows.take(torch.tensor(order)), held


def _shuffled(rows: Rows, held: Rows) -> tuple[Tensor, Tensor]:
    """Both goals after the distinct rows have exchanged theirs; equal rows keep equal goals."""
    known = keys([*rows.inputs, rows.goal]) + keys([*held.inputs, held.goal])
    place = {key: number for number, key in enumerate(dict.fromkeys(known))}
    both = torch.cat([rows.goal, held.goal])
    first = torch.tensor([known.index(key) for key in place])
    exchanged = both[first][sample(len(place), len(place))]
    goals = exchanged[torch.tensor([place[key] for key in known])]
    return goals[: rows.number], goals[rows.number :]


@torch.no_grad()
def _gain_over_chance(case: Case, pupil: nn.Module, held: Rows) -> np.ndarray:
    """By how much each held-out row's loss is lower than that of the mean output over all rows.

    For a convex loss an output that knows nothing of the row does worse than its own mean (Jensen),
    so that chance is never flattered.
    """
    output = case.answer(pupil, held)
    mean = output.mean(dim=0, keepdim=True)
    pairs = [(output[row : row + 1], held.goal[row : row + 1]) for row in range(held.number)]
    return np.array([case.loss_of(mean, own) - case.loss_of(answer, own) for answer, own in pairs])
