"""What the doctor writes down while training runs: little at every step, more at some, in plain lists.

Shapes: T steps, L parameter tensors, K looks.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Unit:
    """How an activation fares on the probe rows: the share of its units that are dead, and saturated;
    `units` is how many it has.
    """

    layer: str
    op: str
    dead: float = 0.0
    saturated: float = 0.0
    units: int = 0


@dataclass(frozen=True)
class Look:
    """What one look showed, dropout at rest, on rows that are always the same.

    `train` and `validation` are losses as shares of the best constant answer's; `accuracy` likewise pairs
    of (train, validation), None where rows have no classes. By parameter name: `gradients` and
    `fresh`, norms of the gradient in place and of the probe's own; `updates`, ‖ΔW‖/‖W‖ of the last step;
    `uphill` is the cosine between that step and the probe's gradient: positive goes up.
    """

    step: int
    train: float
    validation: float | None
    accuracy: tuple[float, float | None] | None
    gradients: dict[str, float]
    fresh: dict[str, float]
    updates: dict[str, float]
    uphill: float | None
    units: list[Unit]
    weights: float


@dataclass(frozen=True)
class Mark:
    """What the user measured at the end of an epoch; None for what was not told."""

    step: int
    train: float | None
    validation: float | None
    metric: float | None
    seen: tuple[float, float] | None = None


@dataclass(frozen=True)
class Batch:
    """One mini-batch that was told: its goal, and for the first ones its inputs too."""

    step: int
    goal: Tensor
    inputs: list[Tensor] | None = None


@dataclass
class Record:
    """Everything that was seen since the watch began. `step` counts the steps done."""

    step: int = 0
    losses: list[float] = field(default_factory=list)
    norms: list[tuple[int, float]] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    training: list[bool] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    leftovers: list[Tensor] = field(default_factory=list)
    _losses: list[Tensor] = field(default_factory=list)
    _norms: list[tuple[int, Tensor]] = field(default_factory=list)

    def add(self, loss: Any, norm: Tensor | None) -> None:
        """One step more; tensors are kept as they are, and read at the next `flush`."""
        self.step += 1
        self._losses.append(loss)
        if norm is not None:
            self._norms.append((self.step, norm))

    def flush(self) -> None:
        """Read what was kept as tensors: the only place that waits for the device."""
        if self._losses:
            self.losses += torch.stack([loss.reshape(()).double() for loss in self._losses]).tolist()
            self._losses = []
        if self._norms:
            values = torch.stack([norm for _, norm in self._norms]).tolist()
            self.norms += [(step, value) for (step, _), value in zip(self._norms, values, strict=True)]
            self._norms = []

    @property
    def norm(self) -> np.ndarray:
        """The gradient norms seen (T',)."""
        return np.array([value for _, value in self.norms])

    @property
    def last(self) -> Look | None:
        """The latest look."""
        return self.looks[-1] if self.looks else None

    def smooth(self, window: int | None = None) -> np.ndarray:
        """The batch losses averaged over a window, a twentieth of the run by default."""
        losses = np.array(self.losses)
        width = max(1, window or len(losses) // 20)
        return np.convolve(losses, np.ones(width) / width, mode="valid") if len(losses) >= width else losses
