"""The kind series: values over time, of one channel or several; as an input, and as a forecast asked for.

    past = Series("history").fit(training["history"])
    past.encode(table["history"])                  # (N, T, D) float32, NaN where nothing was measured
    coming = Series("load").fit(opened["load"])    # Array(Float64, (24, 1))
    coming.answers(scores).columns                 # ["load", "load +1", ..., "load +24"]

A column holds windows of one length, `Array(Float, (T, D))`, or series of any length,
`List(Array(Float, D))`.

Shapes: N rows, T steps, D channels; as a target H steps ahead of K series, flattened step by step: all K of
the first step, then all of the second.
"""

from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
import torch
from torch import Tensor

from preceptor.kinds.kind import Guess, Target
from preceptor.kinds.refusals import no_answer
from preceptor.kinds.stateful import Stateful
from preceptor.metrics import Metric, forecast_metrics
from preceptor.shapes import Shape

MOST_STEPS = 1_024
"""Of longer series of differing lengths the last steps are read."""

LEARNT_FROM, CHUNK = 50_000_000, 4_096
"""Means and spreads come from about so many values; so many rows are encoded at a time."""

LIMIT = 1e4
"""Values further from the mean than so many spreads stand at the limit."""


class Series(Stateful, Target):
    """Every channel by its mean and spread over the training rows; as a target every series asked for.

    Fates: what was not measured, is infinite or is missing as a whole is NaN; a shorter series has NaN in
    front, of a longer one the last T steps are read; a column of other channels, or that is no series, is
    NaN throughout. A channel constant in training is 0. Decoding is exact to float32.
    """

    name: ClassVar[str] = "series"
    lossless: ClassVar[bool] = True
    task = "series"

    def __init__(self, column: str):
        super().__init__(column)
        self.steps, self.channels = 0, 0
        self.lists, self.bits = False, 32
        self.centers: list[float] = []
        self.scales: list[float] = []

    @classmethod
    def recognise(cls, column: pl.Series, *, as_target: bool = False) -> Guess:
        """Sure of columns whose every value is itself a run of numbers."""
        if _layout(column.dtype) is None:
            return Guess(0.0, "the values are no series of numbers")
        return Guess(1.0, "each value is a series of numbers")

    def fit(self, column: pl.Series) -> Self:
        """Learn how many steps there are, and each channel's mean and spread."""
        layout = _layout(column.dtype)
        self.lists = layout is not None and layout[0] == 0
        self.bits = 64 if _innermost(column.dtype) == pl.Float64 else 32
        self.steps, self.channels = layout or (0, 0)
        if self.lists:
            self.steps = min(MOST_STEPS, max(1, column.list.len().to_frame().max().item() or 1))
        some = column.gather_every(max(1, len(column) * self.steps * self.channels // LEARNT_FROM))
        values = self._values(some).reshape(len(some) * self.steps, self.channels).astype(np.float64)
        known = [channel[np.isfinite(channel)] for channel in values.T]
        self.centers = [float(channel.mean()) if len(channel) else 0.0 for channel in known]
        self.scales = [float(channel.std()) if len(channel) else 0.0 for channel in known]
        return self

    @property
    def shape(self) -> Shape:
        """(T, D): steps and channels."""
        return Shape("steps", (self.steps, self.channels))

    @property
    def outputs(self) -> int:  # type: ignore[override]  # it follows from what was fitted
        """H x K."""
        return self.steps * self.channels

    @property
    def names(self) -> list[str]:
        """The K series asked for: the parts of the column's name, where it names so many."""
        parts = self.column.split(", ")
        if len(parts) == self.channels:
            return parts
        return [f"{self.column} {number}" for number in range(1, self.channels + 1)]

    def encode(self, column: pl.Series) -> Tensor:
        """(N, T, D) float32, mean 0 and spread 1 over the rows that were fitted; NaN is absent."""
        values, centers = self._values(column), np.array(self.centers)
        scales = np.array([scale or np.inf for scale in self.scales])
        encoded = np.empty(values.shape, dtype=np.float32)
        for first in range(0, len(values), CHUNK):  # float64 takes twice the memory
            some = slice(first, first + CHUNK)
            encoded[some] = np.clip((values[some] - centers) / scales, -LIMIT, LIMIT)
        return torch.from_numpy(encoded)

    def decode(self, encoded: Tensor) -> pl.Series:
        """Series in the training column's type; steps in front without any value are no steps of lists."""
        values = encoded.double().numpy() * np.array(self.scales) + np.array(self.centers)
        inner = pl.Float64() if self.bits == 64 else pl.Float32()
        whole = pl.Series(self.column, values, dtype=pl.Array(inner, (self.steps, self.channels)))
        missing = np.isnan(values).all(axis=(1, 2))
        if self.lists:
            rows = [row[np.isfinite(row).any(axis=1).argmax() :].tolist() for row in values]
            whole = pl.Series(self.column, rows, dtype=pl.List(pl.Array(inner, self.channels)))
        return whole.set(pl.Series(missing), None) if missing.any() else whole

    def _values(self, column: pl.Series) -> np.ndarray:
        """(N, T, D) float: NaN where there is none."""
        layout = _layout(column.dtype)
        if layout is None or layout[1] != self.channels or not len(column):
            return np.full((len(column), self.steps, self.channels), np.nan, dtype=np.float32)
        found = _padded(column, self.steps) if layout[0] == 0 else column.to_numpy()
        found = found.reshape(len(column), -1, self.channels)[:, -self.steps :]
        if found.shape[1] < self.steps:
            found = np.pad(found, ((0, 0), (self.steps - found.shape[1], 0), (0, 0)), constant_values=np.nan)
        return found if np.isfinite(found).all() else np.where(np.isfinite(found), found, np.nan)

    def truth(self, column: pl.Series) -> np.ndarray:
        """(N, H x K) float64; raises Mistake where a value is missing."""
        values = self._values(column).reshape(len(column), -1).astype(np.float64)
        strange = int((~np.isfinite(values)).any(axis=1).sum())
        if strange or not self.outputs:
            raise no_answer(self.column, strange, "whole series")
        return values

    def goal(self, column: pl.Series) -> Tensor:
        """(N, H x K) float32, each series of mean 0 and spread 1 over the rows that were fitted."""
        return torch.from_numpy(((self.truth(column) - self._center) / self._spread).astype(np.float32))

    def loss(self, output: Tensor, goal: Tensor, smoothing: float = 0.0) -> Tensor:
        """Mean squared error of (N, H x K) over all steps and series; smoothing means nothing here."""
        return torch.nn.functional.mse_loss(output, goal)

    def scores(self, output: Tensor) -> np.ndarray:
        """(N, H x K) float64 in the series' own units."""
        return output.detach().double().numpy() * self._spread + self._center

    def chance(self, truth: np.ndarray) -> np.ndarray:
        """(H x K,) the mean of each."""
        return truth.mean(axis=0, dtype=np.float64)

    def answers(self, scores: np.ndarray) -> pl.DataFrame:
        """The forecast as a series, then each of its values as `<series> +<step>`."""
        shape = (self.steps, self.channels)
        whole = pl.Series(self.column, scores.reshape(-1, *shape), dtype=pl.Array(pl.Float64, shape))
        names = [f"{name} +{step}" for step in range(1, self.steps + 1) for name in self.names]
        return pl.DataFrame(
            [whole, *(pl.Series(n, values) for n, values in zip(names, scores.T, strict=True))]
        )

    def metrics(self) -> dict[str, Metric]:
        """RMSE first; standardised errors for several series."""
        return forecast_metrics(self._spread, several=self.channels > 1)

    @property
    def _center(self) -> np.ndarray:
        return np.tile(self.centers, self.steps)

    @property
    def _spread(self) -> np.ndarray:
        return np.tile([scale or 1.0 for scale in self.scales], self.steps)


def _layout(dtype: Any) -> tuple[int, int] | None:
    """(steps, channels) of a column of series, 0 steps where lengths differ; None for other columns."""
    if not _innermost(dtype).is_float():
        return None
    if isinstance(dtype, pl.Array) and len(dtype.shape) <= 2:
        return dtype.shape[0], (*dtype.shape, 1)[1]
    if isinstance(dtype, pl.List):
        inner = dtype.inner
        if isinstance(inner, pl.Array) and len(inner.shape) == 1:
            return 0, inner.shape[0]
        return (0, 1) if not inner.is_nested() else None
    return None


def _innermost(dtype: Any) -> pl.DataType:
    while isinstance(dtype, pl.Array | pl.List):
        dtype = dtype.inner
    return dtype


def _padded(column: pl.Series, steps: int) -> np.ndarray:
    """(N, T, D) of lists: the last `steps` steps of each, NaN in front of shorter ones."""
    kept = column.list.tail(steps)
    lengths = kept.list.len().fill_null(0).to_numpy().astype(np.int64)
    flat = kept.filter(pl.Series(lengths > 0)).explode().to_numpy()
    flat = flat.reshape(lengths.sum(), -1)
    values = np.full((len(column), steps, flat.shape[1]), np.nan, dtype=flat.dtype)
    owner = np.repeat(np.arange(len(column)), lengths)
    from_end = np.arange(len(flat)) - np.cumsum(lengths)[owner]
    values[owner, steps + from_end] = flat
    return values
