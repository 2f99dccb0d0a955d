"""Numbers and codes become vectors: what lets a net for tables draw sharp lines.

A plain net is smooth in its inputs and misses the steps that trees find at once. Two cures add up.
*Waves* (Gorishniy et al., 2022, "On embeddings for numerical features"; with a bias and the number
itself kept as in RealMLP, Holzmüller et al., 2024) bend a number into learned waves. *Levels* give
the values of a mostly empty feature learned vectors, as if they were categories: so a net can know
that a capital gain of exactly 7,298 means something.

    embed = NumberEmbedding(features=8, width=16)
    embed.remember(numbers)                              # training rows, once
    embed(torch.randn(32, 8)).shape                      # (32, 8 * 16)

Shapes: B rows, N training rows, F numeric features, C coded features, W waves a feature, L levels a
feature, D width of an embedding.
"""

import math

import torch
from torch import Generator, Tensor, nn

WAVES = 16
LEVELS = 128
FREQUENCY = 0.3
"""Spread of the first frequencies: larger finds finer detail, smaller stays smoother."""
CROWD = 0.5
"""From this share of the rows in one value on, a feature's other values are levels."""
ROWS_FOR_LEVELS = 100_000


class NumberEmbedding(nn.Module):
    """Each number x becomes (x, A·cos(2π(f·x + φ)) + c) + level[x], everything learned, per feature."""

    constants = ("edges",)
    edges: Tensor

    def __init__(self, features: int, width: int, *, generator: Generator | None = None):
        super().__init__()
        self.frequency = nn.Parameter(torch.empty(features, WAVES).normal_(0, FREQUENCY, generator=generator))
        self.phase = nn.Parameter(torch.empty(features, WAVES).uniform_(-0.5, 0.5, generator=generator))
        weight = torch.empty(features, WAVES, width - 1).normal_(0, WAVES**-0.5, generator=generator)
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(features, width - 1))
        self.level = nn.Parameter(torch.zeros(features, LEVELS, width))
        self.register_buffer("edges", torch.full((features, LEVELS - 1), math.inf))

    @staticmethod
    def parameter_count(features: int, width: int) -> int:
        """Frequencies and phases; a linear layer from the waves to width - 1; a vector a level."""
        return features * (2 * WAVES + (WAVES + 1) * (width - 1) + LEVELS * width)

    def remember(self, numbers_NF: Tensor) -> None:
        """Set the edges between the levels from training rows; they stay as they are from then on."""
        some_NF = numbers_NF[:: math.ceil(len(numbers_NF) / ROWS_FOR_LEVELS)]
        for feature, column_N in enumerate(some_NF.unbind(dim=1)):
            edges = level_edges(column_N)
            self.edges[feature] = math.inf
            self.edges[feature, : len(edges)] = edges

    def forward(self, x_BF: Tensor) -> Tensor:
        """(B, F * D)"""
        waves_BFW = torch.cos(2 * math.pi * (x_BF[..., None] * self.frequency + self.phase))
        mixed_BFD = torch.einsum("bfw,fwd->bfd", waves_BFW, self.weight) + self.bias
        level_FB = torch.searchsorted(self.edges, x_BF.T.contiguous())
        feature_F1 = torch.arange(len(self.edges), device=x_BF.device)[:, None]
        stepped_BFD = self.level[feature_F1, level_FB].transpose(0, 1)
        return (torch.cat([x_BF[..., None], mixed_BFD], dim=-1) + stepped_BFD).flatten(1)


def level_edges(column_N: Tensor) -> Tensor:
    """Up to LEVELS - 1 rising edges, halfway between neighbouring levels of one feature.

    Only where one value crowds out the others (no gain at all, say, and now and then some): there the
    distinct values are the levels, or so many quantiles of them. Elsewhere a level of its own for each
    value is learnt by heart, and there are no edges.
    """
    levels, counts = torch.unique(column_N.double(), return_counts=True)
    if counts.max() < CROWD * len(column_N):
        return torch.empty(0)
    if len(levels) > LEVELS:
        levels = levels.quantile(torch.linspace(0, 1, LEVELS, dtype=torch.float64))
    return ((levels[1:] + levels[:-1]) / 2).float()


class CodeEmbedding(nn.Module):
    """Each code of a category becomes a learned vector, as wide as there are codes, up to `widest`."""

    def __init__(self, cardinalities: tuple[int, ...], widest: int, *, generator: Generator | None = None):
        super().__init__()
        self.tables = nn.ParameterList(
            torch.empty(codes, min(codes, widest)).normal_(generator=generator) for codes in cardinalities
        )

    @staticmethod
    def width(cardinalities: tuple[int, ...], widest: int) -> int:
        """How many numbers a row has after embedding."""
        return sum(min(codes, widest) for codes in cardinalities)

    @staticmethod
    def parameter_count(cardinalities: tuple[int, ...], widest: int) -> int:
        """A vector a code."""
        return sum(codes * min(codes, widest) for codes in cardinalities)

    def forward(self, codes_BC: Tensor) -> Tensor:
        """(B, sum of widths); code 0, unseen or missing, has a vector like any other."""
        looked_up = [table[codes_BC[:, column]] for column, table in enumerate(self.tables)]
        return torch.cat(looked_up, dim=1) if looked_up else codes_BC.new_zeros(len(codes_BC), 0).float()
