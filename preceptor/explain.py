"""Why it answers so, and where it fails: looked at on the exam's rows, after the verdict, choosing nothing.

    rows = ledger.decide("rows for importance", lambda: importance_rows(predict, table, columns, seconds=10))
    permutation_importance(predict, table, columns, truth, metric, rows=rows)
    slices(table, columns, truth, scores, metric)

Shapes: N rows, as many in `table` as in `truth` and `scores`.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.intervals import interval, paired_interval
from preceptor.metrics import Metric

Array = np.ndarray
Predict = Callable[[Table], Array]

FEWEST_ROWS = 100
TIMED_ROWS = 1_000
MOST_ROWS = 20_000


def importance_rows(
    predict: Predict, table: Table, columns: Sequence[str], seconds: float, repeats: int = 3
) -> int:
    """How many rows `permutation_importance` can afford in so many seconds: measured; 0 for too few."""
    few = table.take(np.arange(min(TIMED_ROWS, len(table))))
    predict(few)  # the first call may still have to warm up
    began = time.perf_counter()
    predict(few)
    each = (time.perf_counter() - began) / len(few)
    rows = int(seconds / (each * (len(columns) * repeats + 1)))
    return min(rows, len(table), MOST_ROWS) if rows >= min(FEWEST_ROWS, len(table)) else 0


def permutation_importance(
    predict: Predict,
    table: Table,
    columns: Sequence[str],
    truth: Array,
    metric: Metric,
    *,
    rows: int,
    repeats: int = 3,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """How much worse the answers become when one column is shuffled: {column, drop, interval}, largest first.

    The drop is in the metric's unit, above 0 where the column helps (Breiman, 2001; Fisher et al., 2019).
    It shows what *this* predictor leans on: of two columns that say the same, either may look idle.
    """
    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.permutation(len(table))[:rows])
    if not len(drawn):
        return []
    few, truth = table.take(drawn), np.concatenate([truth[drawn]] * repeats)
    whole = np.concatenate([predict(few)] * repeats)
    same_row = np.tile(np.arange(len(drawn)), repeats)
    found = []
    for column in columns:
        shuffled = [predict(_shuffled(few, column, rng)) for _ in range(repeats)]
        spoilt = np.concatenate(shuffled)
        drop = metric.function(truth, whole, None) - metric.function(truth, spoilt, None)
        ends = paired_interval(truth, whole, spoilt, metric, groups=same_row, seed=seed)
        found.append({"column": column, "drop": drop if metric.higher_is_better else -drop, "interval": ends})
    return sorted(found, key=lambda one: -one["drop"])


def _shuffled(table: Table, column: str, rng: np.random.Generator) -> Table:
    values = table.frame[column].gather(rng.permutation(len(table)))
    return replace(table, frame=table.frame.with_columns(values))


def slices(
    table: Table,
    columns: Sequence[str],
    truth: Array,
    scores: Array,
    metric: Metric,
    *,
    least_rows: int = 30,
    most: int = 12,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """The parts of the table where the answers are worst: {column, value, rows, score, interval}.

    A part is one value of a column with few values, or a quarter of a column with many; parts of fewer
    than `least_rows` are left out. Those that are *surely* worst come first: some part of many is always
    worst by luck, so they are ordered by the better end of their intervals.
    """
    sign = 1 if metric.higher_is_better else -1
    overall, told = metric.function(truth, scores, None), []
    for column in columns:
        for value, rows in _parts(table.frame[column], least_rows):
            score = metric.function(truth[rows], scores[rows], None)
            if np.isfinite(score):
                told.append((sign * (score - overall) * np.sqrt(len(rows)), column, value, rows, score))
    worst = sorted(told, key=lambda one: one[0])[:most]
    marked = [
        {"column": column, "value": value, "rows": len(rows), "score": score,
         "interval": interval(truth[rows], scores[rows], metric, seed=seed)}
        for _, column, value, rows, score in worst
    ]  # fmt: skip
    return sorted(marked, key=lambda one: max(sign * end for end in one["interval"]))


def _parts(column: pl.Series, least: int) -> Iterator[tuple[str, Array]]:
    """The parts of a column by name, each with its row numbers."""
    orderly = column.dtype.is_numeric() or column.dtype.is_temporal()
    missing = np.flatnonzero(column.is_null().to_numpy())
    if len(missing) >= least:
        yield "missing", missing
    if orderly and column.n_unique() > 10:
        order = np.argsort(column.rank("ordinal").fill_null(0).to_numpy(), kind="stable")[len(missing) :]
        for rows in np.array_split(order, 4):
            if len(rows) >= least:
                yield f"{_said(column[int(rows[0])])} to {_said(column[int(rows[-1])])}", np.sort(rows)
        return
    for value in column.drop_nulls().unique(maintain_order=True):
        rows = np.flatnonzero((column == value).fill_null(False).to_numpy())
        if len(rows) >= least:
            yield _said(value), rows


def _said(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
