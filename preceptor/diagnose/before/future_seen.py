"""An answer sees what it must foretell (21). Certain.

    the goal is the input moved by one place: y[:, t] = x[:, t + 1] (nine tenths of the places)
    exchanging the tokens after place t changes the output at t or before

A decoder that sees the next token copies it, and its loss is wonderful. Source: Karpathy (2019), "use
backprop to chart dependencies".
"""

import torch
from torch import Tensor

from preceptor.diagnose.case import Case, Rows
from preceptor.diagnose.check import undisturbed
from preceptor.finding import Finding

SAME, NOTHING = 0.9, 1e-4


def future_seen(case: Case) -> Finding | None:
    """A net that is to tell the next token, and is shown it."""
    rows = case.probe.take(slice(16))
    x, goal = rows.inputs[0], rows.goal
    if x.ndim < 2 or goal.ndim < 2 or x.shape[:2] != goal.shape[:2] or x.shape[1] < 4:
        return None
    moved = (x[:, 1:] == goal[:, :-1]).float().mean() if x.shape == goal.shape else torch.tensor(0.0)
    if not float(moved) >= SAME or torch.equal(x, goal):
        return None
    half = x.shape[1] // 2
    moved_by = _moved_by(case, rows, half)
    if moved_by is None:
        return None
    change = float(moved_by[:half].max())
    if change <= NOTHING:
        return None
    return Finding(
        "future-seen",
        "warning",
        f"Exchanging what comes after place {half} changes the outputs before it by {change:.2g} of their"
        " size."
        " The net is shown the very token that it must foretell; it learns to copy, and knows nothing without"
        " it.",
        evidence={"change": change, "place": half, "changes": moved_by[:100].tolist()},
        remedy="Mask the future: nn.Transformer.generate_square_subsequent_mask(T), or is_causal=True.",
    )


def _moved_by(case: Case, rows: Rows, half: int) -> Tensor | None:
    """By place (T,): the outputs' change, as a share of their size, when tokens after `half` are others."""
    x, net = rows.inputs[0], case.rehearsal.net.eval()
    other = x.clone()
    other[:, half:] = x[:, half:].roll(1, dims=0).flip(1)
    with undisturbed(), torch.no_grad():
        first, second = net(*rows.inputs), net(other, *rows.inputs[1:])
    if first.shape[:2] != x.shape[:2] and first.ndim == 3:
        first, second = first.mT, second.mT
    if first.shape[:2] != x.shape[:2]:
        return None
    apart: Tensor = (first - second).reshape(*x.shape[:2], -1).abs()
    return apart.amax((0, 2)) / first.abs().max().clamp(min=1e-12)
