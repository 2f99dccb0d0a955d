"""The column that is asked for, and whether anything can be learnt at all: faults here are Mistakes."""

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.errors import Mistake, nearest
from preceptor.inspection.roles import Roles

FEWEST_ROWS = 10


def usable_rows(table: Table, target: str) -> tuple[np.ndarray, dict[str, int]]:
    """Row numbers that have an answer, ascending; and how many have none, by reason.

    Raises Mistake "target-absent", "target-empty", "too-few-rows" (fewer than ten), "target-constant".
    """
    if target not in table.frame.columns:
        raise Mistake(
            "target-absent",
            f"There is no column '{target}'.",
            where=table.source,
            why=f"The columns are: {', '.join(table.frame.columns)}.",
            todo=nearest(target, table.frame.columns) or "Name one of them with --target.",
        )
    answers = table.frame[target]
    if answers.dtype.is_float():
        answers = answers.fill_nan(None)
    missing = answers.is_null().to_numpy()
    infinite = (
        answers.is_infinite().fill_null(False).to_numpy() if answers.dtype.is_float() else ~missing & False
    )
    rows = np.flatnonzero(~missing & ~infinite)
    _check(answers.gather(rows), len(table), f"{table.source}, column '{target}'")
    left_out = {"the answer is missing": int(missing.sum()), "the answer is infinite": int(infinite.sum())}
    return rows, {why: count for why, count in left_out.items() if count}


def _check(answers: pl.Series, rows: int, where: str) -> None:
    usable = len(answers)
    if rows and not usable:
        raise Mistake(
            "target-empty",
            f"The column '{answers.name}' is empty: no row has an answer to learn from.",
            where=where,
            todo="Check that this is the right column, and that the answers were exported.",
        )
    if usable < FEWEST_ROWS:
        raise Mistake(
            "too-few-rows",
            f"Only {usable} rows have an answer; learning and an honest test need at least {FEWEST_ROWS}.",
            where=where,
            why=f"The table has {rows} rows, {rows - usable} of them without an answer.",
            todo="Bring more rows: some hundreds are a fair start.",
        )
    if answers.n_unique() == 1:
        raise Mistake(
            "target-constant",
            f"Every row has the same answer, {answers[0]!r}: there is nothing to learn.",
            where=where,
            why=f"All {usable:,} answers are equal.",
            todo="Check the column, or add rows with other answers.",
        )


def check_inputs(table: Table, roles: Roles) -> None:
    """Raise Mistake "no-inputs" when no column is left that could tell one row from another."""
    if any(table.frame[column].n_unique() > 1 for column in roles.inputs):
        return
    same = dict.fromkeys(roles.inputs, "has one value only")
    why = "; ".join(f"'{name}': {reason}" for name, reason in {**roles.ignored, **same}.items())
    raise Mistake(
        "no-inputs",
        f"No column is left from which '{roles.target}' could be told.",
        where=table.source,
        why=why or "The table has no other column.",
        todo="Add columns that differ from row to row, or keep one with --kind COLUMN=KIND.",
    )
