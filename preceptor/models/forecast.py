"""The net for forecasts: a straight line from the past, and a small net for what lines cannot say.

    net = ForecastNet((168, 7), features=0, cardinalities=(25,), outputs=168, horizon=24)
    net.remember(numbers, codes, steps, goal)            # the line, by least squares, before training
    output = net(numbers, codes, steps)                  # (B, 1, K)

Two ideas, each measured in LOG.md. *Changes, not levels*: whatever is said, is said relative to the last
value ("NLinear", Zeng et al., 2023, "Are transformers effective for time series forecasting?"), so that a
level never seen before shifts the answer and spoils nothing. *A line first*: the best straight line of each
series is found in closed form (ridge regression), and training only teaches a multi-layer perceptron,
shared by all series, what is left; its last layer starts at zero.

Shapes: B rows, N training rows, T steps, D channels of which the first S are asked for, H steps ahead,
K = H x S outputs, step by step; F numbers, C codes, E width of what describes a row, W hidden width.
"""

import itertools
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from preceptor.models.embedding import CodeEmbedding
from preceptor.models.mlp import dense

FARTHEST = 10.0
"""Changes of more than so many spreads are cut off before the perceptron sees them."""
FLAT = 1e-2
"""A window whose spread is below this is not magnified any further."""
PENALTIES, JUDGED = tuple(10.0**power for power in range(-4, 4)), 0.2
"""The ridge penalties that are tried, as shares of the rows, and the share of later rows that judge them."""


