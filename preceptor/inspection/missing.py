"""Values that are not there, and whether their absence says something about the answer."""

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.inspection.sampling import thinned
from preceptor.inspection.trial import yardstick
from preceptor.inspection.wording import percent, plain

ROWS, FEWEST = 50_000, 10
TELLING = 0.3
"""A difference of the answers' means, in their standard deviations, between missing and present."""


def missing(table: Table, roles: Roles) -> list[Finding]:
    """One note that counts missing values by input; one for each input whose gaps tell of the answer."""
    frame = table.frame.select(roles.inputs)
    counts = {name: int(frame[name].null_count()) for name in roles.inputs}
    counts = {name: count for name, count in counts.items() if 0 < count < len(table)}
    if not counts:
        return []
    sample = thinned(table.frame.select(roles.target, *counts), ROWS)
    answers = yardstick(sample[roles.target], number=roles.asks_number)
    telling = [_telling(sample[name], answers) for name in counts]
    return [_counted(counts, len(table)), *filter(None, telling)]


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


def _telling(column: pl.Series, answers: np.ndarray) -> Finding | None:
    gone = column.is_null().to_numpy()
    if not FEWEST <= gone.sum() <= len(gone) - FEWEST:
        return None
    shift = (answers[gone].mean() - answers[~gone].mean()) / max(answers.std(), 1e-12)
    surprise = abs(shift) / np.sqrt(1 / gone.sum() + 1 / (~gone).sum())
    if abs(shift) < TELLING or surprise < 4:
        return None
    return Finding(
        "missing-tells",
        "note",
        f"Where '{column.name}' is missing the answers differ, by {plain(abs(shift))} standard deviations.",
        column=column.name,
        evidence={"shift": float(shift), "surprise": float(surprise), "missing": int(gone.sum())},
        done="kept; the model is told where a value is missing",
        remedy="Make sure that values of new rows will be missing for the same reasons.",
    )
