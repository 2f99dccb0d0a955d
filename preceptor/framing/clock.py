"""The times of rows: in which steps they come, what repeats, what is missing.

    clock = clock_of(times, codes)              # of rows sorted by series and time
    positions(clock, times, codes)              # (R,) steps since the first row of all

Shapes: R rows, sorted by series and then by time; `codes` (R,) number their series from 0.
"""

import numpy as np
import polars as pl

from preceptor.framing.frame import Clock

ON_GRID, NEAR = 0.9, 0.1
"""Times come in steps when nine gaps in ten are whole multiples of one, to within a tenth of it."""
SPARSE = 1.25
"""With more empty steps than a quarter of the rows (weekends without trade), rows are counted instead."""
DAYS_OF_A_MONTH = 27.5


def ticks(times: pl.Series) -> np.ndarray:
    """(R,) float64 in the time column's own unit: microseconds, days, or the number itself."""
    if isinstance(times.dtype, pl.Datetime):
        times = times.dt.cast_time_unit("us")
    return times.to_physical().cast(pl.Float64).to_numpy()


def clock_of(times: pl.Series, codes: np.ndarray) -> Clock:
    """The usual step between neighbouring rows of a series, in months of the calendar where that fits."""
    same = np.diff(codes) == 0
    gaps = np.diff(ticks(times))[same]
    gaps = gaps[gaps > 0]
    if not len(gaps):
        return Clock(1.0, counted=True)
    step = _usual(gaps)
    if times.dtype.is_temporal() and step >= DAYS_OF_A_MONTH * _day(times):
        month_gaps = np.diff(months(times))[same]
        usual = int(_usual(month_gaps[month_gaps > 0]))
        if _fits(month_gaps, usual):
            return Clock(step, months=usual)
    return Clock(step, counted=not _fits(gaps, step))


def _usual(gaps: np.ndarray) -> float:
    """The commonest gap; of those that hardly differ, as written-out fractions do, their median."""
    rounded = np.round(gaps / np.median(gaps), 3)
    found, counts = np.unique(rounded, return_counts=True)
    return float(np.median(gaps[rounded == found[counts.argmax()]]))


def _fits(gaps: np.ndarray, step: float) -> bool:
    whole = np.rint(gaps / step)
    on_grid = (np.abs(gaps / step - whole) < NEAR) & (whole >= 1)
    return bool(on_grid.mean() >= ON_GRID and whole.sum() <= SPARSE * len(gaps))


def _day(times: pl.Series) -> float:
    return 1.0 if times.dtype == pl.Date else 86_400e6


def months(times: pl.Series) -> np.ndarray:
    """(R,) months since the year 0."""
    return (times.dt.year().cast(pl.Int64) * 12 + times.dt.month()).to_numpy()


def positions(clock: Clock, times: pl.Series, codes: np.ndarray) -> np.ndarray:
    """(R,) int64: steps since the earliest row; counted from each series' first row where times have none."""
    if clock.counted:
        first = np.searchsorted(codes, codes)
        return np.arange(len(codes)) - first
    if clock.months:
        since = months(times) - months(times).min()
        return since // clock.months
    since = ticks(times) - ticks(times).min()
    return np.rint(since / clock.step).astype(np.int64)


def next_times(clock: Clock, last: pl.Series, steps: int) -> pl.Series:
    """The times `steps` steps after those of `last`, in its type."""
    if clock.months:
        return last.dt.offset_by(f"{clock.months * steps}mo")
    if last.dtype.is_temporal():
        unit = "d" if last.dtype == pl.Date else "us"
        return last.dt.offset_by(f"{round(clock.step * steps)}{unit}")
    return (last.cast(pl.Float64) + clock.step * steps).cast(last.dtype, strict=False)


def step_in_words(clock: Clock, times: pl.Series) -> str:
    """One step as a person says it: "1 hour", "3 months", "one row"."""
    if clock.counted:
        return "one row"
    if clock.months:
        return _counted(clock.months, "month") if clock.months % 12 else _counted(clock.months // 12, "year")
    if not times.dtype.is_temporal():
        return f"{clock.step:g} of '{times.name}'"
    seconds = clock.step * 86_400 / _day(times)
    for unit, long in (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds % long == 0:
            return _counted(round(seconds / long), unit)
    return f"{seconds:g} seconds"


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" + ("s" if number > 1 else "")
