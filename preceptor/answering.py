"""New rows in, answers out: the same order, ids kept, every oddity of the file said.

answers, notes = answer(Path("runs/houses-1"), "new.csv")
"""

import json
from pathlib import Path
from typing import Any

import polars as pl

from preceptor.data.read import read
from preceptor.data.table import Schema, Table
from preceptor.errors import Mistake, nearest
from preceptor.inspection import blank
from preceptor.predictor import Predictor


def answer(folder: Path, source: Any) -> tuple[pl.DataFrame, list[str]]:
    """Answers for every row that could be read, id columns in front, and notes on the file.

    Raises Mistake when a column that the model needs is not there, or the run has no model.
    """
    known = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    if not (folder / "model" / "predictor.json").is_file():
        raise Mistake(
            "run-unfinished",
            "This run has no model yet.",
            where=str(folder),
            todo=f"preceptor fit --resume {folder}",
        )
    table = read(source, schema=Schema(**known["schema"]))
    roles = known["roles"]
    _refuse_missing_columns(roles["inputs"], table)
    predictor = Predictor.load(folder / "model")
    answers = predictor.target.answers(predictor.scores(blank(table, known["repairs"])))
    ids = [name for name in roles["ignored"] if name in table.frame.columns and name not in answers.columns]
    return pl.DataFrame([*table.frame.select(ids), *answers]), _notes(table, roles)


def _refuse_missing_columns(inputs: list[str], table: Table) -> None:
    present = table.frame.columns
    absent = [name for name in inputs if name not in present]
    if absent:
        raise Mistake(
            "column-absent",
            f"The model needs the column{'s' if len(absent) > 1 else ''} {', '.join(map(repr, absent))}.",
            where=table.source,
            why=f"The file has: {', '.join(present)}.",
            todo=nearest(absent[0], present) or "Bring the columns that the run was fitted on.",
        )


def _notes(table: Table, roles: dict[str, Any]) -> list[str]:
    used = {*roles["inputs"], *roles["ignored"], roles["target"]}
    extra = [name for name in table.frame.columns if name not in used]
    notes = [f"not used: {', '.join(extra)}"] if extra else []
    account = table.account
    notes += [f"{count:,} rows have no answer: {why}" for why, count in account.left_out.items()]
    notes += [
        f"line {row.line}: {row.why}, no answer" for row in account.dropped[:10] if row.line is not None
    ]
    notes += [
        f"{count:,} values of {column} could not be read and count as missing"
        for column, count in account.misfit_counts.items()
        if column in roles["inputs"]
    ]
    return notes
