"""Columns that are empty, or hold one value in every row."""

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles


def constants(table: Table, roles: Roles) -> list[Finding]:
    """Columns from which nothing can be learnt, one finding each."""
    found = []
    for column in table.frame.drop(roles.target):
        if column.null_count() == len(column):
            found.append(_finding("column-empty", column.name, "has no value in any row", roles))
        elif column.null_count() == 0 and column.n_unique() == 1:
            what = f"has the same value in every row: {column[0]!r}"
            found.append(_finding("column-constant", column.name, what, roles))
    return found


def _finding(code: str, column: str, what: str, roles: Roles) -> Finding:
    return Finding(
        code,
        "note",
        f"'{column}' {what}.",
        column=column,
        done=roles.fate(column),
        remedy="Check that the column was exported rightly.",
    )
