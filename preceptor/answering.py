"""New rows in, answers out: the same order, ids kept, every oddity of the file said.

answers, notes = answer(Path("runs/houses-1"), "new.csv")
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from preceptor.data.read import read
from preceptor.data.table import Schema, Table
from preceptor.errors import Mistake, nearest
from preceptor.figures.words import plural
from preceptor.framing import Frame, ahead_of, examples_of, frame_from
from preceptor.inspection import blank
from preceptor.predictor import Predictor


def answer(folder: Path, source: Any) -> tuple[pl.DataFrame, list[str]]:
    """Answers for every row that could be read, id columns in front, and notes on the file.

    Of a forecasting run: what comes after the file's last row, or the last one of each series.

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
    predictor, roles = Predictor.load(folder / "model"), known["roles"]
    frame = frame_from(known.get("frame"))
    needed = _columns_of(frame) if frame else roles["inputs"]
    _refuse_missing_columns(needed, table)
    notes = _notes(table, needed, {*needed, *roles["ignored"], roles["target"]})
    if frame and frame.horizon:
        return forecast(frame, table, predictor), [*notes, *_short(frame, table)]
    rows = examples_of(frame, table) if frame else table
    answers = predictor.target.answers(predictor.scores(blank(rows, known["repairs"])))
    ids = [name for name in roles["ignored"] if name in rows.frame.columns and name not in answers.columns]
    files = [rows.names.alias("file")] if rows.names is not None else []
    return pl.DataFrame([*files, *rows.frame.select(ids), *answers]), notes


def forecast(frame: Frame, table: Table, predictor: Predictor) -> pl.DataFrame:
    """What comes after the last row of each series: a row for each step ahead, its time in front."""
    examples, times = ahead_of(frame, table)
    scores = predictor.scores(examples).reshape(len(examples), frame.horizon, -1)
    order = np.arange(len(examples) * frame.horizon).reshape(frame.horizon, -1).T.ravel()
    columns = [pl.concat(times).gather(order)]
    if frame.series:
        columns.append(examples.frame[frame.series].gather(order % len(examples)))
    for place, name in enumerate(frame.targets):
        columns.append(pl.Series(name, scores[:, :, place].ravel()))
    return pl.DataFrame(columns)


def _columns_of(frame: Frame) -> list[str]:
    """The columns of a file that its examples are made from."""
    own = [name for name in (frame.time, frame.series) if name]
    return [*own, *frame.channels, *frame.plain]


def _short(frame: Frame, table: Table) -> list[str]:
    """Series that are shorter than the history that the model looks back on."""
    counts = table.frame.group_by(frame.series).len()["len"] if frame.series else pl.Series([len(table)])
    short = int((counts < frame.history).sum())
    what = f"{short:,} series have" if frame.series else "the file has"
    return [f"{what} fewer rows than the {frame.history} that the model looks back on"] if short else []


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


def _notes(table: Table, inputs: list[str], used: set[str]) -> list[str]:
    """What of the file is not used, could not be read, or counts as missing."""
    extra = [name for name in table.frame.columns if name not in used]
    notes = [f"not used: {', '.join(extra)}"] if extra else []
    account = table.account
    notes += [f"no answer for {plural(count, 'row')}: {why}" for why, count in account.left_out.items()]
    notes += [
        f"{row.why if row.line is None else f'line {row.line}: {row.why}'}, no answer"
        for row in account.dropped[:10]
    ]
    notes += [
        f"{count:,} values of {column} could not be read and count as missing"
        for column, count in account.misfit_counts.items()
        if column in inputs
    ]
    return notes
