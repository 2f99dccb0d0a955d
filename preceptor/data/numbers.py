"""Texts that are numbers, as people write them: 1234.5, 1,234.5, 1.234,5, 1 234,5, 12 %, -$1,200.

A per cent stays what is written: "12 %" reads as 12. What a leading zero or too many digits mark as
a code ("00123", a 19-digit id) is no number: it would come back changed.
"""

import re

import polars as pl

UNITS = "$€£¥₹%"
EXACT = 2.0**53
CODE = r"^\s*[+-]?0+[1-9]\d*\s*$"
PLAIN = r"^\s*([+-]?(\d+|\d*\.\d+)([eE][+-]?\d+)?)?\s*$"
ALL_DIGITS = r"^\s*[+-]?\d+\s*$"
# Marks between groups of three digits: apostrophes, blanks, narrow and unbreakable ones.
GAP = "['’ \u00a0\u202f]"
SURE = (
    r"^[+-]?(\d*{mark}(\d{{1,2}}|\d{{4,}})|0+{mark}\d+|\d{{4,}}{mark}\d+|\d{{1,3}}({other}\d{{3}})+{mark}\d+)"
    r"([eE][+-]?\d+)?$"
)
UNSURE = r"^[+-]?[1-9]\d{{0,2}}({mark}\d{{3}})+$"


def plain_numbers(sample: pl.DataFrame) -> set[str]:
    """The text columns that hold whole numbers or decimal points and leave no doubt, found all at once."""
    texts = sample.select(pl.col(pl.String))
    point = SURE.format(mark=r"\.", other=f"(?:,|{GAP})")
    plain = texts.select(pl.all().str.contains(PLAIN).all() & pl.all().str.contains(r"\d").any())
    doubt = texts.select(pl.all().str.contains(r"\.").any() & ~pl.all().str.contains(point).any())
    return {name for name in texts.columns if plain[name].item() and not doubt[name].item()}


def unit_of(texts: pl.Series) -> str:
    """The one sign that stands before or after the numbers; none, or several, give ''."""
    before = texts.str.extract(rf"^[+-]?\s*([{UNITS}])\s*\d").drop_nulls().unique()
    after = texts.str.extract(rf"\d\s*([{UNITS}])$").drop_nulls().unique()
    signs = {*before, *after}
    return signs.pop() if len(signs) == 1 else ""


def mark_of(texts: pl.Series, unit: str) -> str:
    """Evidence for the decimal mark in bare texts: "," or "."; ",?" or ".?" if it may part thousands."""
    texts = _bare(texts, unit)

    def count(pattern: str, mark: str, other: str) -> int:
        return int(texts.str.contains(pattern.format(mark=mark, other=other)).sum())

    commas, points = count(SURE, ",", rf"(?:\.|{GAP})"), count(SURE, r"\.", f"(?:,|{GAP})")
    if commas or points:
        return "," if commas > points else "."
    if count(UNSURE, ",", ""):
        return ",?"
    return ".?" if count(UNSURE, r"\.", "") else ""


def number(texts: pl.Series, mark: str = ".", unit: str = "") -> pl.Series:
    """The texts as Float64 numbers, null where one is none.

    Plain ones are cast at once; what is left, and all of it under a decimal comma, is undressed.
    """
    if mark == ",":
        return _undressed(texts, ",", unit)
    values = texts.cast(pl.Float64, strict=False)
    if values.null_count() > texts.null_count():
        left = (values.is_null() & texts.is_not_null()).arg_true()
        values = values.scatter(left, _undressed(texts[left], ".", unit))
    return values.fill_nan(None) if values.is_nan().any() else values


def whole(values: pl.Series) -> pl.Series:
    """Int64 when every value is a whole number that a float holds exactly, else as it was."""
    first = values.head(100).drop_nulls()
    if not (first == first.round()).all():
        return values
    integers = values.cast(pl.Int64, strict=False)
    same = integers.null_count() == values.null_count() and (integers.cast(pl.Float64) == values).all()
    return integers if same and _extreme(values) < EXACT else values


def code_in(texts: pl.Series, values: pl.Series) -> str | None:
    """The first text that marks a column of whole numbers as codes; None where they are numbers."""
    if values.dtype == pl.Int64:
        found = texts.filter(texts.str.contains(CODE))
    elif _extreme(values) >= EXACT and texts.filter(values.is_not_null()).str.contains(ALL_DIGITS).all():
        found = texts.filter((values.abs() >= EXACT).fill_null(False))
    else:
        return None
    return found[0].strip() if found.len() else None


def _extreme(values: pl.Series) -> float:
    """The largest size among the values; infinite ones count."""
    ends = (values.min(), values.max())
    return max((abs(end) for end in ends if isinstance(end, int | float)), default=0.0)


def _bare(texts: pl.Series, unit: str) -> pl.Series:
    """Without blanks around, unit, and typographic minus."""
    texts = texts.str.strip_chars().str.replace_all("−", "-", literal=True)
    if not unit:
        return texts
    sign = re.escape(unit)
    return texts.str.replace(rf"^([+-]?)\s*{sign}\s*([+-]?)", "$1$2").str.replace(rf"\s*{sign}$", "")


def _undressed(texts: pl.Series, mark: str, unit: str) -> pl.Series:
    texts = _bare(texts, unit)
    group = f"(?:\\.|{GAP})" if mark == "," else f"(?:,|{GAP})"
    grouped = texts.str.contains(rf"^[+-]?\d{{1,3}}({group}\d{{3}})+({re.escape(mark)}\d*)?$")
    texts = pl.select(pl.when(grouped).then(texts.str.replace_all(group, "")).otherwise(texts)).to_series()
    if mark == ",":
        texts = pl.select(
            pl.when(~texts.str.contains(r"\.")).then(texts.str.replace(",", ".", literal=True))
        ).to_series()
    return texts.cast(pl.Float64, strict=False).fill_nan(None)
