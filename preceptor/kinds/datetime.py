"""The kind datetime: moments and days, as an input.

    moment = Datetime("sold").fit(training["sold"])
    moment.encode(table["sold"])     # (N, W) float32: linear time, then sine and cosine of each cycle

Times are whole microseconds since 1970, by the clock on the wall.
"""

from typing import ClassVar, Self

import numpy as np
import polars as pl
import torch
from torch import Tensor

from preceptor.kinds.kind import Guess, Kind
from preceptor.kinds.stateful import Stateful
from preceptor.kinds.values import sample
from preceptor.shapes import Shape

SECOND = 1_000_000
DAY = 86_400 * SECOND
RESOLUTIONS = (DAY, 3_600 * SECOND, 60 * SECOND, SECOND, 1_000, 1)
CYCLES = {"day": DAY, "week": 7 * DAY, "month": 28 * DAY, "year": 365 * DAY}
"""Cycles by name, with the shortest stretch of time that holds a whole one."""

_ISO = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S%.f")
_DAYS = ("%Y/%m/%d", "%d.%m.%Y", "%m/%d/%y", "%d/%m/%y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%d %b %Y")
FORMATS = (*_ISO, *(day + time for day in _DAYS for time in ("", " %H:%M", " %H:%M:%S%.f")))
"""How dates are written as text, months ("1949-01") among the first; of equals the earlier is taken."""


class Datetime(Stateful, Kind):
    """Linear time, the cycles that training saw whole and that vary, and a flag for missing values.

    Linear time runs from -1 to 1 over the training rows and stops at -3 and 3. A missing value, or
    text that is no date, is all zeros (and raises the flag, if training had missing values): the
    middle of the time, the hub of every cycle. Decoding keeps the training column's resolution (days,
    hours, ...): it is exact where that is coarser than 1.2e-7 of the training range, else true to
    1.2e-7 of that range. Time zones are kept; dates written as text decode as dates.
    """

    name: ClassVar[str] = "datetime"
    lossless: ClassVar[bool] = True

    def __init__(self, column: str):
        super().__init__(column)
        self.days = False
        self.zone: str | None = None
        self.formats: list[str] = list(_ISO)
        self.start, self.span, self.resolution = 0, 0, DAY
        self.cycles: list[str] = []
        self.flag = False

    @classmethod
    def recognise(cls, column: pl.Series, *, as_target: bool = False) -> Guess:
        """Sure of dates, and of text that reads as dates in one format; never of a target."""
        if as_target:
            return Guess(0.0, "a date cannot be asked for yet, only used as an input")
        if column.dtype in (pl.Date, pl.Datetime):
            return Guess(1.0, "dates")
        if column.dtype != pl.String:
            return Guess(0.0, "the values are not dates")
        some = sample(column)
        form = _likeliest(some)
        share = _read(some, [form]).is_not_null().sum() / max(1, len(some))
        confidence = 0.95 if share >= 0.95 else 0.3 if share >= 0.5 else 0.0
        return Guess(confidence, f"text, of which {share:.0%} reads as dates like {form}")

    def fit(self, column: pl.Series) -> Self:
        """Learn range, resolution and cycles; for text, the format."""
        self.days = column.dtype == pl.Date
        self.zone = getattr(column.dtype, "time_zone", None)
        self.formats = [_likeliest(sample(column))] if column.dtype == pl.String else list(_ISO)
        moments = self._moments(column)
        self.flag = moments.null_count() > 0
        present = moments.drop_nulls()
        times = present.to_physical().to_numpy() if len(present) else np.zeros(1, dtype=np.int64)
        self.start, self.span = int(times.min()), int(np.ptp(times))
        self.resolution = next(unit for unit in RESOLUTIONS if not ((times - self.start) % unit).any())
        phases = {name: _phase(present, name) for name, whole in CYCLES.items() if self.span >= whole}
        self.cycles = [name for name, phase in phases.items() if np.ptp(phase) > 0]
        return self

    def _moments(self, column: pl.Series) -> pl.Series:
        """The column as microseconds on the wall clock; null where there is no date."""
        if column.dtype == pl.String:
            return _read(column, self.formats)
        if column.dtype not in (pl.Date, pl.Datetime):
            return pl.Series(column.name, [None], dtype=pl.Datetime("us")).new_from_index(0, len(column))
        column = column.cast(pl.Datetime("us", getattr(column.dtype, "time_zone", None)))
        if self.zone and column.dtype != pl.Datetime("us"):
            column = column.dt.convert_time_zone(self.zone)
        return column.dt.replace_time_zone(None)

    @property
    def shape(self) -> Shape:
        """Linear time, two for each cycle, and the flag."""
        return Shape("numbers", (1 + 2 * len(self.cycles) + self.flag,))

    def encode(self, column: pl.Series) -> Tensor:
        """(N, W) float32: linear time, sine and cosine of each cycle, 1 where the value is missing."""
        moments = self._moments(column)
        missing = moments.is_null().to_numpy()
        moments = moments.fill_null(pl.Series([self.start], dtype=pl.Int64).cast(pl.Datetime("us")).item())
        since = moments.to_physical().to_numpy() - self.start
        parts = [np.clip(2 * since / self.span - 1, -3, 3) if self.span else np.zeros(len(since))]
        for name in self.cycles:
            angle = 2 * np.pi * _phase(moments, name)
            parts += [np.sin(angle), np.cos(angle)]
        encoded = np.column_stack(parts) * ~missing[:, None]
        width = self.shape.sizes[0]
        return torch.from_numpy(np.column_stack([encoded, missing])[:, :width].astype(np.float32))

    def decode(self, encoded: Tensor) -> pl.Series:
        """Dates or datetimes, read off the linear time; null where the flag is up."""
        since = (encoded[:, 0].double().numpy() + 1) / 2 * self.span
        times = np.rint(since / self.resolution).astype(np.int64) * self.resolution + self.start
        moments = pl.Series(self.column, times).cast(pl.Datetime("us"))
        if self.flag:
            moments = moments.set(pl.Series(encoded[:, -1].numpy() > 0.5), None)
        if self.days:
            return moments.dt.date()
        return moments.dt.replace_time_zone(self.zone, ambiguous="earliest", non_existent="null")


def _phase(moments: pl.Series, cycle: str) -> np.ndarray:
    """(N,) how far into its day, week, month or year each moment is, from 0 to below 1."""
    if cycle == "day":
        return moments.to_physical().to_numpy() % DAY / DAY
    if cycle == "week":
        return (moments.dt.weekday().to_numpy() - 1) / 7
    if cycle == "month":
        return (moments.dt.day().to_numpy() - 1) / 31
    return (moments.dt.ordinal_day().to_numpy() - 1) / 366


def _read(column: pl.Series, formats: list[str]) -> pl.Series:
    """Text as moments, by the first format that reads a value; null where none does."""
    plain = column.str.strip_chars().str.replace(r"^(\d{4}-\d\d)$", "${1}-01").str.strip_suffix("Z")
    plain = plain.str.replace(r"^(\d{4}-\d\d-\d\d)T", "${1} ")
    readings = [plain.str.to_datetime(form, strict=False, time_unit="us") for form in formats]
    return pl.select(pl.coalesce(readings)).to_series().alias(column.name)


def _likeliest(column: pl.Series) -> str:
    """The format that reads most of the values."""
    return max(FORMATS, key=lambda form: _read(column, [form]).is_not_null().sum())
