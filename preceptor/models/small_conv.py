"""A small convolutional net that learns fast: the default for pictures (LOG.md).

It follows the nets of the CIFAR-10 speed runs (Page's DAWNBench entry, 2018; Jordan, "94% on CIFAR-10 in
3.29 seconds on a single GPU", 2024). A fixed first layer takes small patches apart into uncorrelated
parts of equal strength (*whitening*), so that learning need not begin with that; then blocks of two
convolutions, each normalised, with pooling after the first, so that little is computed at full size:

    patches 2 x 2 -> whitened, both signs                  24 x 31 x 31     of a picture of 3 x 32 x 32
    [3x3 - pool - norm - gelu - 3x3 - norm - gelu]         32 x 15 x 15
    [the same]                                             96 x  7 x  7
    [the same]                                            128 x  3 x  3
    largest value of each map                             128

    trunk = SmallConv(channels=3, side=32)
    trunk.remember(x_NCHW)                               # training pictures, once, before training
    trunk(torch.randn(8, 3, 32, 32)).shape               # (8, 128)

A larger picture has larger patches, side by side, so that the blocks see about 32 x 32 of them.

Shapes: B pictures, N training pictures, C channels, H height, W width, S patches of P numbers each, T of
them in a picture, D features.
"""

import itertools

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from preceptor.models.convolution import Convolution

SMALL_CONVS: dict[str, tuple[int, ...]] = {
    "small-conv-16": (16, 48, 64),
    "small-conv-24": (24, 72, 96),
    "small-conv": (32, 96, 128),
    "small-conv-48": (48, 144, 192),
    "small-conv-64": (64, 192, 256),
}
"""The widths of the blocks by name, cheapest first; each is about twice as much work as the one before."""
WIDTHS = SMALL_CONVS["small-conv"]
GRID = 32
"""About so many patches side by side."""
MOST_PARTS = 16
"""Patches are described by so many uncorrelated parts, the strongest ones."""
FAINT = 5e-4
"""Variance that is added to each part, so that the faintest are not blown up."""
ROWS_FOR_WHITENING = 2_000


class SmallConv(nn.Module):
    """Whitened patches, a block for each of `widths`, and the largest value of each last map.

    `side` is the longer side of the pictures; those of any other size pass too.
    """

    def __init__(
        self,
        channels: int,
        side: int,
        *,
        widths: tuple[int, ...] = WIDTHS,
        generator: Generator | None = None,
    ):
        super().__init__()
        self.width = widths[-1]
        parts = _parts(channels, side)
        self.patches = Whitening(channels, parts, _stride(side))
        pairs = itertools.pairwise((2 * parts, *widths))
        self.blocks = nn.Sequential(*(Block(*pair, generator=generator) for pair in pairs))

    @staticmethod
    def parameter_count(channels: int, side: int, *, widths: tuple[int, ...] = WIDTHS) -> int:
        """A bias a filter, and the blocks: 9·(F + D)·D weights and 4·D for the norms of each."""
        filters = 2 * _parts(channels, side)
        pairs = itertools.pairwise((filters, *widths))
        return filters + sum(9 * (inputs + width) * width + 4 * width for inputs, width in pairs)

    @staticmethod
    def multiplications(channels: int, side: int, *, widths: tuple[int, ...] = WIDTHS) -> int:
        """How many a square picture takes: each weight is used at every place of its map."""
        stride = _stride(side)
        map_side = max(1, (side - stride - 1) // stride + 1)
        pairs = [2 * _parts(channels, side), *widths]
        count = channels * (stride + 1) ** 2 * pairs[0] * map_side**2
        for inputs, width in itertools.pairwise(pairs):
            count += 9 * inputs * width * map_side**2
            map_side = max(1, map_side // 2)
            count += 9 * width * width * map_side**2
        return count

    def remember(self, x_NCHW: Tensor) -> None:
        """Learn from training pictures how to whiten patches; it stays as it is from then on."""
        self.patches.remember(x_NCHW)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Features, (B, D)."""
        return self.blocks(functional.gelu(self.patches(x_BCHW))).amax((2, 3))


class Whitening(nn.Conv2d):
    """Patches taken apart into uncorrelated `parts` of equal strength, and each part's negative.

    Patches overlap by a pixel. The weights are worked out once, from training pictures, and no step of
    training moves them; the biases it does move.
    """

    constants = ("weight",)

    def __init__(self, channels: int, parts: int, stride: int):
        super().__init__(channels, 2 * parts, stride + 1, stride)
        weight = torch.zeros_like(self.weight)
        nn.init.dirac_(weight)
        del self.weight
        self.register_buffer("weight", weight)
        self.bias = nn.Parameter(torch.zeros(2 * parts))

    @torch.no_grad()
    def remember(self, x_NCHW: Tensor) -> None:
        """Filters are the eigenvectors of the patches' second moments, the strongest first.

        Each is divided by the root of its eigenvalue (principal components; Hyvärinen & Oja, 2000).
        """
        x_NCHW = self._padded(x_NCHW[:: max(1, len(x_NCHW) // ROWS_FOR_WHITENING)].float())
        patches_NPT = functional.unfold(x_NCHW, self.kernel_size, stride=self.stride)
        patches_SP = patches_NPT.transpose(1, 2).flatten(0, 1).double()
        values_P, vectors_PP = torch.linalg.eigh(patches_SP.T @ patches_SP / len(patches_SP))
        filters_PP = (vectors_PP / (values_P.clamp_min(0) + FAINT).sqrt()).T.flip(0)
        parts = self.out_channels // 2
        filters = filters_PP[:parts].reshape(parts, *self.weight.shape[1:])
        self.weight.copy_(torch.cat([filters, -filters]))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """(B, 2 * parts, h, w): a place for each patch."""
        return super().forward(self._padded(x_BCHW))

    def _padded(self, x_BCHW: Tensor) -> Tensor:
        """A picture smaller than a patch, its last row and column repeated until it is as large."""
        lacks = [max(0, own - side) for own, side in zip(self.kernel_size, x_BCHW.shape[2:], strict=True)]
        return functional.pad(x_BCHW, (0, lacks[1], 0, lacks[0]), mode="replicate") if any(lacks) else x_BCHW


class Block(nn.Module):
    """Two convolutions of 3 x 3, the map halved after the first; pooled before what is not linear."""

    def __init__(self, inputs: int, width: int, *, generator: Generator | None = None):
        super().__init__()
        self.first = _straight(inputs, width, generator)
        self.first_norm = nn.BatchNorm2d(width)
        self.second = _straight(width, width, generator)
        self.second_norm = nn.BatchNorm2d(width)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """(B, width, H / 2, W / 2), rounded down, but never to nothing."""
        halves = [min(2, side) for side in x_BCHW.shape[2:]]
        map_BCHW = functional.max_pool2d(self.first(x_BCHW), halves)
        map_BCHW = functional.gelu(self.first_norm(map_BCHW))
        return functional.gelu(self.second_norm(self.second(map_BCHW)))


def _straight(inputs: int, outputs: int, generator: Generator | None) -> Convolution:
    """A convolution whose first outputs are its inputs, unchanged: the signal passes from the start."""
    layer = Convolution(inputs, outputs, bias=False, generator=generator)
    nn.init.dirac_(layer.weight.data[: min(inputs, outputs)])
    return layer


def _stride(side: int) -> int:
    return max(1, round(side / GRID))


def _parts(channels: int, side: int) -> int:
    """As many as a patch has pixels and channels, up to a limit."""
    return min(MOST_PARTS, channels * (_stride(side) + 1) ** 2)
