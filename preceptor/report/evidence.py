"""The sealed rows with their answers, as the arrays that the figures take.

    numbers = Numbers.of(record.answers)        # or Classes.of, or Tags.of

Where there are very many rows, tags are looked at in every k-th only.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

OURS, RIVAL = "p(", "rival p("
MOST_TAGGED_ROWS = 100_000


@dataclass(frozen=True)
class Numbers:
    """`truth` and `answer` (N,) in the target's units, all finite."""

    truth: np.ndarray
    answer: np.ndarray

    @classmethod
    def of(cls, answers: pl.DataFrame) -> Self | None:
        """From columns truth and score (or answer); None where no row has both."""
        score = "score" if "score" in answers.columns else "answer"
        pairs = answers.select(pl.col("truth", score).cast(pl.Float64, strict=False)).to_numpy()
        pairs = pairs[np.isfinite(pairs).all(axis=1)]
        return cls(pairs[:, 0], pairs[:, 1]) if len(pairs) else None


@dataclass(frozen=True)
class Classes:
    """`truth` and `answer` (N,) index `names`; `sure` (N,) is the probability given to the answer.

    With two classes `score` (N,) is the probability of `names[1]` and `rival` the best rival's.
    """

    names: list[str]
    truth: np.ndarray
    answer: np.ndarray
    sure: np.ndarray
    score: np.ndarray | None
    rival: np.ndarray | None

    @classmethod
    def of(cls, answers: pl.DataFrame) -> Self | None:
        """From columns truth, answer and `p(<class>)`; None where no row has all of them."""
        names = _named(answers, OURS)
        place = dict(zip(names, range(len(names)), strict=True))
        number = [_text(answers, side).replace_strict(place, default=None, return_dtype=pl.Int64)
                  for side in ("truth", "answer")]  # fmt: skip
        shares = [f"{OURS}{name})" for name in names]
        rows = answers.with_columns(number).drop_nulls(["truth", "answer"])
        if not names or rows.is_empty():
            return None
        two = len(names) == 2
        return cls(
            names,
            rows["truth"].to_numpy(),
            rows["answer"].to_numpy(),
            rows.select(pl.max_horizontal(shares)).to_series().to_numpy(),
            rows[shares[1]].to_numpy() if two else None,
            _column(rows, f"{RIVAL}{names[1]})") if two else None,
        )


@dataclass(frozen=True)
class Tags:
    """`truth` (N, K) of 0 and 1, `share` (N, K) the probability given to each of the K tags `names`."""

    names: list[str]
    truth: np.ndarray
    share: np.ndarray

    @classmethod
    def of(cls, answers: pl.DataFrame) -> Self | None:
        """From a column truth of joined tags ("drama|comedy") and `p(<tag>)`; None without them."""
        names = _named(answers, OURS)
        if not names or answers.is_empty():
            return None
        answers = answers.gather_every(max(1, answers.height // MOST_TAGGED_ROWS))
        cells = answers["truth"].cast(pl.String).fill_null("")
        mark = max("|;,", key=lambda mark: cells.str.contains(mark, literal=True).sum())
        given = cells.str.split(mark).list.eval(pl.element().str.strip_chars())
        truth = np.column_stack([given.list.contains(name).to_numpy() for name in names])
        return cls(
            names, truth.astype(np.int64), answers.select(f"{OURS}{name})" for name in names).to_numpy()
        )


@dataclass(frozen=True)
class Forecasts:
    """`truth`, `answer` and the best rival's (N, H, K): H steps ahead of each of the K series `names`.

    `starts` (N,) numbers the first step of each forecast.
    """

    names: list[str]
    starts: np.ndarray
    truth: np.ndarray
    answer: np.ndarray
    rival: np.ndarray | None

    @classmethod
    def of(cls, answers: pl.DataFrame) -> Self | None:
        """From columns truth and answer of arrays (H, K), and `<series> +<step>`; None without them."""
        if not all(isinstance(answers[side].dtype, pl.Array) for side in ("truth", "answer")):
            return None
        truth, answer = (answers[side].to_numpy().astype(np.float64) for side in ("truth", "answer"))
        truth, answer = (values.reshape(*values.shape[:2], -1) for values in (truth, answer))
        steps = [name for name in answers.columns if name.endswith(" +1") and not name.startswith("rival ")]
        theirs = answers.select(name for name in answers.columns if name.startswith("rival "))
        rival = theirs.to_numpy().reshape(truth.shape) if theirs.width == truth[0].size else None
        lines = answers["line"].to_numpy().astype(np.int64)
        starts = lines if (np.diff(lines) > 0).all() else np.arange(len(lines))
        return cls([name.removesuffix(" +1") for name in steps], starts, truth, answer, rival)

    @property
    def one(self) -> Numbers | None:
        """All steps of all rows as single numbers, where one series is asked for."""
        if self.truth.shape[2] != 1:
            return None
        return Numbers(self.truth.ravel(), self.answer.ravel())


def _named(answers: pl.DataFrame, mark: str) -> list[str]:
    """What stands in the brackets of the columns that begin with `mark`."""
    return [name[len(mark) : -1] for name in answers.columns if name.startswith(mark) and name.endswith(")")]


def _text(answers: pl.DataFrame, name: str) -> pl.Expr:
    """A column's classes as the brackets name them: whole numbers without a decimal point."""
    if not answers[name].dtype.is_float():
        return pl.col(name).cast(pl.String)
    whole = pl.col(name).cast(pl.Int64, strict=False)
    return pl.when(whole == pl.col(name)).then(whole.cast(pl.String)).otherwise(pl.col(name).cast(pl.String))


def _column(answers: pl.DataFrame, name: str) -> np.ndarray | None:
    if name not in answers.columns or answers[name].null_count() or answers[name].is_nan().any():
        return None
    return answers[name].to_numpy()
