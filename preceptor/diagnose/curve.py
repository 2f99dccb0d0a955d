"""One fold's way through training, in the units that every symptom is judged by.

Losses are told as shares of the dumb predictor's: 1 is "as good as always the same answer", 0 is
perfect. So no threshold depends on the data's units, and none on another person's idea of a good loss.

Shapes: E epochs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

PerFold = float | Mapping[int, float]
"""One number for all folds, or one for each."""

BARELY, POOR = 0.02, 0.75
"""A gain over the dumb predictor, as a share of its loss, that is as good as none; a loss that is poor."""


@dataclass(frozen=True)
class Curve:
    """What was recorded of one fold, epoch after epoch, each (E,); losses as shares of the baseline's.

    `rival` is the best rival's validation loss in the same units, None when not known. `kept_best`
    says whether the weights of the best epoch are the ones that stay.
    """

    epoch: np.ndarray
    step: np.ndarray
    learning_rate: np.ndarray
    train: np.ndarray
    validation: np.ndarray
    gradient_norm: np.ndarray
    rival: float | None = None
    kept_best: bool = True

    @property
    def finite(self) -> bool:
        """Whether every number of the record is one."""
        recorded = (self.train, self.validation, self.gradient_norm)
        return all(bool(np.isfinite(values).all()) for values in recorded)

    @property
    def best(self) -> int:
        """The place of the epoch with the lowest validation loss."""
        return int(np.argmin(self.validation))

    @property
    def lowest(self) -> float:
        """The lowest validation loss."""
        return float(self.validation[self.best])

    @property
    def harmed(self) -> bool | None:
        """Whether the best rival shows that more was to be had; None when no rival is known.

        It beats the dumb predictor, and the net by a tenth of the baseline, or by half of what it gains
        where that is little.
        """
        if self.rival is None:
            return None
        gained = 1 - self.rival
        return gained > BARELY and self.lowest - self.rival > max(min(0.1, 0.5 * gained), 0.03)

    @property
    def poor(self) -> bool:
        """Whether there is harm: a rival shows it; where none is known, the lowest loss is above 0.75."""
        return self.lowest > POOR if self.harmed is None else self.harmed

    @property
    def noise(self) -> float:
        """The standard deviation of the validation loss around its own trend.

        From second differences, which a straight trend leaves at zero; the median shrugs off jumps.
        """
        bends = np.diff(self.validation, n=2)
        return float(1.4826 * np.median(np.abs(bends)) / 6**0.5) if len(bends) else 0.0

    @property
    def best_at_end(self) -> bool:
        """Whether the best epoch lies in the last tenth."""
        return self.best >= len(self.epoch) - max(1, len(self.epoch) // 10)

    @property
    def fall(self) -> float:
        """By how much each epoch of the last third lowered the validation loss, if it did to the end.

        0 when the best epoch is not at the end, or when the fall is no more than noise.
        """
        third = max(1, len(self.epoch) // 3)
        if len(self.epoch) < 2 or not self.best_at_end:
            return 0.0
        fall = float(self.validation[-1 - third] - self.validation[-1]) / third
        return fall if fall > 3 * self.noise / third**0.5 else 0.0

    @property
    def tail(self) -> slice:
        """The last tenth of the epochs, at least three."""
        return slice(-max(3, len(self.epoch) // 10), None)

    @property
    def trained(self) -> np.ndarray:
        """How far training could have moved a weight by each epoch: the sum of the learning rates."""
        return np.cumsum(self.learning_rate * np.diff(self.step, prepend=0))


def curves(
    history: pl.DataFrame,
    baseline_loss: PerFold,
    rival_loss: PerFold | None = None,
    *,
    kept_best: bool = True,
) -> list[Curve]:
    """The folds of a history, in order, each with its losses divided by its `baseline_loss`."""
    found = []
    for (fold,), part in history.sort("fold", "epoch").group_by("fold", maintain_order=True):
        baseline = _of_fold(baseline_loss, fold)
        measured = {
            column: part[column].cast(pl.Float64).to_numpy()
            for column in ("learning_rate", "train_loss", "validation_loss", "gradient_norm")
        }
        found.append(
            Curve(
                epoch=part["epoch"].to_numpy(),
                step=part["step"].to_numpy(),
                learning_rate=measured["learning_rate"],
                train=measured["train_loss"] / baseline,
                validation=measured["validation_loss"] / baseline,
                gradient_norm=measured["gradient_norm"],
                rival=None if rival_loss is None else _of_fold(rival_loss, fold) / baseline,
                kept_best=kept_best,
            )
        )
    return found


def _of_fold(value: PerFold, fold: Any) -> float:
    return value[fold] if isinstance(value, Mapping) else value


def as_call(change: Mapping[str, object]) -> str:
    """A change of the plan as the line that makes it."""
    given = ", ".join(f"{name}={fields}" for name, fields in change.items())
    return f"preceptor.fit(..., {given})"
