"""New rows in, answers out: the same order, ids kept, every oddity of the file said.

    answers, notes = answer(Path("runs/houses-1"), "new.csv")
    opened(Path("runs/houses-1")).ask({"rooms": 3, "district": "Mission"})     # {"price": 51200.0}

A run's model is read once a process, as long as its file stays the same.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import Tensor

from preceptor.data.read import read
from preceptor.data.table import Schema, Table
from preceptor.errors import Mistake, nearest
from preceptor.figures.words import plural
from preceptor.framing import Frame, ahead_of, examples_of, frame_from
from preceptor.inspection import blank
from preceptor.kinds.category import Category
from preceptor.kinds.number import Number
from preceptor.kinds.scaling import smooth_clip_one
from preceptor.models.tabular import TabularNet
from preceptor.net import Net
from preceptor.predictor import Member, Predictor
from preceptor.problem import Inputs, Problem
from preceptor.training.tape import Tape, record

MOST_CODES = 10_000
"""Of so many different values the codes are remembered; others go the long way each time."""


def answer(folder: Path, source: Any) -> tuple[pl.DataFrame, list[str]]:
    """Answers for every row that could be read, id columns in front, and notes on the file.

    Of a forecasting run: what comes after the file's last row, or the last one of each series.

    Raises Mistake when a column that the model needs is not there, or the run has no model.
    """
    return opened(folder).answer(source)


def opened(folder: Path) -> "Opened":
    """A run ready to answer. Raises Mistake "run-unfinished" when it has no model."""
    model = folder / "model" / "predictor.json"
    if not model.is_file():
        raise Mistake(
            "run-unfinished",
            "This run has no model yet.",
            where=str(folder),
            todo=f"preceptor fit --resume {folder}",
        )
    return _opened(folder.resolve(), model.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _opened(folder: Path, _changed: int) -> "Opened":
    known = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    return Opened(Predictor.load(folder / "model"), known)


class Opened:
    """A run's predictor, settled, and what `data.json` says of the file that it was fitted on."""

    def __init__(self, predictor: Predictor, known: Mapping[str, Any]) -> None:
        self.predictor, self.known = predictor, known
        self.schema, self.frame = Schema(**known["schema"]), frame_from(known.get("frame"))
        self.quick = QuickRow.of(predictor.problems, known["repairs"]) if self.frame is None else None
        self.tapes: dict[Member, Tape | None] = {}
        nets = (
            one.module for family in predictor.families.values() for one in family if isinstance(one, Net)
        )
        for part in (part for net in nets for part in net.modules() if isinstance(part, TabularNet)):
            part.settle()

    def answer(self, source: Any) -> tuple[pl.DataFrame, list[str]]:
        """Answers and notes, as of the function `answer`."""
        table, roles, frame = read(source, schema=self.schema), self.known["roles"], self.frame
        needed = _columns_of(frame) if frame else roles["inputs"]
        _refuse_missing_columns(needed, table)
        notes = _notes(table, needed, {*needed, *roles["ignored"], roles["target"]})
        if frame and frame.horizon:
            return forecast(frame, table, self.predictor), [*notes, *_short(frame, table)]
        rows = examples_of(frame, table) if frame else table
        target = self.predictor.target
        answers = target.answers(self.predictor.scores(blank(rows, self.known["repairs"])))
        ids = [
            name for name in roles["ignored"] if name in rows.frame.columns and name not in answers.columns
        ]
        files = [rows.names.alias("file")] if rows.names is not None else []
        return pl.DataFrame([*files, *rows.frame.select(ids), *answers]), notes

    def ask(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one row of values by column, in a moment: the target's column, and p(class) columns.

        Not for forecasts, and from one thread at a time. Raises Mistake when a column that the model needs is
        not there.
        """
        encoded = self.quick.encoded(row) if self.quick else None
        if encoded is None:
            frame = pl.DataFrame({name: [value] for name, value in row.items()})
            answers, _ = self.answer(frame)
            if self.quick:
                table = blank(read(frame, schema=self.schema), self.known["repairs"])
                self.quick.learn(row, [problem.encode(table) for problem in self.predictor.problems])
            return _first(answers)
        families = {
            name: np.mean([self._scores(one, encoded[fold]) for fold, one in enumerate(members)], axis=0)
            for name, members in self.predictor.families.items()
            if name in self.predictor.weights
        }
        scores, target = self.predictor.blended(families), self.predictor.target
        return (
            {target.column: float(scores[0])} if target.task == "number" else _first(target.answers(scores))
        )

    @torch.inference_mode()
    def _scores(self, member: Member, inputs: Inputs) -> np.ndarray:
        """One row's scores; a net's steps are recorded the first time."""
        if not isinstance(member, Net):
            return member.predict(inputs)
        if member not in self.tapes:
            self.tapes[member] = record(lambda *row: (member.module(*row),), inputs.tensors)
        tape = self.tapes[member]
        return member.predict(inputs) if tape is None else member.scores(*tape(*inputs.tensors))


class QuickRow:
    """Encodes one row of numbers and categories for every fold, as `Problem.encode` would, without a table.

    What code a value of a category has is remembered from the first time that it came, when it went the
    long way.
    """

    def __init__(self, problems: Sequence[Problem], repairs: Mapping[str, Sequence[float]]) -> None:
        self.repairs = repairs
        self.numbers = [kind.column for kind in problems[0].inputs if isinstance(kind, Number)]
        self.labels = [kind.column for kind in problems[0].inputs if isinstance(kind, Category)]
        self.folds = [[kind for kind in one.inputs if isinstance(kind, Number)] for one in problems]
        self.codes: dict[tuple[str, type, Any], Tensor] = {}

    @classmethod
    def of(cls, problems: Sequence[Problem], repairs: Mapping[str, Sequence[float]]) -> "QuickRow | None":
        """None where another kind is among the inputs: such rows always go the long way."""
        plain = all(type(kind) in (Number, Category) for problem in problems for kind in problem.inputs)
        return cls(problems, repairs) if plain else None

    def encoded(self, row: Mapping[str, Any]) -> list[Inputs] | None:
        """The row for each fold; None where it has to go the long way."""
        values = []
        for column in self.numbers:
            value = row.get(column, "")
            if value is None or (column in self.repairs and value in self.repairs[column]):
                value = math.nan
            if type(value) not in (float, int):
                return None
            values.append(value)
        keys = [_key(row, column) for column in self.labels]
        if any(key not in self.codes for key in keys):
            return None
        known = [self.codes[key] for key in keys]
        codes = torch.stack(known, 1)[:, None] if known else torch.empty(len(self.folds), 1, 0).long()
        numbers = [
            [cell for pair in zip(kinds, values, strict=True) for cell in _scaled(*pair)]
            for kinds in self.folds
        ]
        return [Inputs(torch.tensor([row]), fold) for row, fold in zip(numbers, codes, strict=True)]

    def learn(self, row: Mapping[str, Any], encoded: Sequence[Inputs]) -> None:
        """Remember the codes of a row that went the long way."""
        for place, column in enumerate(self.labels):
            if len(self.codes) < MOST_CODES:
                self.codes[_key(row, column)] = torch.stack([inputs.codes[0, place] for inputs in encoded])


def _first(answers: pl.DataFrame) -> dict[str, Any]:
    return answers.row(0, named=True)


def _key(row: Mapping[str, Any], column: str) -> tuple[str, type, Any]:
    """A value with its type, for 1, 1.0 and true are equal to Python and are not the same label."""
    value = row.get(column)
    return column, type(value), value


def _scaled(kind: Number, value: float) -> Iterator[float]:
    """What the net takes of a number: see `Number.encode`."""
    yield smooth_clip_one(value, kind.center, kind.scale)
    if kind.flag:
        yield float(math.isnan(value))


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
