"""From a picture to one vector: pixels on a common scale, then a trunk.

    encoder = PictureEncoder((3, 32, 32), trunk="small-conv", mirrored=True)
    encoder.remember(training_NCHW)
    encoder(x_BCHW).shape                                # (B, encoder.width)

Pixels come as uint8. Which nets there are to look at them is said in trunks.py.

Shapes: B pictures, N training pictures, C channels, H height, W width, E answer's width.
"""

from typing import Any, ClassVar

import torch
from torch import Generator, Tensor, nn

from preceptor.models.pretrained import PretrainedPicture
from preceptor.models.small_conv import SMALL_CONVS, SmallConv
from preceptor.models.trunks import TRUNKS

BATCHES = ((40_000, 512), (10_000, 256), (2_000, 128), (500, 64), (0, 32))
"""The size of a mini-batch, from so many rows on."""
MULTIPLICATIONS_A_MINUTE = 1.5e12
"""So many of a forward pass, with its backward pass, fit into a minute of a whole run on two cores."""
ENOUGH_EPOCHS = 8
"""A wider net is worth having while it still has time for so many passes over the rows."""
ROWS_SHOWN = 5_000
"""So many pictures show a trunk what pictures look like."""


class PixelScale(nn.Module):
    """Pixels minus their channel's mean over the training pictures, divided by its standard deviation."""

    constants = ("center", "spread")
    center: Tensor
    spread: Tensor

    def __init__(self, channels: int):
        super().__init__()
        self.register_buffer("center", torch.full((channels, 1, 1), 127.5))
        self.register_buffer("spread", torch.full((channels, 1, 1), 64.0))

    @torch.no_grad()
    def remember(self, x_NCHW: Tensor) -> None:
        """Learn from the training pictures; a channel that is the same everywhere has spread 1."""
        levels = torch.arange(256, dtype=torch.float64)
        for channel, pixels in enumerate(x_NCHW.unbind(1)):
            share = torch.bincount(pixels.flatten(), minlength=256).double() / pixels.numel()
            center = (share * levels).sum()
            spread = (share * (levels - center).square()).sum().sqrt()
            self.center[channel], self.spread[channel] = center, spread if spread > 0 else 1.0

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Floats of mean 0 and variance 1 or so, channels last in memory, which convolutions like best."""
        x_BCHW = (x_BCHW - self.center) / self.spread
        return x_BCHW.contiguous(memory_format=torch.channels_last)


class PictureEncoder(nn.Module):
    """Standardised pixels and a trunk for pictures of `sizes` (C, H, W).

    `mirrored`: left and right mean nothing, so that the answer to a picture, once trained, is the mean
    of the answers to it and to its mirror image. `generator` draws the first weights. The trunk
    "pretrained" is made by its `configuration`.
    """

    trunks: ClassVar[tuple[str, ...]] = tuple(TRUNKS)

    def __init__(
        self,
        sizes: tuple[int, int, int],
        *,
        trunk: str = "small-conv",
        mirrored: bool = False,
        configuration: dict[str, Any] | None = None,
        generator: Generator | None = None,
    ):
        super().__init__()
        self.mirrored = mirrored
        self.scale = PixelScale(sizes[0])
        self.trunk = _trunk(sizes, trunk, configuration, generator)
        self.width = int(self.trunk.width)

    @staticmethod
    def parameter_count(
        sizes: tuple[int, int, int],
        *,
        trunk: str = "small-conv",
        mirrored: bool = False,
        configuration: dict[str, Any] | None = None,
    ) -> int:
        """The trunk's: pixels have a scale, but nothing of it is learned by descent."""
        with torch.device("meta"):
            made = _trunk(sizes, trunk, configuration, None)
        return sum(parameter.numel() for parameter in made.parameters())

    @staticmethod
    def good_options(sizes: tuple[int, int, int], rows: int, minutes: float) -> dict[str, Any]:
        """The widest small net that has time for enough passes over so many pictures (see LOG.md)."""
        affordable = minutes * MULTIPLICATIONS_A_MINUTE / (ENOUGH_EPOCHS * max(rows, 1))
        cost = {
            name: SmallConv.multiplications(sizes[0], max(sizes[1:]), widths=widths)
            for name, widths in SMALL_CONVS.items()
        }
        fitting = [name for name in cost if cost[name] <= affordable]
        return {"trunk": fitting[-1] if fitting else next(iter(cost))}

    @classmethod
    def good_training(cls, rows: int) -> dict[str, Any]:
        """Fields of a TrainingPlan that suit so many pictures (see LOG.md for what was measured)."""
        return {
            "optimiser": "muon",
            "learning_rate": 0.06,
            "warmup": 0.2,
            "weight_decay": 0.0,
            "label_smoothing": 0.05,
            "batch_size": next(size for least, size in BATCHES if rows >= least),
            "epochs": 20 if rows >= 20_000 else 40,
            "clip": None,
        }

    @torch.no_grad()
    def remember(self, x_NCHW: Tensor) -> None:
        """Learn each channel's mean and spread from the training pictures, and what the trunk wants."""
        self.scale.remember(x_NCHW)
        if hasattr(self.trunk, "remember"):
            self.trunk.remember(self.scale(x_NCHW[:ROWS_SHOWN].float()))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """(B, E)"""
        x_BCHW = self.scale(x_BCHW.float())
        if self.training or not self.mirrored:
            return self.trunk(x_BCHW).float()
        mirrored_BE = self.trunk(x_BCHW.flip(3))
        return (self.trunk(x_BCHW) + mirrored_BE).float() / 2


def _trunk(
    sizes: tuple[int, int, int],
    name: str,
    configuration: dict[str, Any] | None,
    generator: Generator | None,
) -> Any:
    if configuration is not None:
        return PretrainedPicture(configuration, sizes[0], frozen=False)
    return TRUNKS[name](sizes[0], max(sizes[1:]), generator)
