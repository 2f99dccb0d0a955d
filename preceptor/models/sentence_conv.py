"""Convolutions over a sentence: every few words in a row, the strongest find of each filter (Kim, 2014).

    trunk = SentenceConv(features=64)
    trunk(x_BTF, present_BT).shape                       # (B, 300)

Filters of 3, 4 and 5 steps' length look at every place; of each filter only the greatest value counts
("max over time"): what was found matters, not where.

Law: absent steps in front or at the end change no answer: beyond its ends a sequence is zero anyway.

Shapes: B rows, T steps, F features, W filters of one length, E answer's width (W times lengths).
"""

from typing import Any, cast

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from preceptor.models.bag import max_present

LENGTHS = (3, 4, 5)


class SentenceConv(nn.Module):
    """`width` filters of each of the `lengths`, a rectifier, the maximum over time, dropout."""

    def __init__(
        self,
        features: int,
        *,
        width: int = 100,
        lengths: tuple[int, ...] = LENGTHS,
        dropout: float = 0.5,
        generator: Generator | None = None,
    ):
        super().__init__()
        self.width, self.dropout = width * len(lengths), dropout
        self.filters = nn.ModuleList(_filters(features, width, length, generator) for length in lengths)

    @staticmethod
    def parameter_count(
        features: int, *, width: int = 100, lengths: tuple[int, ...] = LENGTHS, **_: Any
    ) -> int:
        """(length · F + 1) · W for each length."""
        return sum((length * features + 1) * width for length in lengths)

    def forward(self, x_BTF: Tensor, present_BT: Tensor) -> Tensor:
        """(B, E); zeros for a row without a present step."""
        x_BFT = (x_BTF * present_BT[..., None]).transpose(1, 2)
        steps = present_BT.shape[1]
        maps = [filters(x_BFT)[..., :steps].transpose(1, 2) for filters in self.filters]
        found = [max_present(map_BTW, present_BT) for map_BTW in maps]
        return functional.dropout(functional.relu(torch.cat(found, dim=1)), self.dropout, self.training)


def _filters(features: int, width: int, length: int, generator: Generator | None) -> nn.Conv1d:
    """Filters for a rectifier (He et al., 2015); as many places out as in, or one more."""
    layer = nn.Conv1d(features, width, length, padding=length // 2)
    with torch.no_grad():
        layer.weight.normal_(0.0, (2 / (features * length)) ** 0.5, generator=generator)
        nn.init.zeros_(cast(Tensor, layer.bias))
    return layer
