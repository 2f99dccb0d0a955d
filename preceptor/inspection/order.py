"""Time in a date column, and order in the file: neighbouring rows with neighbouring answers."""

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.inspection.trial import PARTIES, flattery, yardstick

FEWEST_ROWS, LINKED, HARM = 50, 0.2, 1.1


def order(table: Table, roles: Roles) -> list[Finding]:
    """Dated rows whose future is harder to tell than rows drawn by lot; else an order in the file itself."""
    if roles.time or roles.group or len(table) < FEWEST_ROWS:
        return []
    answers = yardstick(table.frame[roles.target], number=roles.asks_number)
    dated = [column for column in table.frame if column.dtype in (pl.Date, pl.Datetime)]
    for column in dated:
        harm = flattery(table.frame, roles, column, ordered=True)
        if harm > HARM:
            return [_dated(column.name, _link(answers[column.arg_sort().to_numpy()]), harm)]
    steps = np.diff(answers)
    if (steps >= 0).all() or (steps <= 0).all():
        return [_sorted(roles)]
    link = _link(answers)
    if dated or link < LINKED or link * np.sqrt(len(answers)) < 5:
        return []
    block = pl.Series("", np.arange(len(answers)) * PARTIES // len(answers))
    harm = flattery(table.frame, roles, block, ordered=False)
    return [_filed(link, harm)] if harm > HARM else []


def _link(answers: np.ndarray) -> float:
    """The correlation of each answer with the next one's."""
    return (
        float(np.corrcoef(answers[1:], answers[:-1])[0, 1]) if answers[1:].std() * answers[:-1].std() else 0.0
    )


def _dated(name: str, link: float, harm: float) -> Finding:
    return Finding(
        "time-suspected",
        "warning",
        f"Rows are dated by '{name}': the errors of a quick trial were {harm:.2f} times as large for the latest "
        "rows, told from earlier ones, as for rows drawn by lot.",
        column=name,
        evidence={"correlation": link, "error_ratio": harm, "threshold": HARM},
        done="rows are still drawn by lot",
        remedy=f"If you will predict rows that are later than these: --time {name}.",
        change={"time": name},
    )


def _sorted(roles: Roles) -> Finding:
    return Finding(
        "file-sorted",
        "note",
        f"The file is sorted by '{roles.target}'.",
        column=roles.target,
        done="rows are drawn by lot, so this does not matter",
    )


def _filed(link: float, harm: float) -> Finding:
    return Finding(
        "file-in-order",
        "note",
        f"Neighbouring rows have similar answers (correlation {link:.2f}): for parts of the file never seen, the "
        f"errors of a quick trial were {harm:.2f} times as large.",
        evidence={"correlation": link, "error_ratio": harm, "threshold": HARM},
        done="rows are drawn by lot from the whole file",
        remedy="If the file goes by time, place or person, name the column that says so: --time or --group.",
    )
