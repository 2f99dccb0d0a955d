"""What became of rows like this one: a learned nearest-neighbour look-up inside a net.

Every row is projected to a point; the answers of remembered training rows are averaged, weighted by
how near their points lie. The projection learns by gradient descent which rows count as alike
(neighbourhood components, Goldberger et al., 2004; ModernNCA, Ye et al., 2024; TabR, Gorishniy et
al., 2023). A training row never sees its own answer, nor that of a row with the same inputs.

    look = Neighbours(inputs=32, width=16, memory=1000, outputs=1)
    look.remember(answers, keys)
    context = look(x, look.recalled(x_memory, seen), keys)              # (B, look.width)

Shapes: B rows, S remembered rows looked at, I inputs, D width of a point, K outputs,
V values known of a remembered row.
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from preceptor.models.mlp import dense


class Recalled(NamedTuple):
    """What is known of the S remembered rows looked at, whoever asks.

    `farness_S` is -|s|² of their points (S, D); `known_SV` their answers, those squared, and the points.
    """

    seen_S: Tensor
    farness_S: Tensor
    points_SD: Tensor
    known_SV: Tensor


class Neighbours(nn.Module):
    """What the rows near each row answered, mean and spread, and in which direction they lie.

    `memory` is how many rows are remembered. Weights are a softmax of negative squared distances.
    """

    constants = ("answers", "keys")
    answers: Tensor
    keys: Tensor

    def __init__(
        self, inputs: int, width: int, memory: int, outputs: int, generator: Generator | None = None
    ):
        super().__init__()
        self.point = dense(inputs, width, generator=generator)
        self.parts = (outputs, 2 * outputs)
        self.width = 2 * outputs + width
        self.register_buffer("answers", torch.zeros(memory, outputs))
        self.register_buffer("keys", torch.zeros(memory, dtype=torch.int64))

    @staticmethod
    def parameter_count(inputs: int, width: int) -> int:
        """One dense layer."""
        return (inputs + 1) * width

    def remember(self, goal: Tensor, keys_N: Tensor) -> None:
        """Keep the answers: (N,) numbers, (N,) classes or (N, K) tags, and the rows' keys."""
        if not goal.is_floating_point() and goal.ndim == 1:
            goal = functional.one_hot(goal, self.answers.shape[1])
        self.answers.copy_(goal.reshape(self.answers.shape))
        self.keys.copy_(keys_N)

    def recalled(self, x_SI: Tensor, seen_S: Tensor) -> Recalled:
        """The remembered rows `seen_S`, `x_SI` their embedded inputs, ready to be compared with."""
        points_SD, answers_SK = self.point(x_SI), self.answers[seen_S]
        known_SV = torch.cat([answers_SK, answers_SK.square(), points_SD], dim=1)
        return Recalled(seen_S, -points_SD.square().sum(1), points_SD, known_SV)

    def forward(self, x_BI: Tensor, recalled: Recalled, keys_B: Tensor) -> Tensor:
        """(B, 2K + D): weighted mean and standard deviation of the answers of the rows recalled,
        and how far the row lies from the weighted mean of their points.

        While training, rows with equal keys do not see each other.
        """
        points_BD = self.point(x_BI)
        # -|b - s|² without |b|², which the softmax cancels
        nearness_BS = torch.addmm(recalled.farness_S, points_BD, recalled.points_SD.T, alpha=2)
        if self.training:
            with torch.no_grad():  # a weight of zero has no gradient to lose, and a copy is spared
                nearness_BS.masked_fill_(keys_B[:, None] == self.keys[recalled.seen_S], -1e9)
        found_BV = nearness_BS.softmax(dim=1) @ recalled.known_SV
        mean_BK, square_BK, point_BD = found_BV.tensor_split(self.parts, dim=1)
        spread_BK = (square_BK - mean_BK.square()).clamp_min(1e-4).sqrt()
        return torch.cat([mean_BK, spread_BK, points_BD - point_BD], dim=1)
