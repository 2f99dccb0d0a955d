"""Numbers far away from all others: units mixed up, slips of the pen; and answers with a heavy tail."""

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.inspection.wording import percent, plain

ROWS, FAR, APART, FEW, FEWEST_DISTINCT, RULED = 50_000, 10, 3, 3, 20, 0.5


def outliers(table: Table, roles: Roles) -> list[Finding]:
    """Rare values beyond a wide empty gap, on a linear and on a logarithmic scale; a heavy-tailed answer."""
    names = [name for name in (roles.target, *roles.inputs) if roles.kinds[name] == "number"]
    numbers = table.frame.select(pl.col(names).cast(pl.Float64, strict=False).fill_nan(None))
    found = [_far_away(column, asked=column.name == roles.target) for column in numbers]
    tail = _heavy_tail(numbers[roles.target]) if roles.asks_number else None
    return [*filter(None, [*found, tail])]


def _far_away(column: pl.Series, *, asked: bool) -> Finding | None:
    values = column.drop_nulls().to_numpy()
    values = values[np.isfinite(values)]
    some = values[:: len(values) // ROWS + 1]
    if len(np.unique(some)) < FEWEST_DISTINCT:
        return None
    low, high = np.quantile(some, [0.25, 0.75])
    if max(values.max() - high, low - values.min()) < FAR / 2 * (high - low):
        return None
    far = _beyond_gap(values, FAR, APART)
    if far.any() and (values > 0).all():
        far &= _beyond_gap(np.log(values), FAR / 4, APART / 2)
    return _finding(column.name, values, far, asked=asked) if far.any() else None


def _beyond_gap(values: np.ndarray, far: float, apart: float) -> np.ndarray:
    """(N,) booleans: over `far` quartile ranges off the median, `apart` times as far as the next nearer row.

    At most one row in twenty can lie beyond the gap on either side; one or two rows alone need thrice the
    gap, which heavy tails hardly ever leave.
    """
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    beyond = np.zeros(len(values), dtype=bool)
    rim = len(values) - len(values) // 20 - 1
    for away in (values - median, median - values):
        tail = np.sort(np.partition(away, rim)[rim:])
        gap = apart * np.where(np.arange(1, len(tail)) > len(tail) - FEW, 3, 1) * np.maximum(tail[:-1], 0)
        edges = tail[1:][(tail[1:] > gap) & (tail[1:] > far * (high - low))]
        if len(edges) and high > low:
            beyond |= away >= edges[0]
    return beyond


def _finding(name: str, values: np.ndarray, far: np.ndarray, *, asked: bool) -> Finding:
    rows, low, high = int(far.sum()), float(values[~far].min()), float(values[~far].max())
    examples = [float(value) for value in np.unique(values[far])[-5:]]
    return Finding(
        "values-far-away",
        "warning" if asked or rows >= FEW else "note",
        f"{rows:,} values of '{name}' lie far from the rest, which runs from {plain(low)} to {plain(high)}: "
        f"{', '.join(plain(value) for value in examples)}.",
        column=name,
        evidence={"rows": rows, "values": examples, "low": low, "high": high},
        done="kept as answers" if asked else "kept; inputs are scaled so that they do not drown the rest",
        remedy="Check these rows for mixed-up units or slips of the pen.",
    )


def _heavy_tail(answers: pl.Series) -> Finding | None:
    """A note when a hundredth of the rows holds most of the squared spread, which alone rules RMSE."""
    spread = np.sort((answers.drop_nulls().to_numpy() - float(str(answers.median()))) ** 2)[::-1]
    few = max(1, len(spread) // 100)
    share = float(spread[:few].sum() / max(spread.sum(), 1e-300))
    if len(spread) < 200 or share <= RULED:
        return None
    return Finding(
        "answers-heavy-tailed",
        "note",
        f"1 % of the rows hold {percent(share)} of the spread of '{answers.name}': they rule RMSE.",
        column=answers.name,
        evidence={"share": share, "rows": few},
        done="kept as they are",
        remedy="If large answers should not count for more: --metric mae, or predict their logarithm.",
    )
