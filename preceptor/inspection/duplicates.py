"""Rows that stand in the table more than once; and which rows the split has to keep together."""

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.inspection.wording import percent

HARMFUL = 0.05


def alike(frame: pl.DataFrame) -> np.ndarray:
    """(N,) numbers from 0: rows with the same values in every column share theirs.

    Rows are compared by a 64-bit hash: among a million rows two different ones meet once in 10^7 tables.
    """
    if not frame.width:
        return np.zeros(frame.height, dtype=np.int64)
    return frame.hash_rows().rank("dense").cast(pl.Int64).to_numpy() - 1


def bare(frame: pl.DataFrame) -> pl.DataFrame:
    """Texts of several words without capitals, blanks and punctuation: what is left is what they say."""
    return frame.with_columns([_letters(column) for column in frame if _is_prose(column)])


def _is_prose(column: pl.Series) -> bool:
    if column.dtype != pl.String:
        return False
    some = column.drop_nulls().head(1_000)
    return bool((some.str.count_matches(r"\S+") > 2).sum() > len(some) / 2)


def _letters(column: pl.Series) -> pl.Series:
    """A text without a letter stays as it is: "?!" does not say what "..." says."""
    plain = column.str.to_lowercase().str.replace_all(r"[^\p{L}\p{M}\p{N}]+", "")
    return plain.zip_with(plain != "", column)


def copies(frame: pl.DataFrame) -> np.ndarray:
    """(N,) numbers from 0 of rows that a split must keep together: copies of one another, or the same words.

    A combination held by more than ten rows and one in a hundred, or one of fewer than ten in the whole
    table, is no copy but a common case (two yes/no columns make four): new rows will repeat it too, so its
    rows stand alone.
    """
    numbers = alike(bare(frame))
    sizes = np.bincount(numbers)
    common = (sizes > max(10, frame.height / 100))[numbers] | (len(sizes) < 10)
    numbers[common] = len(sizes) + np.arange(common.sum())
    return np.unique(numbers, return_inverse=True)[1]


def duplicates(table: Table, roles: Roles) -> list[Finding]:
    """Rows that repeat an earlier one in every input and in the answer: counted, kept together."""
    rows = len(table)
    repeats = rows - len(np.unique(alike(table.frame.select(roles.target, *roles.inputs))))
    if not repeats:
        return []
    return [
        Finding(
            "duplicate-rows",
            "warning" if repeats > HARMFUL * rows else "note",
            f"{repeats:,} of {rows:,} rows ({percent(repeats / rows)}) repeat an earlier row exactly.",
            evidence={"repeats": repeats, "rows": rows, "share": repeats / rows},
            done=_done(table, roles),
            remedy="If the copies were made by accident, remove them from the file.",
        )
    ]


def _done(table: Table, roles: Roles) -> str:
    if not roles.by_lot:
        return "kept; the split goes by the column you named"
    inputs = table.frame.select(roles.inputs)
    if len(np.unique(copies(inputs))) == len(np.unique(alike(bare(inputs)))):
        return "kept; copies always fall on the same side of the split"
    return "kept; rare copies fall on the same side of the split, common combinations on both"
