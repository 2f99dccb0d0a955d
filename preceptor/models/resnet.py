"""Residual nets: each block adds a correction to what it was given (He et al., 2016; textbook A4).

Plain nets get worse when they get deeper, on the training rows too: the gradient loses its way. When a
block computes x + f(x) instead of f(x), doing nothing is easy and the gradient has a path around f:

    basic block                          bottleneck: the 3 x 3 sees fewer channels
    x ─┬─ 3x3 ── relu ── 3x3 ── + ─      x ─┬─ 1x1 ── relu ── 3x3 ── relu ── 1x1 ── + ─
       └─────── shortcut ───────┘           └─────────────── shortcut ──────────────┘

    depth    blocks a stage             features     parameters (RGB)
       18    2  2  2  2   basic            512       11,176,512
       34    3  4  6  3   basic            512       21,284,672
       50    3  4  6  3   bottleneck      2048       23,508,032   (G12)
      101    3  4 23  3   bottleneck      2048       42,500,160
      152    3  8 36  3   bottleneck      2048       58,143,808
       20    3  3  3      basic             64          269,072   for pictures of 32 x 32; so are
      110   18 18 18      basic             64        1,727,312   32, 44 and 56

    trunk = ResNet(channels=3, depth=18, small=True)
    trunk(torch.randn(8, 3, 32, 32)).shape               # (8, 512)

Shapes: B pictures, C channels, H height, W width, D features.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from torch import Generator, Tensor, nn
from torch.nn import functional

from preceptor.models.convolution import ConvNorm, Stem, global_mean

BLOCKS: dict[int, tuple[int, ...]] = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    **{6 * n + 2: (n, n, n) for n in (3, 5, 7, 9, 18)},
}
"""Blocks in each stage, by the depth that gives the net its name. Three stages: for 32 x 32 pixels."""
BOTTLENECKS = {50, 101, 152}


class Layer(NamedTuple):
    """A convolution in a block: channels in and out, side and stride of its window, groups."""

    inputs: int
    outputs: int
    side: int
    stride: int = 1
    groups: int = 1

    @property
    def reshapes(self) -> bool:
        """Whether what comes out has another shape than what went in."""
        return self.inputs != self.outputs or self.stride > 1

    def parameter_count(self) -> int:
        """The weights of the convolution, a scale and a shift a channel."""
        return ConvNorm.parameter_count(self.inputs, self.outputs, self.side, groups=self.groups)

    def build(self, generator: Generator | None) -> ConvNorm:
        """The module."""
        inputs, outputs, side, stride, groups = self
        return ConvNorm(inputs, outputs, side, stride=stride, groups=groups, generator=generator)


def basic(inputs: int, inner: int, outputs: int, stride: int) -> list[Layer]:
    """Two windows of 3 x 3; `inner` equals `outputs`."""
    return [Layer(inputs, inner, 3, stride), Layer(inner, outputs, 3)]


def bottleneck(inputs: int, inner: int, outputs: int, stride: int, groups: int = 1) -> list[Layer]:
    """Down to `inner` channels, a window of 3 x 3 on these, up to `outputs`.

    The 3 x 3 carries the stride, not the 1 x 1 before it, which would skip three pixels in four.
    """
    return [
        Layer(inputs, inner, 1),
        Layer(inner, inner, 3, stride, groups),
        Layer(inner, outputs, 1),
    ]


def stages(
    blocks: tuple[int, ...], first: int, inner: int, outputs: int, block: Callable[..., list[Layer]]
) -> Iterator[list[Layer]]:
    """The layers of each block: every stage but the first halves the map and doubles the channels."""
    inputs = first
    for stage, count in enumerate(blocks):
        for place in range(count):
            stride = 2 if stage > 0 and place == 0 else 1
            yield block(inputs, inner << stage, outputs << stage, stride)
            inputs = outputs << stage


class Padding(nn.Module):
    """A shortcut without weights: every `stride`-th pixel, and `new` channels of zeros."""

    def __init__(self, stride: int, new: int):
        super().__init__()
        self.stride, self.new = stride, new

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """(B, C + new, H / stride, W / stride), rounded up."""
        return functional.pad(x_BCHW[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new))


class Residual(nn.Module):
    """relu(f(x) + shortcut(x)), f being `layers` with a rectifier between each two.

    Where f keeps the shape the shortcut is x itself. Elsewhere it is a "projection", a convolution of
    1 x 1, or "padding". With `shortcut="none"` the block is plain: relu(f(x)). `start` is the scale of f
    before training.
    """

    def __init__(self, layers: list[Layer], shortcut: str, start: float, generator: Generator | None):
        super().__init__()
        *before, last = (layer.build(generator) for layer in layers)
        nn.init.constant_(last.norm.weight, start)
        self.path = nn.Sequential(*(step for conv in before for step in (conv, nn.ReLU())), last)
        straight = _straight(layers)
        self.shortcut: nn.Module | None = None
        if shortcut == "padding":
            self.shortcut = Padding(straight.stride, straight.outputs - straight.inputs)
        elif shortcut == "projection":
            self.shortcut = straight.build(generator) if straight.reshapes else nn.Identity()

    @staticmethod
    def parameter_count(layers: list[Layer], shortcut: str) -> int:
        """The layers', and the projection's where there is one."""
        straight = _straight(layers)
        projected = shortcut == "projection" and straight.reshapes
        return sum(layer.parameter_count() for layer in [*layers, *[straight] * projected])

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """(B, outputs, H / stride, W / stride), rounded up."""
        f_BCHW = self.path(x_BCHW)
        return functional.relu(f_BCHW if self.shortcut is None else f_BCHW + self.shortcut(x_BCHW))


def _straight(layers: list[Layer]) -> Layer:
    """The convolution of 1 x 1 that takes a block's input to the shape of its output."""
    return Layer(layers[0].inputs, layers[-1].outputs, 1, max(layer.stride for layer in layers))


