"""A few thousand rows stand for a million where a share or a quantile is all that is asked."""

import numpy as np
import polars as pl


def thinned(frame: pl.DataFrame, rows: int) -> pl.DataFrame:
    """At most `rows` rows, drawn by lot (always the same), in the order of the table."""
    if frame.height <= rows:
        return frame
    drawn = np.random.default_rng(0).choice(frame.height, rows, replace=False)
    return frame[np.sort(drawn)]


def as_numbers(column: pl.Series) -> np.ndarray:
    """(N,) finite floats in the order of the values: quartile ranges from the median, text by alphabet.

    Pictures have no order that tells of anything, and stand by their keys. Missing values lie below all
    others, infinite ones at the ends: trees take them as they take any number.
    """
    values = column.rank("dense") if column.dtype in (pl.String, pl.Binary) else column.to_physical()
    numbers = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return np.isinf(numbers) * np.sign(np.nan_to_num(numbers))
    low, middle, high = np.quantile(finite, [0.25, 0.5, 0.75])
    scaled = (numbers - middle) / ((high - low) or np.ptp(finite) or 1.0)
    return np.nan_to_num(np.clip(scaled, -1e30, 1e30), nan=-2e30)
