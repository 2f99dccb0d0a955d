"""One category written in several ways: "NY", "ny ", "N Y"."""

import polars as pl

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.inspection.wording import several

MOST_DISTINCT = 2_000


def spelling(table: Table, roles: Roles) -> list[Finding]:
    """Categories that differ in upper and lower case or in spaces only."""
    found = []
    for name in (roles.target, *roles.inputs):
        column = table.frame[name]
        if column.dtype == pl.String and roles.kinds[name] in ("category", "tags"):
            values = column.drop_nulls().unique().sort()
            if len(values) <= MOST_DISTINCT:
                found.extend(_variants(name, values, asked=name == roles.target))
    return found


def _variants(name: str, values: pl.Series, *, asked: bool) -> list[Finding]:
    plain = values.str.to_lowercase().str.replace_all(r"[\s_\-.]+", "").alias("plain")
    alike = pl.DataFrame([values.alias("value"), plain]).filter(pl.col("plain") != "")
    groups = alike.group_by("plain", maintain_order=True).agg("value").filter(pl.col("value").list.len() > 1)
    if not groups.height:
        return []
    return [
        Finding(
            "spelling-variants",
            "warning" if asked else "note",
            f"'{name}' writes one category in several ways: {several(groups['value'][0].to_list())}.",
            column=name,
            evidence={"variants": groups["value"].head(20).to_list(), "count": groups.height},
            done="kept as different categories",
            remedy="If they mean the same, write them alike in the file.",
        )
    ]
