"""Convolution and pooling, the two moves that every net for pictures is made of (textbook B1).

A *convolution* slides a small window over the picture and takes the same weighted sum everywhere: a
feature is looked for at every place with one set of weights. *Pooling* keeps the largest value, or the
mean, of each small window: the map shrinks, and where exactly a feature lay matters less.

    look = Convolution(3, 16, 5)                         # 16 features, each from a 5 x 5 window of RGB
    max_pool()(look(torch.randn(8, 3, 32, 32))).shape    # (8, 16, 16, 16)

Shapes: B pictures, C channels, H height, W width.
"""

import torch
from torch import Generator, Tensor, nn


class Convolution(nn.Conv2d):
    """Windows of `side` x `side` pixels, one every `stride` pixels, weights drawn after He et al. (2015).

    Zeros are laid around the picture so that stride 1 keeps its height and width and a larger one
    divides them, rounding up: no picture is ever too small. With `groups` the channels are dealt into
    groups that do not see each other. A bias is idle where batch normalisation follows.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        side: int = 3,
        *,
        stride: int = 1,
        groups: int = 1,
        bias: bool = True,
        generator: Generator | None = None,
    ):
        super().__init__(inputs, outputs, side, stride, side // 2, groups=groups, bias=bias)
        with torch.no_grad():
            self.weight.normal_(0.0, (2 / self.weight[0].numel()) ** 0.5, generator=generator)
            if self.bias is not None:
                self.bias.zero_()

    @staticmethod
    def parameter_count(
        inputs: int, outputs: int, side: int = 3, *, groups: int = 1, bias: bool = True
    ) -> int:
        """One window of weights for each output, over the inputs of its group, and one bias."""
        return outputs * (inputs // groups * side**2 + bias)


class ConvNorm(nn.Module):
    """A convolution without bias, then batch normalisation (Ioffe and Szegedy, 2015).

    The normalisation gives every channel mean 0 and variance 1 over the batch, then a learned scale
    and shift; once trained it uses the means and variances remembered from training.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        side: int = 3,
        *,
        stride: int = 1,
        groups: int = 1,
        generator: Generator | None = None,
    ):
        super().__init__()
        window = {"stride": stride, "groups": groups}
        self.look = Convolution(inputs, outputs, side, **window, bias=False, generator=generator)
        self.norm = nn.BatchNorm2d(outputs)

    @staticmethod
    def parameter_count(inputs: int, outputs: int, side: int = 3, *, groups: int = 1) -> int:
        """The convolution's weights, a scale and a shift a channel."""
        return Convolution.parameter_count(inputs, outputs, side, groups=groups, bias=False) + 2 * outputs

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """(B, outputs, H / stride, W / stride), rounded up."""
        return self.norm(self.look(x_BCHW))


class Stem(nn.Sequential):
    """The first look of a deep net: a window of 7 x 7 and a pooling leave one pixel in sixteen.

    A `small` picture has no pixels to spare: its window is 3 x 3, and every pixel stays.
    """

    def __init__(self, channels: int, outputs: int, *, small: bool, generator: Generator | None = None):
        side, stride = (3, 1) if small else (7, 2)
        super().__init__(ConvNorm(channels, outputs, side, stride=stride, generator=generator), nn.ReLU())
        if not small:
            self.append(nn.MaxPool2d(3, 2, 1))

    @staticmethod
    def parameter_count(channels: int, outputs: int, *, small: bool) -> int:
        """A window of weights, a scale and a shift for each output."""
        return ConvNorm.parameter_count(channels, outputs, 3 if small else 7)


def max_pool(side: int = 2) -> nn.MaxPool2d:
    """The largest value of each window of `side` x `side`, windows side by side (G7).

    An incomplete window at the edge counts, so a map of one pixel stays one.
    """
    return nn.MaxPool2d(side, ceil_mode=True)


def average_pool(side: int = 2) -> nn.AvgPool2d:
    """The mean of each window of `side` x `side`, windows side by side; at the edge of what there is."""
    return nn.AvgPool2d(side, ceil_mode=True)


def global_mean(map_BCHW: Tensor) -> Tensor:
    """How strongly each feature is present in the whole picture, (B, C) (Lin et al., 2014)."""
    return map_BCHW.mean((2, 3))
