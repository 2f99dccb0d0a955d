"""Frames and Parquet files to rows: pandas, polars, Arrow, through narwhals. Their types are kept.

rows = read_frame(pandas_frame)
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from preceptor.data.numbers import EXACT
from preceptor.data.opening import damaged
from preceptor.data.pictures.columns import are_pictures, may_hold_pictures, take_pictures
from preceptor.data.room import ensure_room
from preceptor.data.rows import Rows, column_names
from preceptor.data.table import Schema
from preceptor.errors import Mistake

TAG_MARK, BATCH = "|", 1_024


def read_frame(source: Any, schema: Schema | None = None, limit: int | None = None) -> Rows:
    """The rows of a pandas, polars or Arrow frame; an index is no column of it.

    Raises Mistake for what is no frame, for names that come twice, and for a frame without rows.
    """
    try:
        frame = nw.from_native(
            source.collect() if isinstance(source, pl.LazyFrame) else source, eager_only=True
        )
    except nw.exceptions.DuplicateError as error:
        raise Mistake("columns-twice", "Two columns of the frame bear one name.", why=str(error)) from error
    except TypeError as error:
        raise Mistake(
            "source-unknown",
            f"A {type(source).__name__} is neither a file nor a frame.",
            why=str(error),
            todo="Give a path, or a pandas, polars or Arrow frame.",
        ) from error
    names, notes = column_names([str(name) for name in frame.columns], "frame")
    rows = Rows(names, "frame", notes=notes)
    taken = frame if limit is None else frame.head(limit)
    columns = [_column(series) for series in taken.iter_columns()]
    for place, column in enumerate(columns):
        if may_hold_pictures(column.dtype):
            columns[place] = take_pictures(rows, names[place], iter([column]), len(column), schema)
    add_typed(rows, columns, np.arange(1, len(taken) + 1))
    rows.close()
    return rows


def read_parquet(path: Path, schema: Schema | None = None, limit: int | None = None) -> Rows:
    """The rows of a Parquet file; columns of pictures are read a few at a time, never all at once."""
    try:
        scan = pl.scan_parquet(path, glob=False)
        types, count = scan.collect_schema(), int(scan.select(pl.len()).collect().item())
        height = count if limit is None else min(limit, count)
        ensure_room(height, len(types), path.name)
        names, notes = column_names(types.names(), path.name)
        rows = Rows(names, path.name, notes=notes)
        bulky = [name for name, kind in types.items() if may_hold_pictures(kind)]
        plain_ones = scan.drop(bulky).head(height).collect()
        columns = [
            take_pictures(rows, name, _batches(scan, given, height), height, schema)
            if given in bulky
            else plain_ones[given]
            for name, given in zip(names, types, strict=True)
        ]
    except (pl.exceptions.PolarsError, OSError) as error:
        raise damaged(path, error) from error
    add_typed(rows, columns, np.arange(1, height + 1))
    rows.close()
    return rows


def _batches(scan: pl.LazyFrame, name: str, height: int) -> Iterator[pl.Series]:
    """One column in parts; the first may be empty."""
    for first in range(0, height or 1, BATCH):
        yield scan.select(pl.col(name)).slice(first, min(BATCH, height - first)).collect().to_series()


def add_typed(rows: Rows, columns: list[pl.Series], lines: np.ndarray) -> None:
    """Add columns of types and of pictures' keys; what holds no values of a table is left out with a note."""
    found = [  # without their names, for some mean a pattern to polars
        column if name in rows.caps else plain(column.alias(""))
        for name, column in zip(rows.names, columns, strict=True)
    ]
    for name, column, values in zip(rows.names, columns, found, strict=True):
        if values is None:
            rows.notes.append(
                f"Column {name!r} is left out: it holds {column.dtype}, which is no value of a table."
            )
    kept = {name: values for name, values in zip(rows.names, found, strict=True) if values is not None}
    rows.names = list(kept)
    rows.add_block(pl.DataFrame(kept), lines)


def plain(column: pl.Series) -> pl.Series | None:
    """The column in one of a Table's six types; None for what has no such form (bytes, structs).

    Whole numbers beyond 2^53, which a float would change, become text; lists of words become tags.
    """
    kind = column.dtype
    if kind.is_integer():
        extremes = [abs(value) for value in (column.min(), column.max()) if isinstance(value, int)]
        return column.cast(pl.String if max(extremes, default=0) >= EXACT else pl.Int64)
    if kind.is_numeric():
        return column.cast(pl.Float64).fill_nan(None)
    if isinstance(kind, pl.Datetime):
        aware = column if kind.time_zone is None else column.dt.convert_time_zone("UTC")
        return aware.dt.replace_time_zone(None).cast(pl.Datetime("us"))
    if isinstance(kind, pl.Duration):
        return column.dt.total_microseconds() / 1e6
    if isinstance(kind, pl.List) and not kind.inner.is_nested():
        return column.list.eval(pl.element().cast(pl.String)).list.join(TAG_MARK)
    if kind in (pl.Boolean, pl.Date):
        return column
    textual = kind in (pl.String, pl.Categorical, pl.Enum, pl.Time, pl.Null)
    return column.cast(pl.String) if textual else None


def _column(series: "nw.Series[Any]") -> pl.Series:
    """As polars; a pandas column of mixed objects passes as pictures, or else as the text of each."""
    if series.dtype == nw.Object:
        values = series.to_list()
        if are_pictures(values):
            return pl.Series(series.name, values, pl.Object)
    try:
        return series.to_polars()
    except ModuleNotFoundError as error:
        todo = f"Install it: pip install {error.name}. Or write the frame to a CSV file."
        raise Mistake("package-missing", f"To read this frame, {error.name} is needed.", todo=todo) from error
    except (TypeError, ValueError):
        return series.cast(nw.String).to_polars()
