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
    counts = dict(answers.value_counts(sort=True).sort("count", "class").iter_rows())
    few = [name for name, rows in counts.items() if rows < FEWEST_ROWS]
    even = len(answers) / len(counts)
    rare = [name for name, rows in counts.items() if FEWEST_ROWS <= rows < RARE * even]
    found = []
    if few:
        rows = sum(counts[name] for name in few)
        found.append(
            Finding(
                "class-few-rows",
                "warning",
                f"{len(few)} of {len(counts)} classes have fewer than {FEWEST_ROWS} rows: {several(few)}.",
                column=roles.target,
                evidence={"classes": {name: counts[name] for name in few[:50]}, "rows": rows},
                done="kept; every class has training rows, but hardly any can be tested",
                remedy="Bring more rows of these classes, or join them into one.",
            )
        )
    if rare:
        share = counts[rare[0]] / len(answers)
        found.append(
            Finding(
                "class-rare",
                "note",
                f"Only {percent(share)} of the rows are {several(rare[:1])}"
                + (f"; {len(rare) - 1} more classes are rare." if len(rare) > 1 else "."),
                column=roles.target,
                evidence={
                    "classes": {name: counts[name] for name in rare[:50]},
                    "even_share": 1 / len(counts),
                },
                done="every class keeps its share on both sides of the seal",
                remedy="Look at the class's own row of the confusion matrix, not at accuracy alone.",
            )
        )
    return found
