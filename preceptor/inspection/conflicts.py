"""Rows with the same inputs and different answers: what no model can tell apart."""

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.duplicates import alike
from preceptor.inspection.roles import Roles
from preceptor.inspection.wording import percent

RICH, COSTLY = 0.5, 0.03


def conflicts(table: Table, roles: Roles) -> list[Finding]:
    """Same inputs, different answers: a warning where inputs mostly tell rows apart, and yet it costs."""
    answers = pl.DataFrame(
        {"party": alike(table.frame.select(roles.inputs)), "answer": table.frame[roles.target]}
    )
    parties = answers.group_by("party").agg(pl.len(), pl.col("answer").n_unique().alias("answers"))
    rows = int(parties.filter(pl.col("answers") > 1)["len"].sum())
    if not rows:
        return []
    noise, distinct = _noise(answers, roles), parties.height / len(table)
    what = "of the variation" if roles.asks_number else "of all answers"
    return [
        Finding(
            "conflicting-answers",
            "warning" if distinct > RICH and noise > COSTLY else "note",
            f"{rows:,} rows ({percent(rows / len(table))}) share another row's inputs but not its answer: "
            f"{percent(noise)} {what} cannot be told.",
            evidence={"rows": rows, "distinct_inputs": distinct, "noise": noise},
            done="kept; no model can be right about all of them",
            remedy="Check these answers, or add a column that tells such rows apart.",
        )
    ]


def _noise(answers: pl.DataFrame, roles: Roles) -> float:
    """The share of the variance, or of wrong answers, left to whoever knows every row by heart."""
    if roles.asks_number:
        party, value = answers["party"].to_numpy(), answers["answer"].cast(pl.Float64).to_numpy()
        means = np.bincount(party, value) / np.bincount(party)
        return float(((value - means[party]) ** 2).mean() / value.var())
    counts = answers.group_by("party", "answer").len().group_by("party").agg(pl.col("len").max())
    return 1 - float(counts["len"].sum()) / len(answers)
