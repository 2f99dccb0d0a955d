"""Texts that are dates, in the ways people write them; day or month first is decided by evidence.

    formats_of(pl.Series(["13/1/2011", "2/1/2011"]))      # ["%d/%m/%Y"]

Two digits of a year mean 1970 to 2069. A month without a day is its first.
"""

from collections.abc import Iterator

import polars as pl

SHARE = 0.9
EARLIEST = 1000
# Twins differ in which of day and month comes first; the first of each pair is the custom, if in doubt.
TWINS = [
    ("%m/%d/%Y", "%d/%m/%Y"),
    ("%m/%d/%y", "%d/%m/%y"),
    ("%d.%m.%Y", "%m.%d.%Y"),
    ("%d.%m.%y", "%m.%d.%y"),
    ("%d-%m-%Y", "%m-%d-%Y"),
    ("%d-%m-%y", "%m-%d-%y"),
]
SINGLE = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d %B %Y",
    "%d-%B-%Y",
    "%d-%B-%y",
    "%d/%B/%Y",
    "%B %d, %Y",
    "%B %d %Y",
    "%Y-%m",
    "%Y/%m",
    "%m/%Y",
    "%B %Y",
    "%B-%y",
    "%B-%Y",
]
CLOCKS = ["%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p"]
ZONES = ["", "%#z", " UTC", " %#z"]
PLAUSIBLE = r"^\d{1,4}[-/. ](\d{1,2}|[[:alpha:]]{3,9})([-/. ]|$)|^[[:alpha:]]{3,9}[ -]\d{1,4}(,? \d{4})?"
TWIN_OF = {name: twin for pair in TWINS for name, twin in (pair, pair[::-1])}


def formats_of(texts: pl.Series) -> list[str]:
    """The strptime formats that fit the most of the (stripped) texts; [] when none fits nine in ten.

    Two formats come back when the day and the month could change places.
    """
    plausible = texts.str.contains(PLAUSIBLE).sum()
    if plausible < SHARE * texts.len() or not texts.len():
        return []
    timed = texts.str.contains(":", literal=True).sum() > texts.len() / 2
    fits = {format: date(texts, format).count() for format in _formats(timed)}
    best = max(fits.values())
    if best < SHARE * texts.len():
        return []
    found = next(format for format, count in fits.items() if count == best)
    return [format for format in (found, twin(found)) if fits.get(format) == best]


def twin(format: str) -> str:
    """The format with day and month changed; '' for one in which they cannot be taken for another."""
    day = format.split(" ")[0]
    return format.replace(day, TWIN_OF[day], 1) if day in TWIN_OF else ""


def day_first(format: str) -> bool:
    """Does a numeric date begin with the day?"""
    return format.startswith("%d")


def is_timed(format: str) -> bool:
    """Does the format hold a clock time?"""
    return "%H" in format or "%I" in format


def date(texts: pl.Series, format: str) -> pl.Series:
    """The texts as Date, or Datetime in microseconds (of UTC where a zone is given); null where none is."""
    texts = texts.str.strip_chars()
    if "%d" not in format:
        texts, format = "1 " + texts, "%d " + format
    if is_timed(format):
        values = texts.str.to_datetime(format, time_unit="us", strict=False)
        values = values.dt.replace_time_zone(None)
    else:
        values = texts.str.to_date(format, strict=False)
    return values.set(values.dt.year() < EARLIEST, None)


def _formats(timed: bool) -> Iterator[str]:
    days = [*SINGLE[:3], *(format for pair in TWINS for format in pair), *SINGLE[3:]]
    if not timed:
        yield from days
        return
    for day in days:
        for clock in CLOCKS:
            yield f"{day} {clock}"
    for clock in CLOCKS[:2]:
        for zone in ZONES:
            yield f"%Y-%m-%dT{clock}{zone}"
            yield f"%Y-%m-%d {clock}{zone}"
