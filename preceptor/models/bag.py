"""A bag of steps: what a sequence holds, whatever the order (B1; Joulin et al., 2017; Iyyer et al., 2015).

    trunk = Bag(features=64)
    trunk(x_BTF, present_BT).shape                       # (B, 128)

The mean says what a sequence is about, the maximum whether anything in it stood out. Over embeddings of
words the mean alone is fastText; with dense layers on top it is the deep averaging network.

Laws: the order of the steps makes no difference, nor do absent ones.

Shapes: B rows, T steps, F features, E answer's width.
"""

import itertools
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from preceptor.models.mlp import dense


def mean_present(x_BTF: Tensor, present_BT: Tensor) -> Tensor:
    """The mean over the present steps, (B, F); zeros where there is none."""
    there_BT1 = present_BT[..., None]
    return x_BTF.masked_fill(~there_BT1, 0.0).sum(dim=1) / there_BT1.sum(dim=1).clamp(min=1)


def max_present(x_BTF: Tensor, present_BT: Tensor) -> Tensor:
    """The greatest value of each feature over the present steps, (B, F); zeros where there is none."""
    highest_BF = x_BTF.masked_fill(~present_BT[..., None], -torch.inf).amax(dim=1)
    return highest_BF.masked_fill(~present_BT.any(dim=1)[:, None], 0.0)


class Bag(nn.Module):
    """Mean and maximum of the present steps side by side, then `layers` dense layers of `width`."""

    def __init__(
        self,
        features: int,
        *,
        width: int = 128,
        layers: int = 0,
        dropout: float = 0.1,
        generator: Generator | None = None,
    ):
        super().__init__()
        self.dropout = dropout
        sizes = (2 * features, *[width] * layers)
        self.width = sizes[-1]
        self.layers = nn.ModuleList(
            dense(*pair, gain=2**0.5, generator=generator) for pair in itertools.pairwise(sizes)
        )

    @staticmethod
    def parameter_count(features: int, *, width: int = 128, layers: int = 0, **_: Any) -> int:
        """None for the bag itself, (inputs + 1) · width for each dense layer."""
        sizes = (2 * features, *[width] * layers)
        return sum((before + 1) * after for before, after in itertools.pairwise(sizes))

    def forward(self, x_BTF: Tensor, present_BT: Tensor) -> Tensor:
        """(B, E)"""
        a_BE = torch.cat([mean_present(x_BTF, present_BT), max_present(x_BTF, present_BT)], dim=1)
        for layer in self.layers:
            a_BE = functional.dropout(functional.relu(layer(a_BE)), self.dropout, self.training)
        return a_BE
