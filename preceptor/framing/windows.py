"""Rows in order become examples: a stretch of the past, and what came next.

    windows(ordered, frame)                      # one row for each moment with a past and an answer
    ahead(ordered, frame)                        # one row for each series: what comes after its end

Shapes: R rows, G steps of the grid (all series one after the other, empty steps included), N examples,
T steps of history, D channels, H steps ahead, K targets.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.lib.stride_tricks import sliding_window_view

from preceptor.data.table import Table
from preceptor.framing.frame import Frame
from preceptor.framing.order import Ordered

HISTORY, STRETCH, UNTIL = "history", "stretch of time", "until"
KNOWN_SHARE = 0.5
"""At least so much of the targets' own history must have been measured."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
CALENDAR = {
    "hour of day": lambda times: [f"hour {hour:02}" for hour in times.dt.hour()],
    "day of week": lambda times: [WEEKDAYS[day - 1] for day in times.dt.weekday()],
    "month of year": lambda times: [MONTHS[month - 1] for month in times.dt.month()],
}


@dataclass(frozen=True)
class Grid:
    """Every step of every series: `values` (G, D) with NaN where nothing was measured.

    `rows` (G,) are the steps' rows, -1 where there is none; `known` (G,) the last row there was by then;
    `starts` and `ends` (S,) bound the series; `places` (G,) count the steps since the first of all.
    """

    values: np.ndarray
    rows: np.ndarray
    known: np.ndarray
    places: np.ndarray
    starts: np.ndarray
    ends: np.ndarray


def grid_of(ordered: Ordered, channels: tuple[str, ...]) -> Grid:
    """The rows on their steps, with empty steps between them."""
    codes, places = ordered.codes, ordered.places
    firsts = np.flatnonzero(np.r_[True, np.diff(codes) != 0])
    lasts = np.r_[firsts[1:], len(codes)] - 1
    ends = np.cumsum(places[lasts] - places[firsts] + 1)
    starts = np.r_[0, ends[:-1]]
    series = np.repeat(np.arange(len(firsts)), lasts - firsts + 1)
    spots = starts[series] + places - places[firsts][series]
    rows = np.full(ends[-1], -1)
    rows[spots] = np.arange(len(codes))
    values = np.full((len(rows), len(channels)), np.nan, dtype=np.float32)
    values[spots] = numbers(ordered.table.frame, channels)
    owner = np.repeat(np.arange(len(firsts)), ends - starts)
    steps = np.arange(len(rows)) - starts[owner] + places[firsts][owner]
    return Grid(values, rows, np.maximum.accumulate(rows), steps, starts, ends)


def numbers(frame: pl.DataFrame, columns: tuple[str, ...]) -> np.ndarray:
    """(R, D) float32: NaN where there is no finite number."""
    cast = frame.select(pl.col(columns).cast(pl.Float64, strict=False)).to_numpy()
    return np.where(np.isfinite(cast), cast, np.nan).astype(np.float32)


def origins_of(grid: Grid, frame: Frame) -> np.ndarray:
    """(N,) the steps at which a forecast is made: with a whole history before and all answers after."""
    spans = zip(grid.starts + frame.history - 1, grid.ends - frame.horizon, strict=True)
    origins = np.concatenate([np.arange(first, max(first, end)) for first, end in spans])
    asked = np.isfinite(grid.values[:, : len(frame.targets)])
    told = np.r_[np.zeros((1, asked.shape[1])), np.cumsum(asked, axis=0)]
    answered = (told[origins + frame.horizon + 1] - told[origins + 1] == frame.horizon).all(axis=1)
    past = told[origins + 1] - told[origins + 1 - frame.history]
    origins = origins[answered & (past >= KNOWN_SHARE * frame.history).all(axis=1)]
    return origins[::-1][:: frame.stride][::-1]


def windows(ordered: Ordered, frame: Frame, after: int = -1) -> Table:
    """One row for each moment: the past as `history`, calendar and last known values, and the answer.

    Its time and line are those of the first step ahead, `until` is the time of the last; only steps later
    than place `after` are asked for.
    """
    grid = grid_of(ordered, frame.channels)
    origins = origins_of(grid, frame)
    origins = origins[grid.places[origins] >= after]
    first = grid.rows[origins + 1]
    exact = ordered.table.frame.select(pl.col(frame.targets).cast(pl.Float64, strict=False)).to_numpy()
    answers = exact[grid.rows[origins[:, None] + 1 + np.arange(frame.horizon)]]
    times = ordered.times.gather(first)
    until = ordered.times.gather(grid.rows[origins + frame.horizon]).alias(UNTIL)
    columns = [*_inputs(ordered, frame, grid, origins, times), until, _stretches(grid, origins, frame)]
    table = ordered.table
    example = pl.DataFrame([*columns, _asked(frame, answers)])
    return Table(example, table.lines[first], table.source, table.schema, table.account)


def _asked(frame: Frame, answers: np.ndarray) -> pl.Series:
    """(N, H, K) as a column of numbers where a forecast is one, else of arrays."""
    if not frame.several:
        return pl.Series(frame.target, answers[:, 0, 0])
    dtype = pl.Array(pl.Float64, answers.shape[1:])
    return pl.Series(frame.target, np.ascontiguousarray(answers), dtype=dtype)


def _stretches(grid: Grid, origins: np.ndarray, frame: Frame) -> pl.Series:
    """Neighbouring forecasts share a number, counted from the end: they succeed and fail together."""
    last = grid.places.max(initial=0) - frame.horizon
    return pl.Series(STRETCH, (last - grid.places[origins]) // frame.block)


def _inputs(
    ordered: Ordered, frame: Frame, grid: Grid, origins: np.ndarray, times: pl.Series
) -> list[pl.Series]:
    """Time, series, last known values, calendar and history of the forecasts made at `origins`."""
    size, width = frame.history, len(frame.channels)
    past = sliding_window_view(grid.values.reshape(-1), size * width)  # a history lies in one piece
    history = past[(origins - size + 1) * width].reshape(-1, size, width)
    last = grid.known[origins]
    names = [frame.series] if frame.series else []
    return [
        times.alias(ordered.time),
        *(ordered.table.frame[name].gather(last) for name in (*names, *frame.plain)),
        *(pl.Series(name, CALENDAR[name](times), dtype=pl.String) for name in frame.calendar),
        pl.Series(HISTORY, history, dtype=pl.Array(pl.Float32, history.shape[1:])),
    ]


def ahead(ordered: Ordered, frame: Frame) -> Table:
    """One row for each series, without an answer: the forecast after its last row.

    A series shorter than the history is padded in front with nothing.
    """
    grid = grid_of(ordered, frame.channels)
    padded = _padded(grid, frame.history)
    origins = padded.ends - 1
    last = padded.known[origins]
    times = ordered.later(last, 1)
    table = ordered.table
    example = pl.DataFrame(_inputs(ordered, frame, padded, origins, times))
    return Table(example, table.lines[last], table.source, table.schema, table.account)


def _padded(grid: Grid, history: int) -> Grid:
    """The last `history` steps of every series, with empty steps in front where it has fewer."""
    count, width = len(grid.starts), grid.values.shape[1]
    values = np.full((count, history, width), np.nan, dtype=np.float32)
    for number, (start, end) in enumerate(zip(grid.starts, grid.ends, strict=True)):
        kept = grid.values[max(start, end - history) : end]
        values[number, history - len(kept) :] = kept
    ends = history * (1 + np.arange(count))
    known = np.repeat(grid.known[grid.ends - 1], history)
    return Grid(values.reshape(-1, width), known, known, known, ends - history, ends)