class Design(NamedTuple):
    """What a residual net is made of: channels of the picture, layers of each block, stem, shortcut."""

    channels: int
    blocks: list[list[Layer]]
    small: bool
    shortcut: str

    def parameter_count(self) -> int:
        """The stem's and every block's."""
        entry = Stem.parameter_count(self.channels, self.blocks[0][0].inputs, small=self.small)
        return entry + sum(Residual.parameter_count(layers, self.shortcut) for layers in self.blocks)


class ResidualNet(nn.Module):
    """A stem, residual blocks, the mean over the last map: the frame of ResNet and of ResNeXt.

    Corrections start small, by one over the root of their number, lest the signal double at every block
    as long as batch normalisation has seen nothing (De and Smith, 2020).
    """

    def __init__(self, design: Design, generator: Generator | None):
        super().__init__()
        channels, blocks, small, shortcut = design
        self.stem = Stem(channels, blocks[0][0].inputs, small=small, generator=generator)
        start = 1.0 if shortcut == "none" else len(blocks) ** -0.5
        self.blocks = nn.Sequential(*(Residual(layers, shortcut, start, generator) for layers in blocks))
        self.width = blocks[-1][-1].outputs

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Features, (B, D)."""
        return global_mean(self.blocks(self.stem(x_BCHW)))


class ResNet(ResidualNet):
    """The nets of the paper, by `depth`; `skips=False` gives the plain net that they were held against.

    `small` is for pictures of up to about 64 x 64: a stem that keeps every pixel, where the other
    keeps one in sixteen. The nets of three stages are small in any case.
    """

    def __init__(
        self,
        channels: int,
        depth: int = 18,
        *,
        small: bool = False,
        skips: bool = True,
        generator: Generator | None = None,
    ):
        super().__init__(_design(channels, depth, small, skips), generator)

    @staticmethod
    def parameter_count(channels: int, depth: int = 18, *, small: bool = False, skips: bool = True) -> int:
        """Convolutions without biases and a scale and a shift a channel; a projection a new shape."""
        return _design(channels, depth, small, skips).parameter_count()


def _design(channels: int, depth: int, small: bool, skips: bool) -> Design:
    blocks = BLOCKS[depth]
    three = len(blocks) == 3
    first = 16 if three else 64
    if depth in BOTTLENECKS:
        layers = stages(blocks, first, first, 4 * first, bottleneck)
    else:
        layers = stages(blocks, first, first, first, basic)
    shortcut = ("padding" if three else "projection") if skips else "none"
    return Design(channels, list(layers), small or three, shortcut)
