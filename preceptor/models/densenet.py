"""DenseNet: every layer sees what all layers before it found (Huang et al., 2017; textbook A4).

Where a residual net adds, this one lays side by side: within a block each layer reads all maps so far
and appends a few of its own, `growth` of them. Nothing is learnt twice, so the layers can be narrow.

    x ─┬─ f ─┬─ f ─┬─ f ─┬─       f: norm ── relu ── 1x1 ── norm ── relu ── 3x3
       └─────┴─────┴─────┘        between blocks: norm ── relu ── 1x1 to half ── mean of 2 x 2

    depth    layers a block    growth    features    parameters (RGB)
      121     6 12 24 16           32        1024        6,953,856
      169     6 12 32 32           32        1664       12,484,480
      201     6 12 48 32           32        1920       18,092,928
      100    16 16 16              12         342          765,780   for pictures of 32 x 32

    trunk = DenseNet(channels=3, depth=121, small=True)
    trunk(torch.randn(8, 3, 32, 32)).shape               # (8, 1024)

Shapes: B pictures, C channels, H height, W width, D features.
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor, nn

from preceptor.models.convolution import Convolution, Stem, average_pool, global_mean

LAYERS: dict[int, tuple[int, ...]] = {
    121: (6, 12, 24, 16),
    169: (6, 12, 32, 32),
    201: (6, 12, 48, 32),
    100: (16, 16, 16),
}
"""Layers in each block, by the depth that gives the net its name. Three blocks: for 32 x 32 pixels."""


class NormConv(nn.Sequential):
    """Batch normalisation, a rectifier, a convolution: what is appended stays as it was found."""

    def __init__(self, inputs: int, outputs: int, side: int, generator: Generator | None = None):
        look = Convolution(inputs, outputs, side, bias=False, generator=generator)
        super().__init__(nn.BatchNorm2d(inputs), nn.ReLU(), look)

    @staticmethod
    def parameter_count(inputs: int, outputs: int, side: int) -> int:
        """A scale and a shift an input, and the convolution's weights."""
        return 2 * inputs + Convolution.parameter_count(inputs, outputs, side, bias=False)


class DenseLayer(nn.Module):
    """Appends `growth` maps to its input; a 1 x 1 to four times as many keeps the 3 x 3 cheap."""

    def __init__(self, inputs: int, growth: int, generator: Generator | None = None):
        super().__init__()
        self.narrow = NormConv(inputs, 4 * growth, 1, generator)
        self.look = NormConv(4 * growth, growth, 3, generator)

    @staticmethod
    def parameter_count(inputs: int, growth: int) -> int:
        """Of the 1 x 1 and of the 3 x 3."""
        within = 4 * growth
        return NormConv.parameter_count(inputs, within, 1) + NormConv.parameter_count(within, growth, 3)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """(B, C + growth, H, W)"""
        return torch.cat([x_BCHW, self.look(self.narrow(x_BCHW))], dim=1)


class Transition(nn.Sequential):
    """Between two blocks: fewer channels, and half the height and width, rounded up."""

    def __init__(self, inputs: int, outputs: int, generator: Generator | None = None):
        super().__init__(NormConv(inputs, outputs, 1, generator), average_pool())

    @staticmethod
    def parameter_count(inputs: int, outputs: int) -> int:
        """Of the 1 x 1."""
        return NormConv.parameter_count(inputs, outputs, 1)


class DenseNet(nn.Module):
    """The nets of the paper, by `depth`: 121, 169, 201, and 100 for pictures of 32 x 32.

    `growth` is what each layer appends, by itself 32, and 12 for depth 100. `small` is for pictures of
    up to about 64 x 64, as for ResNet; depth 100 is small in any case.
    """

    def __init__(
        self,
        channels: int,
        depth: int = 121,
        *,
        growth: int | None = None,
        small: bool = False,
        generator: Generator | None = None,
    ):
        super().__init__()
        growth, small = _defaults(depth, growth, small)
        self.stem = Stem(channels, 2 * growth, small=small, generator=generator)
        self.pieces = nn.Sequential()
        for piece, inputs, size in _pieces(depth, growth):
            self.pieces.append(piece(inputs, size, generator))
        self.width = _width(depth, growth)
        self.last = nn.Sequential(nn.BatchNorm2d(self.width), nn.ReLU())

    @staticmethod
    def parameter_count(
        channels: int, depth: int = 121, *, growth: int | None = None, small: bool = False
    ) -> int:
        """The stem, every layer and transition, a scale and a shift for each feature."""
        growth, small = _defaults(depth, growth, small)
        count = Stem.parameter_count(channels, 2 * growth, small=small) + 2 * _width(depth, growth)
        return count + sum(
            piece.parameter_count(inputs, size) for piece, inputs, size in _pieces(depth, growth)
        )

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Features, (B, D)."""
        return global_mean(self.last(self.pieces(self.stem(x_BCHW))))


def _defaults(depth: int, growth: int | None, small: bool) -> tuple[int, bool]:
    three = len(LAYERS[depth]) == 3
    return growth or (12 if three else 32), small or three


def _pieces(depth: int, growth: int) -> Iterator[tuple[type[DenseLayer | Transition], int, int]]:
    """Layers and transitions in order, with the channels each reads and those it appends or keeps."""
    inputs = 2 * growth
    for block, layers in enumerate(LAYERS[depth]):
        if block > 0:
            yield Transition, inputs, inputs // 2
            inputs //= 2
        for _ in range(layers):
            yield DenseLayer, inputs, growth
            inputs += growth


def _width(depth: int, growth: int) -> int:
    """The features: what the last layer read and what it appended."""
    *_, (_, inputs, size) = _pieces(depth, growth)
    return inputs + size
