"""The picture trunks by name: what looks at a picture and gives its features, without the last layer.

    trunk = TRUNKS["resnet18"](3, 32, torch.Generator().manual_seed(0))
    trunk(torch.randn(8, 3, 32, 32)).shape               # (8, trunk.width)

Each maker takes (channels, side, generator): `side` is the longer side of the pictures in pixels, by
which stems and patches are chosen; pictures of other sizes pass too. The module takes floats
(B, C, H, W) of mean 0 and variance 1 or so, and gives (B, `width`).
"""

from collections.abc import Callable
from typing import Any

from torch import Generator, nn

from preceptor.models.densenet import LAYERS as DENSENETS
from preceptor.models.densenet import DenseNet
from preceptor.models.lenet import LeNet
from preceptor.models.resnet import BLOCKS as RESNETS
from preceptor.models.resnet import ResNet
from preceptor.models.resnext import ResNeXt
from preceptor.models.small_conv import SMALL_CONVS, SmallConv
from preceptor.models.vgg import LAYERS as VGGS
from preceptor.models.vgg import VGG
from preceptor.models.vit import ViT

SMALL = 64
"""Up to this side a picture has no pixels to spare in the stem."""

Maker = Callable[[int, int, Generator | None], nn.Module]


def _lenet(channels: int, side: int, generator: Generator | None) -> nn.Module:
    return LeNet(channels, side, generator=generator)


def _small_conv(widths: tuple[int, ...]) -> Maker:
    return lambda channels, side, generator: SmallConv(channels, side, widths=widths, generator=generator)


def _vgg(depth: int) -> Maker:
    return lambda channels, side, generator: VGG(channels, depth, generator=generator)


def _stemmed(family: type[ResNet | ResNeXt | DenseNet], depth: int, **choices: Any) -> Maker:
    """A net of `depth` whose stem suits the pictures' side."""
    return lambda channels, side, generator: family(
        channels, depth, small=side <= SMALL, generator=generator, **choices
    )


def _vit(width: int) -> Maker:
    """Twelve layers; heads are 64 wide."""
    return lambda channels, side, generator: ViT(
        channels, side, width=width, heads=width // 64, generator=generator
    )


TRUNKS: dict[str, Maker] = {
    **{name: _small_conv(widths) for name, widths in SMALL_CONVS.items()},
    "lenet": _lenet,
    **{f"vgg{depth}": _vgg(depth) for depth in VGGS},
    **{f"resnet{depth}": _stemmed(ResNet, depth) for depth in RESNETS},
    **{f"plain{depth}": _stemmed(ResNet, depth, skips=False) for depth in RESNETS},
    **{f"resnext{depth}": _stemmed(ResNeXt, depth) for depth in (50, 101)},
    **{f"densenet{depth}": _stemmed(DenseNet, depth) for depth in DENSENETS},
    "vit-tiny": _vit(192),
    "vit-small": _vit(384),
    "vit-base": _vit(768),
}
"""`plain...` are the ResNets without their shortcuts, to see what these are for."""
