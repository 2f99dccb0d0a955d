"""Values cut off at a limit: many rows at exactly the largest or the smallest value."""

from typing import NamedTuple

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.inspection.sampling import thinned
from preceptor.inspection.wording import percent, plain, several

ROWS, FEWEST_DISTINCT, FEWEST, FEWEST_SHARE, WIDE = 50_000, 30, 10, 0.01, 0.1


class _Cap(NamedTuple):
    """The share of a column's values that are exactly its extreme one, `level`."""

    column: str
    level: float
    share: float


def caps(table: Table, roles: Roles) -> list[Finding]:
    """A warning for capped answers, and one note for all capped inputs."""
    names = [name for name in (roles.target, *roles.inputs) if roles.kinds[name] == "number"]
    sample = thinned(table.frame.select(pl.col(names).cast(pl.Float64, strict=False).fill_nan(None)), ROWS)
    found = [cap for column in sample for cap in _caps(column)]
    inputs = [cap for cap in found if cap.column != roles.target]
    answers = [_answers(cap, table) for cap in found if cap.column == roles.target]
    return [*answers, _inputs(inputs)] if inputs else answers


def _caps(column: pl.Series) -> list[_Cap]:
    """The ends that hold a hundredth of the values, and far more than the dozen next to them."""
    levels, counts = np.unique(column.drop_nulls().to_numpy(), return_counts=True)
    if len(levels) < FEWEST_DISTINCT:
        return []
    total, wide = counts.sum(), WIDE * (levels[-2] - levels[1])
    found = []
    for inwards in (slice(None, -13, -1), slice(None, 12)):
        level, nearest = levels[inwards][:2]
        rows, neighbours = counts[inwards][0], counts[inwards][1:]
        piled = rows >= max(FEWEST, FEWEST_SHARE * total, 2 * neighbours.max(), 4 * neighbours.mean())
        if piled and level != 0 and abs(level - nearest) < wide:
            found.append(_Cap(column.name, float(level), float(rows / total)))
    return found


def _answers(cap: _Cap, table: Table) -> Finding:
    rows = int((table.frame[cap.column] == cap.level).sum())
    return Finding(
        "values-capped",
        "warning",
        f"{rows:,} answers ({percent(rows / len(table))}) are exactly {plain(cap.level)}, as if cut off.",
        column=cap.column,
        evidence={"rows": rows, "value": cap.level, "share": rows / len(table)},
        done="kept as they are",
        remedy=f"Do not trust answers near {plain(cap.level)}; bring the true values if they exist.",
    )


def _inputs(found: list[_Cap]) -> Finding:
    columns = list(dict.fromkeys(cap.column for cap in found))
    most = max(found, key=lambda cap: cap.share)
    return Finding(
        "values-capped",
        "note",
        f"Values pile up at an end of {several(columns)}, as if cut off there: "
        f"{percent(most.share)} of '{most.column}' are exactly {plain(most.level)}.",
        column=columns[0] if len(columns) == 1 else None,
        evidence={"capped": [cap._asdict() for cap in found]},
        done="kept as they are",
    )