class ForecastNet(nn.Module):
    """The last value, a line from the changes before it, and a perceptron on the same changes.

    `shape_sizes` is (T, D); `features` and `cardinalities` describe the plain inputs beside the history;
    `outputs` is K and `horizon` H. The perceptron has `depth` hidden layers of `width`, knows each series by
    a learned vector of length `embedding`, and of the channels that nobody asks for the last value and how
    far it is from their mean. A gap in the history counts as the value before it. `start` (K,) is the mean
    answer, until `remember` has seen the training rows.
    """

    constants = ("units", "answers", "line")
    prepared = True
    units: Tensor
    answers: Tensor
    line: Tensor

    def __init__(
        self,
        shape_sizes: tuple[int, int],
        features: int,
        cardinalities: tuple[int, ...],
        outputs: int,
        *,
        horizon: int,
        width: int = 128,
        depth: int = 2,
        dropout: float = 0.3,
        embedding: int = 16,
        start: Tensor | None = None,
        generator: Generator | None = None,
    ):
        super().__init__()
        steps, series = shape_sizes[0], outputs // horizon
        self.dropout, self.horizon = dropout, horizon
        self.codes = CodeEmbedding(cardinalities, embedding, generator=generator)
        self.series = nn.Parameter(0.3 * torch.randn(series, embedding, generator=generator))
        told = _told(shape_sizes, features, cardinalities, series, embedding)
        self.hidden = _layers((told, *[width] * depth), generator)
        self.head = nn.Parameter(torch.zeros(width if depth else told, horizon))
        self.bias = nn.Parameter(torch.zeros(horizon))
        self.register_buffer("units", torch.stack([torch.zeros(series), torch.ones(series)]))
        mean = torch.zeros(outputs) if start is None else start
        self.register_buffer("answers", torch.stack([mean, torch.ones(outputs)]))
        self.register_buffer("line", torch.zeros(series, max(1, steps - 1), horizon))

    @staticmethod
    def parameter_count(
        shape_sizes: tuple[int, int],
        features: int,
        cardinalities: tuple[int, ...],
        outputs: int,
        *,
        horizon: int,
        width: int = 128,
        depth: int = 2,
        embedding: int = 16,
        **other: Any,
    ) -> int:
        """Embeddings, a vector for each series, the hidden layers, the head. The line is no parameter."""
        series = outputs // horizon
        told = _told(shape_sizes, features, cardinalities, series, embedding)
        sizes = (told, *[width] * depth)
        hidden = sum((before + 1) * after for before, after in itertools.pairwise(sizes))
        count = CodeEmbedding.parameter_count(cardinalities, embedding) + series * embedding
        return count + hidden + (sizes[-1] + 1) * horizon

    @torch.no_grad()
    def remember(self, numbers_NF: Tensor, codes_NC: Tensor, steps_NTD: Tensor, goal: Tensor) -> None:
        """Learn units and the line from the training rows; `goal` (N,) or (N, K) as the loss takes it."""
        goal_NK = goal.reshape(len(goal), -1)
        last_NS = filled(steps_NTD[:, :, : len(self.series)])[:, -1]
        self.units.copy_(torch.stack([last_NS.mean(dim=0), _spread(last_NS)]))
        self.answers.copy_(torch.stack([goal_NK.mean(dim=0), _spread(goal_NK)]))
        changes_NST, last_NS, _ = self._changes(steps_NTD)
        wanted_NHS = ((goal_NK - self.answers[0]) / self.answers[1]).view(len(goal), self.horizon, -1)
        wanted_NHS = wanted_NHS - last_NS[:, None]
        for one in range(len(self.series)):
            self.line[one] = ridge(changes_NST[:, one], wanted_NHS[:, :, one], gap=self.horizon)

    def _changes(self, steps_BTD: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of each series asked for the values before the last, less it (B, S, T - 1), and it (B, S).

        Of each other channel the last value, and that less their mean (B, 2(D - S)).
        """
        values_BTD = filled(steps_BTD)
        others_BTO = values_BTD[:, :, len(self.series) :]
        beside = torch.cat([others_BTO[:, -1], others_BTO[:, -1] - others_BTO.mean(dim=1)], dim=1)
        asked_BTS = (values_BTD[:, :, : len(self.series)] - self.units[0]) / self.units[1]
        last_BS = asked_BTS[:, -1]
        before_BTS = asked_BTS[:, :-1] if asked_BTS.shape[1] > 1 else asked_BTS
        changes_BST = (before_BTS - last_BS[:, None]).transpose(1, 2)
        return changes_BST, last_BS, beside.clamp(-FARTHEST, FARTHEST)

    def forward(self, numbers_BF: Tensor, codes_BC: Tensor, steps_BTD: Tensor) -> Tensor:
        """(B, 1, K): one member, as the ensembles of tables have several."""
        changes_BST, last_BS, beside = self._changes(steps_BTD)
        line_BHS = torch.einsum("bst,sth->bhs", changes_BST, self.line)
        own_BS = changes_BST.square().mean(dim=2).sqrt().clamp(min=FLAT)
        form_BST = (changes_BST / own_BS[:, :, None]).clamp(-FARTHEST, FARTHEST)
        row_BSE = torch.cat([numbers_BF, self.codes(codes_BC), beside], dim=1)[:, None].expand(
            -1, len(self.series), -1
        )
        a_BSW = torch.cat([form_BST, row_BSE, self.series.expand(len(form_BST), -1, -1)], dim=2)
        for layer in self.hidden:
            a_BSW = functional.dropout(functional.relu(layer(a_BSW)), self.dropout, self.training)
        rest_BSH = (a_BSW @ self.head + self.bias) * own_BS[:, :, None]
        said_BHS = last_BS[:, None] + line_BHS + rest_BSH.transpose(1, 2)
        return (said_BHS.flatten(1) * self.answers[1] + self.answers[0])[:, None]


def filled(steps_BTD: Tensor) -> Tensor:
    """Without gaps: the value before, or where there is none the first one after, or 0."""
    there_BTD = steps_BTD.isfinite()
    if bool(there_BTD.all()):
        return steps_BTD
    places = torch.arange(steps_BTD.shape[1], device=steps_BTD.device)[None, :, None].expand_as(steps_BTD)
    before = places.where(there_BTD, -1).cummax(dim=1).values
    first = there_BTD.int().argmax(dim=1, keepdim=True).expand_as(before)
    return steps_BTD.gather(1, before.where(before >= 0, first)).nan_to_num(0.0)


def _spread(x: Tensor) -> Tensor:
    spread = x.std(dim=0, correction=0)
    return torch.where(spread > 0, spread, 1.0)


def ridge(x_NT: Tensor, y_NH: Tensor, gap: int) -> Tensor:
    """(T, H) weights of least squares with a penalty and no intercept (textbook C9), in double precision.

    The later rows choose the penalty; `gap` rows before them are left out, for their answers reach into
    the later ones.
    """
    x_NT, y_NH = x_NT.double(), y_NH.double()
    edge = int((1 - JUDGED) * len(x_NT))
    learnt = max(1, edge - gap)
    first = _solutions(x_NT[:learnt], y_NH[:learnt], PENALTIES)
    errors = [float((x_NT[edge:] @ weights - y_NH[edge:]).square().mean()) for weights in first]
    best = min(range(len(errors)), key=errors.__getitem__)
    return _solutions(x_NT, y_NH, PENALTIES[best : best + 1])[0].float()


def _solutions(x_NT: Tensor, y_NH: Tensor, penalties: tuple[float, ...]) -> list[Tensor]:
    """The weights for each penalty, all from one eigendecomposition."""
    spectrum, axes = torch.linalg.eigh(x_NT.T @ x_NT / len(x_NT))
    turned = axes.T @ (x_NT.T @ y_NH) / len(x_NT)
    return [axes @ (turned / (spectrum.clamp(min=0) + penalty)[:, None]) for penalty in penalties]


def _told(
    shape_sizes: tuple[int, int], features: int, cardinalities: tuple[int, ...], series: int, embedding: int
) -> int:
    """What the perceptron is told: a window's form, the plain inputs, other channels, whose it is."""
    plain = features + CodeEmbedding.width(cardinalities, embedding)
    return max(1, shape_sizes[0] - 1) + plain + 2 * (shape_sizes[1] - series) + embedding


def _layers(sizes: tuple[int, ...], generator: Generator | None) -> nn.ModuleList:
    pairs = itertools.pairwise(sizes)
    return nn.ModuleList(dense(*pair, gain=2**0.5, generator=generator) for pair in pairs)
