"""Can the net learn a handful of rows by heart? (diagnosis 19)

    L, dropout at work, after at most 200 steps on at most 32 rows <= 20 % of the best constant's

A net that cannot has a fault in its wiring, its loss or its labels, or is far too small: no amount of
data or tuning helps before that is mended. When the loss at least halves, it is only a note: few
inputs may simply not tell the rows apart. Rows with equal inputs count once, since nobody can give two
answers to one question. Source: Karpathy (2019), "overfit one batch"; CS231n.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from preceptor.diagnose.check import Check, Loss, copy_of, practise, sample, undisturbed
from preceptor.diagnose.starting_loss import dumb_loss
from preceptor.finding import Finding

ROWS, STEPS, RATE = 32, 200, 3e-3
LEARNT, HALF = 0.2, 0.5


@dataclass(frozen=True)
class Rehearsal:
    """A copy of the net after a few steps on one small batch, and the way there.

    `untrained` is the net itself; `output` what the copy, `net`, now says to `inputs`; `share` the last
    loss as a share of the best constant's, 0 when the goals are all alike: nothing to tell apart.
    """

    untrained: nn.Module
    net: nn.Module
    inputs: list[Tensor]
    goal: Tensor
    output: Tensor
    losses: list[float]
    share: float


def rehearse(net: nn.Module, inputs: Sequence[Tensor], goal: Tensor, loss: Loss) -> Rehearsal:
    """Let a copy of the net learn at most 32 rows with distinct inputs."""
    rows = _distinct(inputs, sample(len(goal), 8 * ROWS))[:ROWS]
    inputs, goal = [x[rows] for x in inputs], goal[rows]
    with undisturbed(), torch.no_grad():
        shape = copy_of(net)(*inputs).shape[1:]
    dumb = dumb_loss(goal, loss, shape)
    pupil, losses = practise(net, inputs, goal, loss, steps=STEPS, rate=RATE, enough=LEARNT * dumb)
    share = losses[-1] / dumb if bool((goal != goal[:1]).any()) else 0.0
    with undisturbed(), torch.no_grad():
        output = pupil(*inputs)
    return Rehearsal(net, pupil, inputs, goal, output, losses, share)


def _distinct(inputs: Sequence[Tensor], rows: Tensor) -> Tensor:
    """The rows whose inputs differ from those of every earlier one."""
    first: dict[bytes, int] = {}
    for row in rows.tolist():
        first.setdefault(b"".join(x[row].numpy().tobytes() for x in inputs), row)
    return torch.tensor(list(first.values()))


def check_one_batch(rehearsal: Rehearsal) -> Check:
    """Whether the rehearsal brought the loss close to zero."""
    share, rows = rehearsal.share, len(rehearsal.goal)
    evidence = {
        "rows": rows,
        "steps": len(rehearsal.losses) - 1,
        "first": rehearsal.losses[0],
        "last": rehearsal.losses[-1],
        "share": share,
    }
    if share <= LEARNT:
        return Check("one-batch", f"learns {rows} rows by heart", evidence)
    finding = Finding(
        "one-batch",
        "note" if share <= HALF else "warning",
        f"After {evidence['steps']} steps on {rows} rows alone the loss is still {share:.0%} of the dumb"
        " predictor's.",
        evidence={name: value if math.isfinite(value) else str(value) for name, value in evidence.items()},
        remedy="Look at the wiring, the loss, and whether answers belong to rows; then widen the net.",
    )
    return Check("one-batch", f"cannot learn {rows} rows by heart", finding.evidence, finding)
