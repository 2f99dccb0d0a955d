"""Time in a column, and order in the file: neighbouring rows with neighbouring answers."""

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.inspection.trial import PARTIES, flattery, yardstick

FEWEST_ROWS, FEWEST_TIMES, LINKED = 50, 8, 0.3
FUTURE_HARDER, ELSEWHERE_HARDER = 1.12, 1.2


def order(table: Table, roles: Roles) -> list[Finding]:
    """A future that is harder to tell than rows drawn by lot; or else an order in the file itself."""
    if not roles.by_lot or len(table) < FEWEST_ROWS:
        return []
    answers = yardstick(table.frame[roles.target], number=roles.asks_number)
    steps = np.diff(answers)
    if (steps >= 0).all() or (steps <= 0).all():
        return [*_timed(table, roles), _sorted(roles)]
    return _timed(table, roles) or _filed(table, roles, _link(answers))


def _timed(table: Table, roles: Roles) -> list[Finding]:
    for column in _times(table.frame, roles):
        harm = flattery(table.frame, roles, column, ordered=True)
        if harm > FUTURE_HARDER:
            return [_future(column, harm)]
    return []


def _filed(table: Table, roles: Roles, link: float) -> list[Finding]:
    if link < LINKED or link * np.sqrt(len(table)) < 5:
        return []
    block = pl.Series("", np.arange(len(table)) * PARTIES // len(table))
    harm = flattery(table.frame, roles, block, ordered=False)
    return [_elsewhere(link, harm)] if harm > ELSEWHERE_HARDER else []


def _times(frame: pl.DataFrame, roles: Roles) -> list[pl.Series]:
    """Dates, then inputs that rise from the first row of the file to the last without ever falling."""
    dates = [column for column in frame.drop(roles.target) if column.dtype in (pl.Date, pl.Datetime)]
    numbers = frame.select(name for name in roles.inputs if frame[name].dtype.is_numeric())
    whole = [column for column in numbers if not column.null_count()]
    return dates + [column for column in whole if column.is_sorted() and column.n_unique() >= FEWEST_TIMES]


def _link(answers: np.ndarray) -> float:
    """The correlation of each answer with the next one's."""
    steady = not np.ptp(answers[1:]) or not np.ptp(answers[:-1])
    return 0.0 if steady else float(np.corrcoef(answers[1:], answers[:-1])[0, 1])


def _future(column: pl.Series, harm: float) -> Finding:
    dated = column.dtype in (pl.Date, pl.Datetime)
    return Finding(
        "time-suspected",
        "warning" if dated else "note",
        f"Rows {'are dated' if dated else 'go'} by '{column.name}': for the latest, told from those before, "
        f"the errors of a quick trial were {harm:.2f} times as large as for rows drawn by lot.",
        column=column.name,
        evidence={"error_ratio": harm, "threshold": FUTURE_HARDER},
        done="rows are still drawn by lot",
        remedy=f"If you will predict rows that are later than these: --time {column.name}.",
        change={"time": column.name},
    )


def _sorted(roles: Roles) -> Finding:
    return Finding(
        "file-sorted",
        "note",
        f"The file is sorted by '{roles.target}'.",
        column=roles.target,
        done="rows are drawn by lot, so this does not matter",
    )


def _elsewhere(link: float, harm: float) -> Finding:
    return Finding(
        "file-in-order",
        "note",
        f"Neighbouring rows have similar answers (correlation {link:.2f}): for parts of the file never seen, "
        f"the errors of a quick trial were {harm:.2f} times as large.",
        evidence={"correlation": link, "error_ratio": harm, "threshold": ELSEWHERE_HARDER},
        done="rows are drawn by lot from the whole file",
        remedy="If the file goes by time, place or person, name the column that says so: --time or --group.",
    )
