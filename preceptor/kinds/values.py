"""A column's values in the type that a kind expects, whatever type they arrive in.

    numbers(pl.Series(["3", " 4.5", "x"]))         # array([3., 4.5, nan])
    as_type(pl.Series([3.0, 4.5]), "Int64")        # [3, null]

A file that is read later may carry numbers as text, or whole numbers as "3.0". What cannot be read as
the expected type counts as missing: nothing here raises.
"""

import numpy as np
import polars as pl

LIMIT = 1e150
"""Numbers beyond this count as infinite: their squares would overflow float64."""

_TYPES = {"Int64": pl.Int64(), "Float64": pl.Float64(), "Boolean": pl.Boolean(), "String": pl.String()}


def numbers(column: pl.Series) -> np.ndarray:
    """(N,) float64: NaN where there is no number (a date, a picture), infinite beyond `LIMIT`."""
    if column.dtype.is_temporal() or column.dtype.is_nested() or column.dtype == pl.Binary:
        return np.full(len(column), np.nan)
    if not column.dtype.is_numeric():
        plain = column.str.strip_chars() if column.dtype == pl.String else column
        column = plain.cast(pl.Float64, strict=False)
    values = column.to_numpy().astype(np.float64)  # a wide table comes here often: no detour
    return np.where(np.abs(values) > LIMIT, np.copysign(np.inf, values), values)


def texts(column: pl.Series) -> pl.Series:
    """Each value as text: whole numbers without a decimal point, booleans as true and false.

    Series of numbers are no text, and missing.
    """
    if column.dtype.is_nested():
        return pl.Series(column.name, [None], dtype=pl.String).new_from_index(0, len(column))
    if not column.dtype.is_float():
        return column.cast(pl.String, strict=False)
    values = column.cast(pl.Float64).fill_nan(None)
    whole = values.cast(pl.Int64, strict=False)
    return whole.cast(pl.String).zip_with((whole == values).fill_null(False), values.cast(pl.String))


def kept_type(column: pl.Series) -> str:
    """The type in which a column's values are remembered; those of unusual columns become text."""
    if column.dtype.is_integer():
        return "Int64"
    if column.dtype.is_float():
        return "Float64"
    return "Boolean" if column.dtype == pl.Boolean else "String"


def as_type(column: pl.Series, kept: str) -> pl.Series:
    """The column in a type that `kept_type` named; null where a value is not of that type."""
    if kept == "String":
        return texts(column)
    if column.dtype == _TYPES[kept]:
        values = column
    elif column.dtype == pl.String:
        values = _from_text(column.str.strip_chars().str.to_lowercase(), kept)
    else:
        values = _from_floats(pl.Series(column.name, numbers(column), nan_to_null=True), kept)
    return values.fill_nan(None) if kept == "Float64" else values


def _from_text(column: pl.Series, kept: str) -> pl.Series:
    if kept == "Boolean":
        column = column.replace({"true": "1", "false": "0"})
    values = column.cast(pl.Float64, strict=False)
    if kept == "Int64":  # floats hold whole numbers up to 2^53 only
        return column.cast(pl.Int64, strict=False).fill_null(_from_floats(values, kept))
    return _from_floats(values, kept)


def _from_floats(values: pl.Series, kept: str) -> pl.Series:
    """Null where the cast changes the value."""
    cast = values.cast(_TYPES[kept], strict=False)
    nothing = pl.Series([None], dtype=_TYPES[kept]).new_from_index(0, len(cast))
    return cast.zip_with((cast.cast(pl.Float64) == values).fill_null(False), nothing)


def present(column: pl.Series) -> pl.Series:
    """The values that are not missing."""
    return column.fill_nan(None).drop_nulls() if column.dtype.is_float() else column.drop_nulls()


def distinct(column: pl.Series) -> int:
    """How many different values there are, missing ones left out."""
    return present(column).n_unique()


def levels(column: pl.Series, most: int) -> pl.Series | None:
    """The different values, sorted, missing ones left out; None if there are more than `most`."""
    if distinct(column.head(1_000)) > most:
        return None
    found = present(column).unique()
    return found.sort() if len(found) <= most else None


def sample(column: pl.Series, most: int = 2_000) -> pl.Series:
    """At most `most` values, evenly spaced over the column, missing ones left out."""
    values = present(column)
    return values.gather_every(max(1, -(-len(values) // most)))
