"""Where the answers are worst: parts of the exam's rows, by what is in their columns.

    slices(table, columns, truth, scores, metric)

Numbers, dates and labels are parted as they are; pictures by how bright and how large they are, texts and
series by how long.

Shapes: N rows, as many in `table` as in `truth` and `scores`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from preceptor.data.pictures import pixels
from preceptor.data.table import Table
from preceptor.intervals import interval
from preceptor.metrics import Metric

Array = np.ndarray

MANY_VALUES = 10
WORDY = 3.0
"""From so many words on average a text is a sentence, told apart by its length and not by its wording."""


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
    for aspect in (aspect for column in columns for aspect in aspects(table.frame[column])):
        for value, rows in _parts(aspect, least_rows):
            if len(rows) == len(table):
                continue  # a part that is the whole tells nothing
            score = metric.function(truth[rows], scores[rows], None)
            if np.isfinite(score):
                told.append((sign * (score - overall) * np.sqrt(len(rows)), aspect.name, value, rows, score))
    worst = sorted(told, key=lambda one: one[0])[:most]
    marked = [
        {"column": column, "value": value, "rows": len(rows), "score": score,
         "interval": interval(truth[rows], scores[rows], metric, seed=seed)}
        for _, column, value, rows, score in worst
    ]  # fmt: skip
    return sorted(marked, key=lambda one: max(sign * end for end in one["interval"]))


def aspects(column: pl.Series) -> list[pl.Series]:
    """What of a column its rows can be parted by: itself, or what can be measured of it, named so.

    A picture's brightness goes from 0 (black) to 255 (white), its size is width times height in pixels.
    """
    name, present = column.name, column.is_not_null().to_numpy()
    if column.dtype == pl.Binary:
        return _spread(present, *_of_pictures(column.drop_nulls(), name))
    if isinstance(column.dtype, pl.List):
        return [column.list.len().alias(f"length of {name}")]
    if isinstance(column.dtype, pl.Array):
        return []
    if column.dtype == pl.String and is_prose(column):
        return [column.str.count_matches(r"\S+").alias(f"words in {name}")]
    return [column]


def is_prose(column: pl.Series) -> bool:
    """Whether the texts are sentences rather than labels: several words, rarely the same."""
    words = column.str.count_matches(r"\S+").mean()
    filled = len(column) - column.null_count()
    return isinstance(words, float) and words >= WORDY and column.n_unique() > filled / 2


def _of_pictures(keys: pl.Series, name: str) -> list[pl.Series]:
    seen = [(float(picture.mean()), picture.shape[0] * picture.shape[1]) for picture in pixels(keys)]
    bright, large = zip(*seen, strict=True) if seen else ((), ())
    return [pl.Series(f"brightness of {name}", bright, dtype=pl.Float64),
            pl.Series(f"pixels of {name}", large, dtype=pl.Int64)]  # fmt: skip


def _spread(present: Array, *measured: pl.Series) -> list[pl.Series]:
    """What was measured of the rows that are present, null for the others."""
    place = pl.Series(np.where(present, np.cumsum(present) - 1, len(present)))
    padded = [one.extend_constant(None, 1 + int((~present).sum())) for one in measured]
    return [one.gather(place) for one in padded]


def _parts(column: pl.Series, least: int) -> Iterator[tuple[str, Array]]:
    """The parts of a column by name, each with its row numbers."""
    orderly = column.dtype.is_numeric() or column.dtype.is_temporal()
    missing = np.flatnonzero(column.is_null().to_numpy())
    if len(missing) >= least:
        yield "missing", missing
    if orderly and column.n_unique() > MANY_VALUES:
        order = np.argsort(column.rank("ordinal").fill_null(0).to_numpy(), kind="stable")[len(missing) :]
        for rows in np.array_split(order, 4):
            if len(rows) >= least:
                yield f"{_said(column[int(rows[0])])} to {_said(column[int(rows[-1])])}", np.sort(rows)
        return
    counted = column.drop_nulls().alias("value").value_counts(name="rows")
    frequent = counted.filter(pl.col("rows") >= least)["value"]
    for value in column.filter(column.is_in(frequent.implode())).unique(maintain_order=True):
        yield _said(value), np.flatnonzero((column == value).fill_null(False).to_numpy())


def _said(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
