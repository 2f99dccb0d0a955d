"""With shuffled answers, is nothing learnt that carries over? (diagnosis 37, 8)

    z = mean(d) / (sd(d) / √n) <= 4,   d = loss of the mean output - loss of the output, by held-out row

Every distinct row, inputs and answer together, is given the answer of another; then a copy of the net
learns training rows and is asked held-out ones. What it learns is nonsense, so it can beat a
constant only if rows lie on both sides of the split. Rows whose inputs occur on both sides are learnt
first, so that a leak has every chance to show. Source: TheDeepChecker; Zhang et al. (2017),
"Understanding deep learning requires rethinking generalization".
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from preceptor.diagnose.check import Check, Loss, practise, sample
from preceptor.finding import Finding

ROWS, HELD_ROWS, SEARCHED, STEPS, RATE, BEYOND = 64, 64, 20_000, 15, 1e-2, 4.0


def check_shuffled_labels(
    net: nn.Module,
    inputs: Sequence[Tensor],
    goal: Tensor,
    loss: Loss,
    held_inputs: Sequence[Tensor],
    held_goal: Tensor,
) -> Check:
    """Learn shuffled answers of training rows; held-out rows must then be answered no better than chance."""
    held = sample(len(held_goal), HELD_ROWS)
    held_inputs, held_goal = [x[held] for x in held_inputs], held_goal[held]
    searched = sample(len(goal), SEARCHED)
    inputs, goal = [x[searched] for x in inputs], goal[searched]
    learnt = _twins_first(inputs, held_inputs)[:ROWS]
    inputs, goal = [x[learnt] for x in inputs], goal[learnt]
    goal, held_goal = _shuffled(inputs, goal, held_inputs, held_goal)
    pupil, _ = practise(net, inputs, goal, loss, steps=STEPS, rate=RATE)
    gain = _gain_over_chance(pupil, loss, held_inputs, held_goal)
    z = float(gain.mean() / (gain.std(ddof=1) / len(gain) ** 0.5 + 1e-12))
    evidence = {"rows": len(goal), "held_rows": len(held_goal), "gain": float(gain.mean()), "z": z}
    if not z > BEYOND:
        return Check("shuffled-labels", "shuffled answers teach nothing", evidence)
    finding = Finding(
        "shuffled-labels-learnt",
        "warning",
        f"Trained on shuffled answers, the net beats chance on held-out rows by {z:.1f} standard errors.",
        evidence=evidence,
        remedy="Rows lie on both sides of the split: remove duplicates, or name their --group.",
    )
    return Check("shuffled-labels", "shuffled answers carry over", evidence, finding)


def _rows(tensors: Sequence[Tensor]) -> list[bytes]:
    """Each row of some tensors as bytes, equal when all values are."""
    parts = [np.ascontiguousarray(x.reshape(len(x), -1).numpy()) for x in tensors if x[:1].numel()]
    return [
        b"".join(values) for values in zip(*([row.tobytes() for row in part] for part in parts), strict=True)
    ]


def _twins_first(inputs: Sequence[Tensor], held_inputs: Sequence[Tensor]) -> Tensor:
    """Row numbers of `inputs`, those first whose inputs occur among the held-out ones."""
    held = set(_rows(held_inputs))
    return torch.tensor(np.argsort([row not in held for row in _rows(inputs)], kind="stable"))


def _shuffled(
    inputs: Sequence[Tensor], goal: Tensor, held_inputs: Sequence[Tensor], held_goal: Tensor
) -> tuple[Tensor, Tensor]:
    """Both goals after the distinct rows have exchanged theirs; equal rows keep equal goals."""
    rows = _rows([*inputs, goal]) + _rows([*held_inputs, held_goal])
    place = {row: number for number, row in enumerate(dict.fromkeys(rows))}
    both = torch.cat([goal, held_goal])
    first = torch.tensor([rows.index(row) for row in place])
    exchanged = both[first][sample(len(place), len(place))]
    goals = exchanged[torch.tensor([place[row] for row in rows])]
    return goals[: len(goal)], goals[len(goal) :]


@torch.no_grad()
def _gain_over_chance(
    pupil: nn.Module, loss: Loss, held_inputs: Sequence[Tensor], held_goal: Tensor
) -> np.ndarray:
    """By how much each held-out row's loss is lower than that of the mean output over all rows.

    For a convex loss an output that knows nothing of the row does worse than its own mean (Jensen),
    so that chance is never flattered.
    """
    output = pupil(*held_inputs)
    mean = output.mean(dim=0, keepdim=True)
    pairs = [(output[row : row + 1], held_goal[row : row + 1]) for row in range(len(held_goal))]
    return np.array([float(loss(mean, own)) - float(loss(answer, own)) for answer, own in pairs])
