"""What the doctor writes down while training runs: little at every step, more at some, in plain lists.

Shapes: T steps, T' steps at which a norm was taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

Weights = list[Tensor]
"""A net's parameters, then its buffers, in the net's own order."""


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
    of (train, validation), None where rows have no classes. `fresh` are the norms of the probe's gradient
    by parameter name, `slope` that of all; `uphill` is the cosine between the step that led here and the
    probe's gradient: positive goes up.
    """

    step: int
    train: float
    validation: float | None
    accuracy: tuple[float, float | None] | None
    fresh: dict[str, float]
    uphill: float | None
    units: list[Unit]

    @property
    def slope(self) -> float:
        """The norm of the probe's whole gradient."""
        return float(np.sqrt(np.square(list(self.fresh.values())).sum()))


class Moment(NamedTuple):
    """The weights after a step, and before it: what a look can be worked out from later."""

    step: int
    after: Weights
    before: Weights


@dataclass
class Mark:
    """What the user measured at the end of an epoch; None for what was not told.

    `weights` are kept where the net was left in training mode, until its losses on the rows held out are
    reckoned anew: `seen`, in evaluation and in training mode.
    """

    step: int
    train: float | None
    validation: float | None
    metric: float | None
    weights: Weights | None = None
    seen: tuple[float, float] | None = None


class Batch(NamedTuple):
    """One mini-batch that was told: its goal, and for the first ones its inputs too."""

    step: int
    goal: Tensor
    inputs: list[Tensor] | None = None


class Heard(NamedTuple):
    """One parameter at one step: its own gradient, the one in place, and its values afterwards."""

    own: Tensor
    placed: Tensor
    after: Tensor


@dataclass
class Record:
    """Everything that was seen since the watch began. `step` counts the steps done."""

    step: int = 0
    losses: list[float] = field(default_factory=list)
    norms: list[tuple[int, float]] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    training: list[bool] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    _steps: list[tuple[Tensor | float, float, bool]] = field(default_factory=list)
    _norms: list[tuple[int, Sequence[Tensor]]] = field(default_factory=list)

    def add(self, loss: Tensor | float, rate: float, training: bool) -> None:
        """One step more: its loss, learning rate, and whether the net was in training mode.

        All is kept as it is, and read at the next `flush`.
        """
        self.step += 1
        self._steps.append((loss, rate, training))

    def add_norm(self, norms: Sequence[Tensor]) -> None:
        """The norms of this step's gradients, parameter by parameter."""
        self._norms.append((self.step, norms))

    def flush(self) -> None:
        """Read what was kept as tensors: the only place that waits for the device."""
        tensors = [loss.reshape(()).double() for loss, _, _ in self._steps if isinstance(loss, Tensor)]
        read = iter(torch.stack(tensors).tolist() if tensors else [])
        for loss, rate, training in self._steps:
            self.losses.append(next(read) if isinstance(loss, Tensor) else loss)
            self.rates.append(rate)
            self.training.append(training)
        self._steps = []
        if self._norms:
            whole = [torch.linalg.vector_norm(torch.stack(list(norms))) for _, norms in self._norms]
            values = torch.stack(whole).tolist()
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
