"""Rows that belong together: several visits of one patient, several frames of one film."""

import re

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.inspection.sampling import as_numbers, thinned
from preceptor.inspection.trial import flattery

ROWS, FEWEST_GROUPS, FEWEST_EACH, TRIALS = 20_000, 20, 1.3, 2
STUCK, HARM = 0.3, 1.2
# What whole numbers are called when they name somebody or something. The words of a name are parted first.
_NAMES = re.compile(
    r"\b(id|uid|uuid|key|no|nr|code|group|family|household|person|people|patient|subject|participant|case|user"
    r"|customer|client|account|member|student|pupil|school|class|player|driver|animal|plant|site|station|store"
    r"|shop|hospital|clinic|device|sensor|machine|engine|batch|lot|session|trip|film|video|clip|speaker)\b"
)


def groups(table: Table, roles: Roles) -> list[Finding]:
    """Repeating names whose rows resemble each other so much that a split by lot would flatter."""
    if not roles.by_lot or len(table) < 2 * FEWEST_GROUPS:
        return []
    sample = thinned(table.frame.drop(roles.target), ROWS)
    named = [column for column in sample if column.dtype == pl.String or _is_named(column.name)]
    sizes = {column.name: _rows_each(column, len(table)) for column in named}
    stuck = {name: _stuck(table.frame, name, roles) for name, size in sizes.items() if size}
    found = []
    likely = sorted(filter(stuck.get, stuck), key=lambda name: (not _is_named(name), -len(stuck[name])))
    for name in likely[:TRIALS]:
        harm = flattery(table.frame, roles, table.frame[name], ordered=False)
        if harm > HARM:
            found.append(_finding(name, sizes[name], stuck[name], harm))
    return found


def _is_named(column: str) -> bool:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[_\W]+|(?<=\D)(?=\d)", " ", column).lower()
    return bool(_NAMES.search(words))


def _rows_each(column: pl.Series, rows: int) -> float:
    """How many rows a row's own group has on average, by a sample; 0 where it makes no groups."""
    if column.dtype not in (pl.String, pl.Int64):
        return 0.0
    counts = column.drop_nulls().value_counts()["count"].cast(pl.Float64)
    size = 1 + float((counts * (counts - 1)).sum()) / len(column) * rows / len(column)
    return size if size >= FEWEST_EACH and rows / size >= FEWEST_GROUPS else 0.0


def _stuck(frame: pl.DataFrame, name: str, roles: Roles) -> list[str]:
    """The columns that hardly differ between rows of one group; none when fewer than two do."""
    rows = frame[frame[name].hash().arg_sort().head(ROWS)]
    group = rows[name].rank("dense").fill_null(0).to_numpy().astype(float)
    same = (np.diff(group) == 0) & (group[1:] > 0)
    others = [other for other in (roles.target, *roles.inputs) if other != name]
    stuck = [other for other in others if same.any() and _step(as_numbers(rows[other]), same) < STUCK]
    return stuck if len(stuck) >= 2 else []


def _step(values: np.ndarray, same: np.ndarray) -> float:
    """The mean step from one row to the next of its group, in ranks, over that between any two rows."""
    ranks = np.unique(values, return_inverse=True)[1].astype(float)
    usual = abs(np.diff(np.random.default_rng(0).permutation(ranks))).mean()
    return float(abs(np.diff(ranks))[same].mean() / usual) if usual else 1.0


def _finding(name: str, size: float, stuck: list[str], harm: float) -> Finding:
    return Finding(
        "groups-suspected",
        "warning",
        f"Rows with the same '{name}' (about {size:.0f} each) resemble each other: for values of '{name}' "
        f"never seen, the errors of a quick trial were {harm:.2f} times as large.",
        column=name,
        evidence={"rows_each": size, "alike": stuck, "error_ratio": harm, "threshold": HARM},
        done="rows are still drawn by lot",
        remedy=f"If new rows will come with new values of '{name}': --group {name}.",
        change={"group": name},
    )
