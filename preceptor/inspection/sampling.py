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
    """(N,) floats in the order of the values; text by alphabet; missing values lie below all others."""
    values = column.rank("dense") if column.dtype == pl.String else column.to_physical()
    numbers = values.cast(pl.Float64).fill_nan(None)
    least = numbers.min()
    return numbers.fill_null(0.0 if least is None else float(str(least)) - 1).to_numpy()


def as_answers(answers: pl.Series, *, number: bool) -> np.ndarray:
    """(N,) floats: a number's rank from 0 to 1, which no unit or outlier sways; a class's number."""
    if number:
        return answers.cast(pl.Float64).rank().to_numpy() / len(answers)
    return answers.cast(pl.String).rank("dense").fill_null(0).to_numpy().astype(float) - 1
