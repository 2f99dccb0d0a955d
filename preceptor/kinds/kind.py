"""What a kind of real-world value must be able to do: recognise, fit, encode, decode.

A kind turns one column into a tensor and back, and is saved with the weights. A *target* kind also
brings the loss and the metrics: whoever asks the question marks the answer.

Shapes: N rows, K outputs.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from torch import Tensor

from preceptor.metrics import Metric
from preceptor.shapes import Shape


@dataclass(frozen=True)
class Guess:
    """How well a kind fits a column: `confidence` from 0 to 1, and the reason in a few words."""

    confidence: float
    why: str


class Kind(ABC):
    """A column's kind as an input. The constructor stores, `fit` learns from training rows only.

    `shape` says what `encode` gives, and so which model can read it: see `preceptor.shapes`. A `deep` kind
    takes so long to learn from that one set of rows for validation has to do.
    """

    name: ClassVar[str]
    deep: ClassVar[bool] = False

    def __init__(self, column: str):
        self.column = column

    @classmethod
    @abstractmethod
    def recognise(cls, column: pl.Series, *, as_target: bool = False) -> Guess:
        """How well this kind fits the (typed) column."""

    @abstractmethod
    def fit(self, column: pl.Series) -> Self:
        """Learn the encoding from training rows."""

    @property
    @abstractmethod
    def shape(self) -> Shape:
        """The family and the sizes of the encoding, once fitted."""

    @abstractmethod
    def encode(self, column: pl.Series) -> Tensor:
        """(N, *sizes) of the family's type. Missing and unseen values have a fate."""

    @abstractmethod
    def decode(self, encoded: Tensor) -> pl.Series:
        """Real-world values again; the inverse of `encode` to the kind's stated tolerance."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """All that `fit` learnt and the constructor stored, as JSON values."""

    @classmethod
    @abstractmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The kind that `state` describes, equal in behaviour to the one that was saved."""


class Target(Kind):
    """A kind that can be asked for: it also brings loss, metrics, and answers.

    *Scores* are the one currency of predictions, shared by nets and rivals, as float64 numpy:
    (N,) in the target's own units for a number, (N, K) probabilities for categories and tags.
    """

    outputs: int
    task: str  # "number", "two-class", "many-class" or "tags"

    @abstractmethod
    def goal(self, column: pl.Series) -> Tensor:
        """What the loss compares with: (N,) float32 standardised, (N,) int64 classes, or (N, K)."""

    @abstractmethod
    def loss(self, output: Tensor, goal: Tensor, smoothing: float = 0.0) -> Tensor:
        """Mean loss of a net's `output` (N, outputs) against `goal`; a scalar."""

    @abstractmethod
    def scores(self, output: Tensor) -> np.ndarray:
        """A net's raw output (N, outputs) as scores."""

    @abstractmethod
    def truth(self, column: pl.Series) -> np.ndarray:
        """True values as the metrics take them: (N,) floats, (N,) class numbers, (N, K) 0/1."""

    @abstractmethod
    def chance(self, truth: np.ndarray) -> np.ndarray:
        """Scores of the dumb predictor for one row: the mean, or the class frequencies."""

    @abstractmethod
    def answers(self, scores: np.ndarray) -> pl.DataFrame:
        """What a person reads: column `<target>`, and `p(<class>)` where there are classes."""

    @abstractmethod
    def metrics(self) -> dict[str, Metric]:
        """Every metric that fits this task by name, the default one first."""
