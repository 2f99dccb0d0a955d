"""From a series to one vector: values on a common scale, a flag where there is one, then a trunk.

    encoder = StepEncoder(sizes=(96, 7))
    encoder.remember(training_NTD)
    encoder(x_BTD).shape                                 # (B, encoder.width)

NaN is an absent value: a gap, or padding in front of a shorter series. A series' own mean and spread
("instance normalisation", Kim et al., 2022) are taken out of it, so that the trunk sees its form at any
level, and are handed on beside the trunk's answer, since the level often tells most. The default trunk,
convolutions over short, middling and long stretches, costs a fraction of what recurrent ones do (see LOG.md).

Shapes: B rows, N training rows, T steps, D channels, E answer's width.
"""

from typing import Any, ClassVar

import torch
from torch import Generator, Tensor, nn

from preceptor.models.sequences import TRUNKS

MANY_ROWS = 20_000
FARTHEST = 10.0
"""Values so many spreads away from the mean are cut off."""
FLAT = 1e-2
"""A series whose spread is below this share of the training rows' is not magnified any further."""
SUITED: dict[str, dict[str, Any]] = {"conv": {"lengths": (3, 9, 25), "width": 64, "dropout": 0.1}}
"""Choices of a trunk made for words that suit series better, where nobody chooses."""


class StepEncoder(nn.Module):
    """Scaled values and presence flags (2D features a step), the trunk's answer, level and spread (2D)."""

    trunks: ClassVar[tuple[str, ...]] = tuple(TRUNKS)

    constants = ("center", "spread")
    center: Tensor
    spread: Tensor

    def __init__(
        self,
        sizes: tuple[int, int],
        *,
        trunk: str = "conv",
        generator: Generator | None = None,
        **options: Any,
    ):
        super().__init__()
        channels = sizes[1]
        chosen = {**SUITED.get(trunk, {}), **options}
        self.trunk = TRUNKS[trunk](2 * channels, generator=generator, **chosen)
        self.width: int = self.trunk.width + 2 * channels
        self.register_buffer("center", torch.zeros(channels))
        self.register_buffer("spread", torch.ones(channels))

    @staticmethod
    def parameter_count(sizes: tuple[int, int], *, trunk: str = "conv", **options: Any) -> int:
        """The trunk's, for 2D features."""
        return TRUNKS[trunk].parameter_count(2 * sizes[1], **{**SUITED.get(trunk, {}), **options})

    @staticmethod
    def good_options(sizes: tuple[int, int], rows: int, minutes: float) -> dict[str, Any]:
        """The encoder's own options that measured best for so many series and minutes: its defaults."""
        return {"trunk": "conv"}

    @classmethod
    def good_training(cls, rows: int) -> dict[str, Any]:
        """Fields of a TrainingPlan that measured best for so many series."""
        many = rows >= MANY_ROWS
        return {"learning_rate": 5e-3, "batch_size": 256 if many else 64, "epochs": 8 if many else 20}

    @torch.no_grad()
    def remember(self, x_NTD: Tensor) -> None:
        """Learn each channel's mean and spread from the training rows; a constant one keeps spread 1."""
        center_D, spread_D = moments(x_NTD.flatten(0, 1), x_NTD.flatten(0, 1).isfinite())
        self.center.copy_(center_D)
        self.spread.copy_(torch.where(spread_D > 0, spread_D, 1.0))

    def forward(self, x_BTD: Tensor) -> Tensor:
        """(B, E)"""
        there_BTD = x_BTD.isfinite()
        x_BTD = ((x_BTD - self.center) / self.spread).nan_to_num(0.0).clamp(-FARTHEST, FARTHEST)
        level_BD, own_BD = moments(x_BTD, there_BTD)
        x_BTD = (x_BTD - level_BD[:, None]) / own_BD[:, None].clamp(min=FLAT) * there_BTD
        present_BT = there_BTD.any(dim=2).cummax(dim=1).values
        answer = self.trunk(torch.cat([x_BTD, there_BTD.to(x_BTD.dtype)], dim=2), present_BT)
        return torch.cat([answer.float(), level_BD, own_BD], dim=1)


def moments(x: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of the values that are there, over the last axis but one; 0 for none."""
    count = there.sum(dim=-2).clamp(min=1)
    mean = x.where(there, 0.0).sum(dim=-2) / count
    square = (x - mean.unsqueeze(-2)).where(there, 0.0).square().sum(dim=-2)
    return mean, (square / count).sqrt()
