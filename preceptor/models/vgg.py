"""VGG: nothing but windows of 3 x 3, one upon the other (Simonyan and Zisserman, 2015; textbook A3).

Two convolutions of 3 x 3 see as far as one of 5 x 5, with fewer weights and one more rectifier between.
Five stages, each ending in a pooling that halves the map while the next doubles the channels:

    layers   64   128   256   512   512     dense in the original
    11        1     1     2     2     2     3
    13        2     2     2     2     2     3
    16        2     2     3     3     3     3
    19        2     2     4     4     4     3

    trunk = VGG(channels=3, depth=16)
    trunk(torch.randn(8, 3, 32, 32)).shape               # (8, 512)

The original's three dense layers, nine tenths of its weights and fixed to one size of picture, give
way to the mean over the last map.

Shapes: B pictures, C channels, H height, W width, D features.
"""

import itertools
from collections.abc import Iterator

from torch import Generator, Tensor, nn

from preceptor.models.convolution import ConvNorm, Convolution, global_mean, max_pool

LAYERS: dict[int, tuple[int, ...]] = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
"""Convolutions in each stage, by the depth that gives the net its name."""


class VGG(nn.Module):
    """Stages of 3 x 3 convolutions and rectifiers, a pooling after each, the mean over the last map.

    `depth` is 11, 13, 16 or 19. `first` are the channels of the first stage (64 in the paper; fewer suit
    small pictures), `batch_norm` stands between each convolution and its rectifier: the deeper ones
    hardly learn without it.
    """

    def __init__(
        self,
        channels: int,
        depth: int = 16,
        *,
        first: int = 64,
        batch_norm: bool = True,
        generator: Generator | None = None,
    ):
        super().__init__()
        convolution = ConvNorm if batch_norm else Convolution
        self.width = 8 * first
        self.maps = nn.Sequential()
        for stage in _stages(channels, depth, first):
            for inputs, outputs in itertools.pairwise(stage):
                self.maps.extend([convolution(inputs, outputs, generator=generator), nn.ReLU()])
            self.maps.append(max_pool())

    @staticmethod
    def parameter_count(channels: int, depth: int = 16, *, first: int = 64, batch_norm: bool = True) -> int:
        """3 x 3 weights from every channel to every channel; a bias each, or a scale and a shift."""
        count = ConvNorm.parameter_count if batch_norm else Convolution.parameter_count
        stages = _stages(channels, depth, first)
        return sum(count(*pair) for stage in stages for pair in itertools.pairwise(stage))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Features, (B, D)."""
        return global_mean(self.maps(x_BCHW))


def _stages(channels: int, depth: int, first: int) -> Iterator[tuple[int, ...]]:
    """The channels before, between and after the convolutions of each stage."""
    for layers, factor in zip(LAYERS[depth], (1, 2, 4, 8, 8), strict=True):
        yield channels, *[factor * first] * layers
        channels = factor * first
