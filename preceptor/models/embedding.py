"""Numbers and codes become vectors: what lets a net for tables draw sharp lines.

A plain net is smooth in its inputs and misses the steps that trees find at once. Giving each number
its own small vector of waves mends that (Gorishniy et al., 2022, "On embeddings for numerical
features"; the form with a bias and the number itself kept is RealMLP's, Holzmüller et al., 2024).

    embed = Waves(features=8, width=16)
    embed(torch.randn(32, 8)).shape                      # (32, 8 * 16)

Shapes: B rows, F numeric features, C coded features, W waves a feature, D width of an embedding.
"""

import math

import torch
from torch import Generator, Tensor, nn

WAVES = 16


class Waves(nn.Module):
    """Each number x becomes (x, A·cos(2π(f·x + φ)) + c) with learned f, φ, A, c of its own.

    `scale` is the spread of the first frequencies: large finds fine detail, small stays smooth.
    """

    def __init__(self, features: int, width: int, *, scale: float = 0.3, generator: Generator | None = None):
        super().__init__()
        self.frequency = nn.Parameter(torch.empty(features, WAVES).normal_(0, scale, generator=generator))
        self.phase = nn.Parameter(torch.empty(features, WAVES).uniform_(-0.5, 0.5, generator=generator))
        weight = torch.empty(features, WAVES, width - 1).normal_(0, WAVES**-0.5, generator=generator)
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(features, width - 1))

    @staticmethod
    def parameter_count(features: int, width: int) -> int:
        """A frequency and a phase a wave; a linear layer from the waves to width - 1, for each feature."""
        return features * (2 * WAVES + (WAVES + 1) * (width - 1))

    def forward(self, x_BF: Tensor) -> Tensor:
        """(B, F * D)"""
        waves_BFW = torch.cos(2 * math.pi * (x_BF[..., None] * self.frequency + self.phase))
        mixed_BFD = torch.einsum("bfw,fwd->bfd", waves_BFW, self.weight) + self.bias
        return torch.cat([x_BF[..., None], mixed_BFD], dim=-1).flatten(1)


class Codes(nn.Module):
    """Each code of a category becomes a learned vector, as wide as the number of codes deserves."""

    def __init__(self, cardinalities: tuple[int, ...], widest: int, *, generator: Generator | None = None):
        super().__init__()
        self.tables = nn.ParameterList(
            torch.empty(codes, self.width(codes, widest)).normal_(0, 1, generator=generator)
            for codes in cardinalities
        )

    @staticmethod
    def width(codes: int, widest: int) -> int:
        """Width of one embedding: as many as codes while they are few, then the cap."""
        return min(codes, widest)

    @staticmethod
    def parameter_count(cardinalities: tuple[int, ...], widest: int) -> int:
        """A vector a code."""
        return sum(codes * Codes.width(codes, widest) for codes in cardinalities)

    def forward(self, codes_BC: Tensor) -> Tensor:
        """(B, sum of widths); code 0, unseen or missing, has a vector like any other."""
        looked_up = [table[codes_BC[:, column]] for column, table in enumerate(self.tables)]
        return torch.cat(looked_up, dim=1) if looked_up else codes_BC.new_zeros(len(codes_BC), 0).float()
