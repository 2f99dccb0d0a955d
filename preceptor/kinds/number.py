"""The kind number: measurements, counts, prices.

    number = Number("price").fit(training["price"])
    number.encode(table["price"])                     # (N, 1) float32 within -3..3
    number.loss(net(x), number.goal(table["price"]))  # squared error in standardised units

As an input it is scaled robustly and clipped smoothly; as a target it is only standardised, because
an answer may lie beyond everything seen.
"""

from typing import ClassVar, Self

import numpy as np
import polars as pl
import torch
from torch import Tensor

from preceptor.kinds.kind import Guess, Target
from preceptor.kinds.refusals import no_answer
from preceptor.kinds.scaling import robust_scale, smooth_clip, smooth_unclip
from preceptor.kinds.stateful import Stateful
from preceptor.kinds.values import as_type, distinct, kept_type, levels, numbers, sample
from preceptor.metrics import Metric, regression_metrics
from preceptor.shapes import Shape


class Number(Stateful, Target):
    """One float per value, and a flag for missing values if the training rows had any.

    Fates: a missing value reads as the median (and raises the flag, if there is one); infinities and
    outliers beyond some 7,000 quartile ranges sit at the limits and decode as the extremes seen in
    training; a column constant in training is 0 whatever comes. Text is read as a number where it is
    one. Decoding is exact to 1e-6 quartile ranges near the median, to 0.5 % of the distance from the
    median at 1,000 ranges (see scaling.py); whole numbers decode as whole numbers.
    """

    name: ClassVar[str] = "number"
    lossless: ClassVar[bool] = True
    task = "number"
    outputs = 1

    def __init__(self, column: str):
        super().__init__(column)
        self.kept = "Float64"
        self.center, self.scale, self.low, self.high = 0.0, 0.0, 0.0, 0.0
        self.flag = False
        self.mean, self.deviation = 0.0, 1.0

    @classmethod
    def recognise(cls, column: pl.Series, *, as_target: bool = False) -> Guess:
        """Sure of numeric columns, unless they read as classes; text only if it reads as numbers."""
        if column.dtype.is_numeric():
            classes = reads_as_classes(column, as_target=as_target)
            return Guess(0.5, f"numbers, but {classes}") if classes else Guess(0.9, "numbers")
        if column.dtype == pl.Boolean:
            return Guess(0.2, "true and false can be read as 1 and 0")
        if column.dtype != pl.String:
            return Guess(0.0, "the values are not numbers")
        some = sample(column)
        share = float(np.mean(~np.isnan(numbers(some)))) if len(some) else 0.0
        if share < 0.5:
            return Guess(0.0, f"only {share:.0%} of the values read as numbers")
        amounts = some.str.contains(r"\d\.\d").any() or distinct(some) > 32
        amounts = amounts and not some.str.contains(r"^\s*0\d").any()  # a leading zero marks a code
        return Guess(0.8 if amounts and share > 0.95 else 0.3, f"text, of which {share:.0%} reads as numbers")

    def fit(self, column: pl.Series) -> Self:
        """Learn median, quartile range and extremes (input), mean and deviation (target)."""
        self.kept = kept_type(column).replace("String", "Float64")
        values = numbers(column)
        self.flag = bool(np.isnan(values).any())
        self.center, self.scale = robust_scale(values)
        finite = values[np.isfinite(values)] if np.isfinite(values).any() else np.zeros(1)
        self.low, self.high = float(finite.min()), float(finite.max())
        self.mean, self.deviation = float(finite.mean()), float(finite.std()) or 1.0
        return self

    @property
    def shape(self) -> Shape:
        """1, or 2 with the flag for missing values."""
        return Shape("numbers", (1 + self.flag,))

    def encode(self, column: pl.Series) -> Tensor:
        """(N, 1) or (N, 2) float32: the clipped number, then 1 where the value is missing."""
        values = numbers(column)
        parts = [smooth_clip(values, self.center, self.scale), np.isnan(values)]
        return torch.from_numpy(np.column_stack(parts[: self.shape.sizes[0]]).astype(np.float32))

    def decode(self, encoded: Tensor) -> pl.Series:
        """Numbers in the training column's type; null where the flag is up."""
        clipped = encoded[:, 0].double().numpy()
        values = smooth_unclip(clipped, self.center, self.scale)
        values = np.where(np.isinf(values), np.where(clipped > 0, self.high, self.low), values)
        if self.flag:
            values[encoded[:, 1].numpy() > 0.5] = np.nan
        if self.kept != "Float64":
            values = np.rint(values)
        return as_type(pl.Series(self.column, values, nan_to_null=True), self.kept)

    def truth(self, column: pl.Series) -> np.ndarray:
        """(N,) float64; raises Mistake where an answer is missing, infinite or no number."""
        values = numbers(column)
        strange = int((~np.isfinite(values)).sum())
        if strange:
            raise no_answer(self.column, strange, "finite number")
        return values

    def goal(self, column: pl.Series) -> Tensor:
        """(N,) float32, of mean 0 and deviation 1 over the rows that were fitted."""
        return torch.from_numpy(((self.truth(column) - self.mean) / self.deviation).astype(np.float32))

    def loss(self, output: Tensor, goal: Tensor, smoothing: float = 0.0) -> Tensor:
        """Mean squared error of (N, 1) against (N,); smoothing means nothing for numbers."""
        return torch.nn.functional.mse_loss(output.squeeze(-1), goal)

    def scores(self, output: Tensor) -> np.ndarray:
        """(N,) float64 in the target's own units."""
        return output.detach().squeeze(-1).double().numpy() * self.deviation + self.mean

    def chance(self, truth: np.ndarray) -> np.ndarray:
        """The mean, an array without axes."""
        return np.asarray(truth.mean(), dtype=np.float64)

    def answers(self, scores: np.ndarray) -> pl.DataFrame:
        """One column: the predicted number, not rounded."""
        return pl.DataFrame({self.column: scores})

    def metrics(self) -> dict[str, Metric]:
        """RMSE first."""
        return regression_metrics()


def reads_as_classes(column: pl.Series, *, as_target: bool) -> str:
    """Why numbers read as classes; empty when they read as amounts.

    Two different numbers are two classes. A target of 3 to 10 whole numbers without a gap from 0 or 1
    is how classes are written down (digits, iris 0..2), so it is taken for classes; marks from 1 to 5
    look the same, and `--kind COLUMN=number` says that they are amounts. An input stays a number, as
    order is information that a net can use and classes would throw away.
    """
    few = levels(column, 10)
    if few is None or len(few) < 2:
        return ""
    if len(few) == 2:
        return "only two different ones"
    found = few.to_numpy()
    if as_target and found[0] in (0, 1) and (found == found[0] + np.arange(len(found))).all():
        return f"each is one of {found[0]:g} to {found[-1]:g}, as classes are numbered"
    return ""
