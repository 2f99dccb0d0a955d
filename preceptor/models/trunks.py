"""The picture trunks by name: what looks at a picture and gives its features, without the last layer.

    trunk = TRUNKS["lenet"](1, 28, torch.Generator().manual_seed(0))
    trunk(torch.randn(8, 1, 28, 28)).shape               # (8, trunk.width)

Each maker takes (channels, side, generator): `side` is the longer side of the pictures in pixels, by
which stems and patches are chosen; pictures of other sizes pass too. The module takes floats
(B, C, H, W) of mean 0 and variance 1 or so, and gives (B, `width`).
"""

from collections.abc import Callable

from torch import Generator, nn

from preceptor.models.lenet import LeNet

Maker = Callable[[int, int, Generator | None], nn.Module]

TRUNKS: dict[str, Maker] = {
    "lenet": lambda channels, side, generator: LeNet(channels, side, generator=generator),
}
