"""Classes that few rows belong to."""

import polars as pl

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.inspection.wording import percent, several

FEWEST_ROWS, RARE = 10, 0.1


def imbalance(table: Table, roles: Roles) -> list[Finding]:
    """Classes with fewer than ten rows, and classes below a tenth of an even share (diagnosis fault 6)."""
    if roles.kinds[roles.target] != "category":
        return []
    answers = table.frame[roles.target].drop_nulls().cast(pl.String).alias("class")
    counts = dict(answers.value_counts().sort("count", "class").iter_rows())
    even = len(answers) / len(counts)
    few = {name: rows for name, rows in counts.items() if rows < FEWEST_ROWS}
    rare = {name: rows for name, rows in counts.items() if FEWEST_ROWS <= rows < RARE * even}
    found = [_few(roles.target, few, len(counts))] if few else []
    return [*found, _rare(roles, rare, len(answers), len(counts))] if rare else found


def _few(target: str, few: dict[str, int], classes: int) -> Finding:
    return Finding(
        "class-few-rows",
        "warning",
        f"{len(few)} of {classes} classes have fewer than {FEWEST_ROWS} rows: {several(list(few))}.",
        column=target,
        evidence={"rows": dict(list(few.items())[:50]), "classes": classes},
        done="kept; hardly any of them can be sealed for the test",
        remedy="Bring more rows of these classes, or join them into one.",
    )


def _rare(roles: Roles, rare: dict[str, int], rows: int, classes: int) -> Finding:
    rarest, count = next(iter(rare.items()))
    more = f", and {len(rare) - 1} more classes are rare" if len(rare) > 1 else ""
    return Finding(
        "class-rare",
        "note",
        f"Only {percent(count / rows)} of the rows are '{rarest}'{more}.",
        column=roles.target,
        evidence={"rows": dict(list(rare.items())[:50]), "classes": classes},
        done="every class keeps its share on both sides of the seal" if roles.by_lot else "kept as they are",
        remedy="Look at how these classes fare by themselves, not at accuracy alone.",
    )
