"""A rehearsal: a copy of the net learns a handful of rows by heart, and what is wrong with its wiring shows.

    rehearsal = rehearse(net, inputs, goal, loss)
    rehearsal.share                                # the last loss: 1 is the best constant's, 0 is perfect

Rows with equal inputs count once, since nobody can give two answers to one question.
Source: Karpathy (2019), "overfit one batch"; CS231n.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from preceptor.diagnose.check import Loss, copy_of, practise, sample, undisturbed
from preceptor.diagnose.extremes import extremes

ROWS, STEPS, RATE, LEARNT = 32, 200, 3e-3, 0.2


@dataclass(frozen=True)
class Rehearsal:
    """A copy of the net after at most 200 steps on at most 32 rows, and the way there.

    `output` is what the copy, `net`, now says to `inputs`; `share` the last loss, 0 when the goals are all
    alike: nothing to tell apart.
    """

    net: nn.Module
    inputs: list[Tensor]
    goal: Tensor
    output: Tensor
    losses: list[float]
    share: float

    def answer(self, inputs: Sequence[Tensor]) -> Tensor:
        """What the copy says to other inputs; a net that draws lots draws the same as for its own."""
        with undisturbed(), torch.no_grad():
            output: Tensor = self.net(*inputs)
        return output


def rehearse(net: nn.Module, inputs: Sequence[Tensor], goal: Tensor, loss: Loss) -> Rehearsal:
    """Let a copy of the net learn a few rows with distinct inputs, until a fifth of the loss is left."""
    rows = _distinct(inputs, sample(len(goal), 8 * ROWS))[:ROWS]
    inputs, goal = [x[rows] for x in inputs], goal[rows]
    with undisturbed(), torch.no_grad():
        untrained = copy_of(net)(*inputs)
    scale = extremes(goal, loss, untrained)
    enough = scale.best + LEARNT * (scale.constant - scale.best)
    pupil, losses = practise(net, inputs, goal, loss, steps=STEPS, rate=RATE, enough=enough)
    share = scale.share(losses[-1]) if bool((goal != goal[:1]).any()) else 0.0
    with undisturbed(), torch.no_grad():
        output = pupil(*inputs)
    return Rehearsal(pupil, inputs, goal, output, losses, share)


def _distinct(inputs: Sequence[Tensor], rows: Tensor) -> Tensor:
    """The rows whose inputs differ from those of every earlier one."""
    first: dict[bytes, int] = {}
    for row in rows.tolist():
        first.setdefault(b"".join(x[row].cpu().numpy().tobytes() for x in inputs), row)
    return torch.tensor(list(first.values()))
