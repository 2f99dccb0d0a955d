"""Columns of text become columns of values, one after the other; what does not fit is counted.

    column = cast(pl.Series(["3", "x"]), Reading("number"))        # values [3, null], misfits [1]

What a column is, a sample spread over it suggests and the whole of it confirms.
"""

from dataclasses import dataclass, field, replace

import polars as pl

from preceptor.data.dates import date, day_first, formats_of, is_timed, twin
from preceptor.data.numbers import code_in, mark_of, number, unit_of, whole
from preceptor.data.table import Schema

# No value, whatever the column; the loose ones may be an answer in a column of words ("none", "-").
MISSING = ("", "na", "n/a", "#n/a", "nan", "null", "?", "<na>", "nat")
LOOSE = (*MISSING, "none", "nil", "-", "--", ".")
FIT = 0.9
NEARLY = 0.5
ISO = "%Y-%m-%d"
TRUTH = {"true": True, "false": False}


@dataclass(frozen=True)
class Reading:
    """How the text of one column is read.

    `type` as in a Schema; `mark` is the decimal mark of a number, `unit` its sign, `format` the
    strptime format of a date. `doubt` is "," or "." when that mark may part thousands as well, or
    the other format when day and month may change places.
    """

    type: str
    mark: str = "."
    unit: str = ""
    format: str = ""
    doubt: str = ""


@dataclass(frozen=True)
class Cast:
    """A column's values, null where there is none, the rows whose text did not fit, and a remark."""

    reading: Reading
    values: pl.Series
    misfits: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.UInt32))
    note: str = ""


def reading_of(texts: pl.Series) -> Reading:
    """What a sample of a column looks like: the strictest type that nine in ten of its values fit.

    Half of them are enough for a number, so that `confirmed` can say why it stays text after all.
    """
    texts = texts.str.strip_chars()
    texts = texts.filter(~_is_missing(texts, LOOSE))
    if not texts.len():
        return Reading("text")
    if texts.str.to_lowercase().is_in([*TRUTH]).all():
        return Reading("boolean")
    unit = unit_of(texts)
    mark = mark_of(texts, unit)
    reading = Reading(
        "number", "," if mark == "," else ".", unit, doubt=mark[:1] if mark.endswith("?") else ""
    )
    share = number(texts, reading.mark, unit).count() / texts.len()
    if share < FIT and (formats := formats_of(texts)):
        return _date(*formats)
    return reading if share >= NEARLY else Reading("text")


def reading_by(schema: Schema, name: str, texts: pl.Series) -> Reading:
    """How `schema` reads the column. Its type stands; a sample may show another hand's mark or format."""
    kind = schema.types[name]
    if kind not in ("number", "date", "datetime"):
        return Reading(kind)
    seen = reading_of(texts)
    if kind in ("date", "datetime"):
        known = schema.date_formats.get(name, "")
        fits = known and known in (seen.format, seen.doubt)
        return Reading(kind, format=known if fits else seen.format or known or ISO)
    sure = seen.type == kind == "number" and not seen.doubt and mark_of(texts.str.strip_chars(), seen.unit)
    return Reading(kind, sure or schema.decimals.get(name, "."), schema.units.get(name, seen.unit))


def settled(readings: dict[str, Reading]) -> dict[str, Reading]:
    """Doubts of one column settled by what is certain of the others: the same hand wrote them all."""
    numbers = [reading for reading in readings.values() if reading.type == "number" and not reading.doubt]
    decimal_comma = any(reading.mark == "," for reading in numbers)
    dates = [reading for reading in readings.values() if reading.format and twin(reading.format)]
    sure = {day_first(reading.format) for reading in dates if not reading.doubt}
    result = {}
    for name, reading in readings.items():
        if reading.type == "number" and reading.doubt and decimal_comma:
            reading = replace(reading, mark=",")
        elif reading.format and reading.doubt and len(sure) == 1:
            kept = day_first(reading.format) in sure
            reading = replace(reading, format=reading.format if kept else reading.doubt, doubt="")
        result[name] = reading
    return result


def cast(texts: pl.Series, reading: Reading) -> Cast:
    """Every value that fits the reading; text, and the paths of pictures, always do."""
    if reading.type in ("text", "picture"):
        stripped = texts.str.strip_chars()
        return Cast(reading, stripped.set(_is_missing(stripped, MISSING), None))
    if reading.type == "number":
        values = whole(number(texts, reading.mark, reading.unit))
    elif reading.type == "boolean":
        values = texts.str.strip_chars().str.to_lowercase().replace_strict(TRUTH, default=None)
    else:
        values = date(texts, reading.format).cast(pl.Date if reading.type == "date" else pl.Datetime("us"))
    if values.null_count() == texts.null_count():
        return Cast(reading, values)
    left = values.is_null().arg_true()
    return Cast(reading, values, left.filter(~_is_missing(texts[left].str.strip_chars(), LOOSE)))


def confirmed(texts: pl.Series, reading: Reading) -> Cast:
    """A sniffed reading held against the whole column: kept, turned, or given up for text.

    Where something does not fit, the other decimal mark or order of day and month may fit better.
    Numbers that are codes, and columns with more than one misfit in ten, stay text.
    """
    tried = cast(texts, reading)
    if tried.misfits.len() and (other := _turned(reading)):
        tried = min(tried, cast(texts, other), key=lambda one: one.misfits.len())
    why = _refusal(texts, tried)
    if why is not None:
        return replace(cast(texts, Reading("text")), note=why)
    return replace(tried, note="" if tried.misfits.len() else _doubt(tried.reading))


def _refusal(texts: pl.Series, tried: Cast) -> str | None:
    """Why the column had better stay text, '' where that is plain to see; None if it need not."""
    kind, misfits = tried.reading.type, tried.misfits.len()
    filled = tried.values.count() + misfits
    if misfits > (1 - FIT) * filled or (kind == "boolean" and misfits):
        first = texts[tried.misfits[0]].strip()
        told = f"stays text: {misfits:,} of {filled:,} values are no {kind}, the first is {first!r}"
        return told if misfits < NEARLY * filled else ""
    if kind == "number" and (code := code_in(texts, tried.values)):
        return f"stays text, for {code!r} is a code that would change as a number"
    return None


def _date(format: str, doubt: str = "") -> Reading:
    return Reading("datetime" if is_timed(format) else "date", format=format, doubt=doubt)


def _turned(reading: Reading) -> Reading | None:
    if reading.type == "number":
        return replace(reading, mark="." if reading.mark == "," else ",", doubt="")
    return _date(other) if (other := twin(reading.format)) else None


def _doubt(reading: Reading) -> str:
    if reading.format and reading.doubt:
        order = "day" if day_first(reading.format) else "month"
        return f"could have day or month first in every row; read with the {order} first"
    if reading.doubt not in ("", reading.mark):
        return f"has {reading.doubt!r} before three digits only, as in 1{reading.doubt}234; read as 1234"
    return ""


def _is_missing(stripped: pl.Series, markers: tuple[str, ...]) -> pl.Series:
    # No marker is longer than four letters: five of a text tell, however long it is.
    return stripped.str.head(5).str.to_lowercase().is_in(markers).fill_null(True)
