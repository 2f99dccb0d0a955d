"""Rows with the same inputs and different answers: what no model can tell apart."""

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.duplicates import alike
from preceptor.inspection.roles import Roles
from preceptor.inspection.wording import percent

SUSPICIOUS = 0.01


def conflicts(table: Table, roles: Roles) -> list[Finding]:
    """Same inputs, different answers. A warning only where inputs are rich enough to tell rows apart."""
    numbers = alike(table.frame.select(roles.inputs))
    answers = pl.DataFrame({"inputs": numbers, "answer": table.frame[roles.target]})
    kinds = answers.group_by("inputs").agg(pl.len(), pl.col("answer").n_unique().alias("answers"))
    rows = int(kinds.filter(pl.col("answers") > 1)["len"].sum())
    if not rows:
        return []
    share, distinct = rows / len(table), kinds.height / len(table)
    best, told = _best_possible(answers, roles)
    return [
        Finding(
            "conflicting-answers",
            "warning" if share > SUSPICIOUS and distinct > 0.5 else "note",
            f"{rows:,} rows ({percent(share)}) have the inputs of another row but not its answer{told}.",
            evidence={"rows": rows, "share": share, "distinct_inputs": distinct, "best_possible": best},
            done="kept; no model can be right about all of them",
            remedy="Check these answers, or add a column that tells such rows apart.",
        )
    ]


def _best_possible(answers: pl.DataFrame, roles: Roles) -> tuple[float, str]:
    """The accuracy, or R², that knowing every row by heart would still not exceed."""
    if roles.asks_number:
        value = answers["answer"].cast(pl.Float64).to_numpy()
        sizes = np.bincount(answers["inputs"].to_numpy())
        means = np.bincount(answers["inputs"].to_numpy(), value) / sizes
        noise = float(((value - means[answers["inputs"].to_numpy()]) ** 2).mean() / max(value.var(), 1e-300))
        return 1 - noise, f": at most {percent(1 - noise)} of the variation can be explained"
    counts = answers.group_by("inputs", "answer").len().group_by("inputs").agg(pl.col("len").max())
    accuracy = float(counts["len"].sum()) / len(answers)
    return accuracy, f": at most {percent(accuracy)} of the answers can be right"
