"""Many rows of one series become one example: its columns over time, its constants, its answer.

    framed = bundled(table, Plan(target="gesture", series="recording"))
    framed.table["history"]                     # one list of (D,) steps a series, lengths vary

Shapes: R rows, S series, D columns that change within a series.
"""

from dataclasses import replace

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.errors import Mistake
from preceptor.framing.frame import Frame
from preceptor.framing.windows import HISTORY, numbers


def frame_by_series(
    table: Table, target: str, series: str, time: str | None, ignore: tuple[str, ...]
) -> Frame:
    """Which columns change within a series, and which are constant there.

    Raises Mistake "column-absent", "series-answers-differ", "series-single".
    """
    for name in filter(None, (series, target, time)):
        table.named(name)
    others = [name for name in table.frame.columns if name not in (series, time, *ignore)]
    different = table.frame.group_by(series).agg(pl.col(others).drop_nulls().n_unique())
    most = different.select(pl.col(others).max()).row(0, named=True)
    if most[target] > 1:
        raise _differ(table, target, series)
    if table.frame[series].n_unique() == len(table):
        raise Mistake(
            "series-single",
            f"Every row has a '{series}' of its own: there are no series.",
            where=f"{table.source}, --series {series}",
            todo="Name the column that several rows of one series share, or leave out --series.",
        )
    inputs = [name for name in others if name != target]
    moving = [name for name in inputs if most[name] > 1 and is_number(table.frame[name])]
    plain = [name for name in inputs if most[name] <= 1]
    return Frame((target,), series=series, time=time, channels=tuple(moving), plain=tuple(plain))


def is_number(column: pl.Series) -> bool:
    """Whether a column can be a channel of a series."""
    return column.dtype.is_numeric() or column.dtype == pl.Boolean


def _differ(table: Table, target: str, series: str) -> Mistake:
    return Mistake(
        "series-answers-differ",
        f"The rows of one '{series}' have different answers in '{target}'.",
        where=f"{table.source}, --series {series}",
        why="Without a horizon each series is one example, with one answer.",
        todo="To forecast each series: --time COLUMN --horizon 1. To predict every row: leave out --series.",
    )


def bundles(table: Table, frame: Frame) -> Table:
    """One row a series, in the order of their first rows; within a series rows go by time."""
    assert frame.series
    order = np.arange(len(table))
    if frame.time:
        order = table.frame[frame.time].arg_sort(nulls_last=True).to_numpy()
    table = table.take(order)
    values = np.ascontiguousarray(numbers(table.frame, frame.channels))
    steps = pl.Series(HISTORY, values, dtype=pl.Array(pl.Float32, values.shape[1]))
    constant = [name for name in (*frame.plain, *frame.targets) if name in table.frame.columns]
    whole = table.frame.select(frame.series, *constant).with_columns(steps, pl.Series(" line", table.lines))
    grouped = whole.group_by(frame.series, maintain_order=True).agg(
        pl.col(constant).drop_nulls().first(), pl.col(HISTORY), pl.col(" line").min()
    )
    grouped = grouped.sort(" line", maintain_order=True)
    lines = grouped[" line"].to_numpy()
    columns = [frame.series, *frame.plain, HISTORY, *(name for name in frame.targets if name in constant)]
    return replace(table, frame=grouped.select(columns), lines=lines)
