"""Values that are not there, and whether their absence says something about the answer."""

import numpy as np

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.inspection.sampling import thinned
from preceptor.inspection.trial import yardstick
from preceptor.inspection.wording import percent, several

ROWS, FEWEST = 50_000, 10
# Of a difference between mean answers: in the answers' standard deviations, and in its own.
TELLING, SURPRISING = 0.3, 4


def missing(table: Table, roles: Roles) -> list[Finding]:
    """One note that counts missing values, and one on the inputs whose gaps tell of the answer."""
    counts = {name: table.frame[name].null_count() for name in roles.inputs}
    counts = {name: count for name, count in counts.items() if 0 < count < len(table)}
    if not counts:
        return []
    sample = thinned(table.frame.select(roles.target, *counts), ROWS)
    answers = yardstick(sample[roles.target], number=roles.asks_number)
    shifts = {name: _shift(sample[name].is_null().to_numpy(), answers) for name in counts}
    telling = {name: shift for name, shift in shifts.items() if abs(shift) > TELLING}
    counted = _counted(counts, len(table))
    return [counted, _telling(telling)] if telling else [counted]


def _shift(gone: np.ndarray, answers: np.ndarray) -> float:
    """How many standard deviations the answers lie higher where a value is gone; 0 if by chance."""
    if not FEWEST <= gone.sum() <= len(gone) - FEWEST or not answers.std():
        return 0.0
    shift = float((answers[gone].mean() - answers[~gone].mean()) / answers.std())
    by_chance = float(np.sqrt(1 / gone.sum() + 1 / (~gone).sum()))
    return shift if abs(shift) > SURPRISING * by_chance else 0.0


def _counted(counts: dict[str, int], rows: int) -> Finding:
    ranked = sorted(counts, key=lambda name: -counts[name])
    first = ", ".join(f"{counts[name]:,} in '{name}' ({percent(counts[name] / rows)})" for name in ranked[:3])
    more = f" and in {len(ranked) - 3} more columns" if len(ranked) > 3 else ""
    return Finding(
        "values-missing",
        "note",
        f"Values are missing: {first}{more}.",
        column=ranked[0] if len(ranked) == 1 else None,
        evidence={"missing": counts, "rows": rows},
        done="kept; the model is told where a value is missing",
    )


def _telling(shifts: dict[str, float]) -> Finding:
    ranked = sorted(shifts, key=lambda name: -abs(shifts[name]))
    return Finding(
        "missing-tells",
        "note",
        f"Where {several(ranked)} {'is' if len(ranked) == 1 else 'are'} missing the answers differ "
        f"(by {abs(shifts[ranked[0]]):.1f} standard deviations for '{ranked[0]}').",
        column=ranked[0] if len(ranked) == 1 else None,
        evidence={"shifts": shifts},
        done="kept; the model is told where a value is missing",
        remedy="Make sure that values of new rows will be missing for the same reasons.",
    )
