"""Rows in the order of time, one a step; what was odd about their times is told.

    ordered, findings = in_order(table, time="date", series=None)
    ordered.places                               # (R,) steps since the earliest row

Shapes: R rows, sorted by series and then by time; S series.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.errors import Mistake
from preceptor.finding import Finding
from preceptor.framing.clock import clock_of, next_times, positions, step_in_words
from preceptor.framing.frame import Clock

MOST_REPEATED = 0.2


@dataclass(frozen=True)
class Ordered:
    """Rows by series and time: `codes` (R,) number the series, `places` (R,) the steps."""

    table: Table
    time: str
    clock: Clock
    codes: np.ndarray
    places: np.ndarray

    @property
    def times(self) -> pl.Series:
        """(R,) the time of each row."""
        return self.table.frame[self.time]

    @property
    def steps(self) -> int:
        """How many steps lie between the first row of all and the last, both counted."""
        return int(np.ptp(self.places)) + 1 if len(self.places) else 0

    @property
    def regular(self) -> bool:
        """Whether nine rows in ten follow the one before them by exactly one step."""
        same = np.diff(self.codes) == 0
        single = np.diff(self.places)[same] == 1
        return bool(len(single) and single.mean() >= 0.9 and not self.clock.counted)

    def later(self, last: np.ndarray, steps: int) -> pl.Series:
        """The times `steps` steps after those of the rows `last`."""
        return next_times(self.clock, self.times.gather(last), steps)


def in_order(
    table: Table, time: str, series: str | None = None, clock: Clock | None = None
) -> tuple[Ordered, list[Finding]]:
    """Sorted rows, repeated times averaged; `clock` is the one that an earlier table went by.

    Raises Mistake "column-absent", "time-unordered", "times-missing", "times-repeat".
    """
    for name in filter(None, (time, series)):
        table.named(name)
    kept, findings = _timed(table, time)
    codes = _codes(kept.frame, series)
    order = np.lexsort((kept.frame[time].to_physical().to_numpy(), codes))
    if (np.diff(order) < 0).any() and not series:
        findings.append(_unsorted(time, int((np.diff(order) < 0).sum())))
    kept, codes = kept.take(order), codes[order]
    if clock is None:
        clock = clock_of(kept.frame[time], codes)
    places = _counted_apart(clock, kept.frame[time], codes)
    ordered, repeats = _one_a_step(Ordered(kept, time, clock, codes, places), series)
    return ordered, [*findings, *repeats, *_gaps(ordered)]


def _timed(table: Table, time: str) -> tuple[Table, list[Finding]]:
    """The rows that have a time."""
    column = table.frame[time]
    if not (column.dtype.is_temporal() or column.dtype.is_numeric()):
        raise Mistake(
            "time-unordered",
            f"The column '{time}' has no order in time.",
            where=f"{table.source}, --time {time}",
            why=f"It holds values such as {column.drop_nulls().head(3).to_list()}.",
            todo="Name a column of dates or numbers, or write its dates like 2024-12-31.",
        )
    known = (column.fill_nan(None) if column.dtype.is_float() else column).is_not_null().to_numpy()
    if not known.any():
        raise Mistake("times-missing", f"No row has a time in '{time}'.", where=table.source)
    if known.all():
        return table, []
    count = int((~known).sum())
    return table.take(np.flatnonzero(known)), [
        Finding(
            "times-missing",
            "warning",
            f"{count:,} rows have no time in '{time}'.",
            column=time,
            evidence={"rows": count},
            done="left out: their place in the series is not known",
        )
    ]


def _codes(frame: pl.DataFrame, series: str | None) -> np.ndarray:
    if series is None:
        return np.zeros(frame.height, dtype=np.int64)
    return frame[series].rank("dense").fill_null(0).cast(pl.Int64).to_numpy()


def _unsorted(time: str, places: int) -> Finding:
    return Finding(
        "times-unsorted",
        "note",
        f"The rows do not stand in the order of '{time}': time goes back {places:,} times.",
        column=time,
        evidence={"places": places},
        done="sorted by time",
    )


def _counted_apart(clock: Clock, times: pl.Series, codes: np.ndarray) -> np.ndarray:
    """Places of rows; where rows are counted, those of one moment share theirs."""
    if not clock.counted:
        return positions(clock, times, codes)
    moments = times.to_physical().to_numpy()
    new = np.r_[True, (np.diff(moments) != 0) | (np.diff(codes) != 0)]
    return positions(clock, times.filter(pl.Series(new)), codes[new])[np.cumsum(new) - 1]


def _one_a_step(ordered: Ordered, series: str | None) -> tuple[Ordered, list[Finding]]:
    """Numbers of rows that share a step averaged; of the other columns the first."""
    keys = np.stack([ordered.codes, ordered.places], axis=1)
    new = np.r_[True, (np.diff(keys, axis=0) != 0).any(axis=1)] if len(keys) else np.zeros(0, dtype=bool)
    repeated = int((~new).sum())
    if not repeated:
        return ordered, []
    table = ordered.table
    if repeated > MOST_REPEATED * len(new):
        raise _repeats(table, ordered.time, repeated, series)
    numbers = [one.name for one in table.frame if one.dtype.is_numeric() and one.name != ordered.time]
    means, first = pl.col(numbers).mean(), pl.all().exclude(*numbers, " step").first()
    frame = table.frame.with_columns(pl.Series(" step", np.cumsum(new)))
    merged = frame.group_by(" step", maintain_order=True).agg(means, first).select(table.frame.columns)
    kept = replace(table, frame=merged, lines=table.lines[new])
    return replace(ordered, table=kept, codes=ordered.codes[new], places=ordered.places[new]), [
        Finding(
            "times-repeat",
            "warning",
            f"{repeated:,} of {len(new):,} rows have the time of an earlier row.",
            column=ordered.time,
            evidence={"repeated": repeated, "rows": len(new)},
            done="rows of one time became one: numbers averaged, of other values the first",
            remedy="If several series share the times, name the column that tells them apart: --series.",
        )
    ]


def _repeats(table: Table, time: str, repeated: int, series: str | None) -> Mistake:
    apart = [name for name in table.frame.columns if name != time and _tells_apart(table, time, name)]
    keys = f"'{time}' within one '{series}'" if series else f"'{time}'"
    return Mistake(
        "times-repeat",
        f"{repeated:,} of {len(table):,} rows have a time that another row has too.",
        where=f"{table.source}, {keys}",
        why="A forecast needs one row for each time.",
        todo=(
            f"If '{apart[0]}' tells several series apart: --series {apart[0]}."
            if apart and not series
            else "Name another --time column, or join date and clock into one column."
        ),
    )


def _tells_apart(table: Table, time: str, name: str) -> bool:
    column = table.frame[name]
    few = not column.dtype.is_float() and column.n_unique() <= len(table) / 5
    return few and table.frame.select(time, name).n_unique() == len(table)


def _gaps(ordered: Ordered) -> Iterator[Finding]:
    """Steps without a row; or times that follow no step at all."""
    name, word = ordered.time, step_in_words(ordered.clock, ordered.times)
    steps = np.diff(ordered.places)[np.diff(ordered.codes) == 0]
    missing = int((steps - 1).sum())
    if ordered.clock.counted and len(steps):
        yield Finding(
            "times-irregular",
            "warning",
            f"The times in '{name}' follow no regular step.",
            column=name,
            evidence={"usual_step": ordered.clock.step},
            done="rows are counted: the next row is the next step, however much later it comes",
            remedy="If the rows should be regular, fill in the missing ones, or average over equal times.",
        )
    elif missing:
        yield Finding(
            "times-gaps",
            "note",
            f"{missing:,} steps of {word} have no row, in {(steps > 1).sum():,} gaps; the longest is of "
            f"{steps.max() - 1:,}.",
            column=name,
            evidence={"missing": missing, "gaps": int((steps > 1).sum()), "longest": int(steps.max() - 1)},
            done="kept as gaps: the model is told that nothing was measured there",
        )
