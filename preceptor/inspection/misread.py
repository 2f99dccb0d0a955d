"""Numbers and dates that arrived as text, and values that did not fit their column."""

import polars as pl

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.inspection.sampling import thinned
from preceptor.inspection.wording import percent, several

ROWS, FEWEST_DISTINCT, MOSTLY = 5_000, 10, 0.85
_NUMBER = r"^[-+(]?\s*[$€£¥]?\s*[-+]?\d[\d\s.,'’]*([eE][-+]?\d+)?\s*(%|[$€£¥]|[a-zA-Zµ°²³/]{1,6})?\)?$"
_DATE = (
    r"^\d{1,4}([-/.])\d{1,2}[-/.]\d{1,4}"
    r"|^\d{1,2}[- ][A-Za-z]{3,9}[- ,]+\d{2,4}|^[A-Za-z]{3,9} \d{1,2},? \d{4}"
)


def misread(table: Table, roles: Roles) -> list[Finding]:
    """Text columns that mostly read as dates or numbers; and what the reader could not cast."""
    texts = table.frame.drop(roles.target).select(pl.col(pl.String))
    found = [_as_text(column, roles) for column in thinned(texts, ROWS)]
    return [*filter(None, found), *_unreadable(table, roles)]


def _as_text(column: pl.Series, roles: Roles) -> Finding | None:
    values = column.drop_nulls().str.strip_chars()
    if values.n_unique() < FEWEST_DISTINCT:
        return None
    dates, numbers = (float(str(values.str.contains(shape).mean())) for shape in (_DATE, _NUMBER))
    if dates >= MOSTLY:
        return _finding("dates-as-text", column.name, "dates", dates, values, roles)
    # Whole numbers alone are text for a reason, such as the leading zeros of postal codes.
    if numbers >= MOSTLY and not values.str.contains(r"^\d+$").all():
        return _finding("numbers-as-text", column.name, "numbers", numbers, values, roles)
    return None


def _finding(code: str, name: str, what: str, share: float, values: pl.Series, roles: Roles) -> Finding:
    return Finding(
        code,
        "warning",
        f"'{name}' is text, but {percent(share)} of its values look like {what}, "
        f"such as {several(values.head(2).to_list())}.",
        column=name,
        evidence={"share": share, "examples": values.head(5).to_list()},
        done=roles.fate(name),
        remedy=f"Write its {what} in one plain form throughout, without units or signs.",
    )


def _unreadable(table: Table, roles: Roles) -> list[Finding]:
    account = table.account
    found = []
    for name, count in account.misfit_counts.items():
        first = [misfit for misfit in account.misfits if misfit.column == name][:5]
        kind = table.schema.types.get(name, "typed")
        found.append(
            Finding(
                "values-unreadable",
                "warning" if count > 0.01 * account.read else "note",
                f"{count:,} values of '{name}' do not fit a {kind} column"
                + (
                    f": {several([misfit.text for misfit in first])} (line {first[0].line})."
                    if first
                    else "."
                ),
                column=name,
                evidence={"count": count, "examples": [misfit.text for misfit in first]},
                done="counted as missing",
                remedy=f"Mend them in the file, or say --kind {name}=category if they are names.",
            )
        )
    return found
