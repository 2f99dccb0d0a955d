"""Values cut off at a limit: many rows at exactly the largest or the smallest value."""

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.inspection.sampling import thinned
from preceptor.inspection.wording import percent, plain

ROWS, FEWEST_DISTINCT, SPIKE = 50_000, 40, 5
FEWEST_SHARE = 0.01


def caps(table: Table, roles: Roles) -> list[Finding]:
    """Number columns whose extreme holds a hundredth of the rows and five times its neighbours' share."""
    found = []
    names = [name for name in (roles.target, *roles.inputs) if roles.kinds[name] == "number"]
    sample = thinned(table.frame.select(pl.col(names).cast(pl.Float64, strict=False)), ROWS)
    for name in names:
        values = sample[name].drop_nulls().drop_nans()
        levels, counts = np.unique(values.to_numpy(), return_counts=True)
        if len(levels) < FEWEST_DISTINCT:
            continue
        for end, level in ((1, levels[-1]), (-1, levels[0])):
            if level != 0 and _spikes(counts[::end]):
                found.append(_finding(table.frame[name], float(level), end, asked=name == roles.target))
    return found


def _spikes(counts: np.ndarray) -> bool:
    """Whether the last of these levels holds many rows, far more than any of the dozen before it."""
    return bool(counts[-1] >= FEWEST_SHARE * counts.sum() and counts[-1] >= SPIKE * counts[-13:-1].max())


def _finding(column: pl.Series, level: float, end: int, *, asked: bool) -> Finding:
    rows = int((column == level).sum())
    what = "answers" if asked else f"values of '{column.name}'"
    side = "above" if end > 0 else "below"
    return Finding(
        "values-capped",
        "warning" if asked else "note",
        f"{rows:,} {what} ({percent(rows / len(column))}) are exactly {plain(level)}, "
        f"as if everything {side} had been cut off there.",
        column=column.name,
        evidence={"rows": rows, "value": level, "share": rows / len(column)},
        done="kept as they are",
        remedy=f"Do not trust answers near {plain(level)}; bring the true values if they exist."
        if asked
        else "",
    )
