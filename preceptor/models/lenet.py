"""LeNet, the first net to read handwriting for a living (LeCun et al., 1998; textbook A3).

Two rounds of convolution and pooling, then dense layers. With its first sizes, on 28 x 28 grey pixels:

    layer           sizes         out            parameters
    convolution     5 x 5         6 x 28 x 28           156
    max pooling     2 x 2         6 x 14 x 14
    convolution     5 x 5        16 x 14 x 14         2,416
    max pooling     2 x 2        16 x  7 x  7
    dense                             120            94,200
    dense                              84            10,164

    trunk = LeNet(channels=1, side=28)
    trunk(torch.randn(8, 1, 28, 28)).shape               # (8, 84)

As it is taught now: rectifiers for the original's tanh, the largest value of a window for its mean,
and zeros around the second map too, so that no picture is too small.

Shapes: B pictures, C channels, H height, W width, D features.
"""

import itertools

from torch import Generator, Tensor, nn
from torch.nn import functional

from preceptor.models.convolution import Convolution, max_pool
from preceptor.models.mlp import dense


class LeNet(nn.Module):
    """Convolution, pooling, convolution, pooling, dense layers; the last of them gives the features.

    `maps` are the channels after each convolution, `widths` the units of each dense layer. Dense layers
    need to know the `side` of the pictures: others are averaged to the last map of such a picture.
    """

    def __init__(
        self,
        channels: int,
        side: int,
        *,
        maps: tuple[int, ...] = (6, 16),
        widths: tuple[int, ...] = (120, 84),
        generator: Generator | None = None,
    ):
        super().__init__()
        self.width = widths[-1]
        self.maps = nn.Sequential()
        for pair in itertools.pairwise((channels, *maps)):
            self.maps.extend([Convolution(*pair, 5, generator=generator), nn.ReLU(), max_pool()])
        self.last_side = _last_side(side, len(maps))
        self.dense = nn.Sequential()
        for pair in itertools.pairwise((maps[-1] * self.last_side**2, *widths)):
            self.dense.extend([dense(*pair, gain=2**0.5, generator=generator), nn.ReLU()])

    @staticmethod
    def parameter_count(
        channels: int, side: int, *, maps: tuple[int, ...] = (6, 16), widths: tuple[int, ...] = (120, 84)
    ) -> int:
        """Windows of 5 x 5 weights and a bias a map; then dense layers from every pixel of the last."""
        looks = sum(Convolution.parameter_count(*pair, 5) for pair in itertools.pairwise((channels, *maps)))
        sizes = (maps[-1] * _last_side(side, len(maps)) ** 2, *widths)
        return looks + sum((inputs + 1) * units for inputs, units in itertools.pairwise(sizes))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Features, (B, D)."""
        map_BCHW = functional.adaptive_avg_pool2d(self.maps(x_BCHW), self.last_side)
        return self.dense(map_BCHW.flatten(1))


def _last_side(side: int, pools: int) -> int:
    """The side of the map after so many halvings, each rounded up."""
    return -(-side // 2**pools)
