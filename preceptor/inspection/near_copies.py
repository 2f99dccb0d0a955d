"""Texts that repeat others but for capitals, blanks and punctuation; and those of them that disagree."""

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.duplicates import HARMFUL, alike, bare
from preceptor.inspection.roles import Roles
from preceptor.inspection.wording import percent

COSTLY = 0.01


def near_copies(table: Table, roles: Roles) -> list[Finding]:
    """Rows that differ from another in nothing that is said; exact copies are for other traps."""
    if all(roles.kinds[name] != "text" for name in roles.inputs):
        return []
    inputs = table.frame.select(roles.inputs)
    exact, near = alike(inputs), alike(bare(inputs))
    repeats = len(np.unique(exact)) - len(np.unique(near))
    if not repeats:
        return []
    return [_repeated(repeats, len(table)), *_disagreeing(exact, near, table.frame[roles.target], roles)]


def _repeated(repeats: int, rows: int) -> Finding:
    return Finding(
        "near-duplicate-texts",
        "warning" if repeats > HARMFUL * rows else "note",
        f"{repeats:,} of {rows:,} rows ({percent(repeats / rows)}) repeat another but for capitals, "
        "blanks or punctuation.",
        evidence={"repeats": repeats, "rows": rows},
        done="kept; rows that say the same fall on the same side of the split, as copies do",
        remedy="If they were gathered twice by accident, remove them from the data.",
    )


def _disagreeing(exact: np.ndarray, near: np.ndarray, answers: pl.Series, roles: Roles) -> list[Finding]:
    """Parties whose rows are no exact copies and yet say the same, with more than one answer."""
    if roles.asks_number:
        return []
    rows = pl.DataFrame({"exact": exact, "near": near, "answer": answers})
    parties = rows.group_by("near").agg(
        pl.len(), pl.col("exact").n_unique().alias("forms"), pl.col("answer").n_unique().alias("answers")
    )
    count = int(parties.filter(pl.col("forms") > 1, pl.col("answers") > 1)["len"].sum())
    if not count:
        return []
    return [
        Finding(
            "near-copies-disagree",
            "warning" if count > COSTLY * len(answers) else "note",
            f"{count:,} rows repeat another but for capitals, blanks or punctuation, with another answer.",
            evidence={"rows": count, "share": count / len(answers)},
            done="kept as they are",
            remedy="Look at their answers: often one of the two is a slip.",
        )
    ]
