"""When does it succeed, when does it fail? Parts of the data, sizes of the answer, single rows."""

import numpy as np
from markupsafe import Markup

from preceptor.figures.classes import found, found_shares
from preceptor.figures.figure import Figure
from preceptor.figures.inputs import Slice, slices
from preceptor.figures.numbers import error_growth
from preceptor.figures.words import Interval, interval_of, known, number, plural, shortened
from preceptor.report.blocks import Block, Fold, Grid, Section, Text, pictures
from preceptor.report.evidence import Classes, Numbers, Tags
from preceptor.report.record import Event, Record
from preceptor.report.sentences import name, say
from preceptor.report.verdict import Verdict
from preceptor.report.yardstick import Yardstick

QUESTION = "When does it succeed, when does it fail?"


def when_it_fails(record: Record, verdict: Verdict) -> Section:
    """The third section."""
    overall = _overall(record)
    parts = _slices(record, verdict.yardstick, overall)
    shown = [
        slices(parts, overall, verdict.yardstick.axis, share=verdict.yardstick.unit == "share"),
        *_answers(record),
    ]
    blocks: list[Block] = [*pictures(*shown), *_rows(record)]
    return Section("fails", QUESTION, _where(record, parts, verdict, overall), blocks)


def _overall(record: Record) -> float:
    score = record.exam.get("score")
    return float(score) if isinstance(score, int | float) and known(score) else float("nan")


def _slices(record: Record, measure: Yardstick, overall: float) -> list[Slice]:
    """The parts of the data, worst first."""
    lines = [line for line in record.last("slices").get("list", []) if known(line.get("score"))]
    sign = 1 if measure.higher_is_better else -1
    return [
        Slice(
            str(line.get("column")),
            str(line.get("value")),
            int(line.get("rows") or 0),
            float(line["score"]),
            interval_of(line.get("interval")),
            f"{measure.short} {measure.said(line['score'], interval_of(line.get('interval')))}",
            _against(interval_of(line.get("interval")), overall, sign),
        )
        for line in sorted(lines, key=lambda line: sign * line["score"])
    ]


def _against(interval: Interval | None, overall: float, sign: int) -> str:
    """Whether a part is surely worse or better than the whole: its interval leaves the whole's score out."""
    if interval is None or interval[0] <= overall <= interval[1] or not known(overall):
        return "same"
    return "better" if (interval[0] > overall) == (sign > 0) else "worse"


def _where(record: Record, parts: list[Slice], verdict: Verdict, overall: float) -> Markup:
    if not parts:
        growth = _answers(record)
        why = record.lacks("Where it fails is")
        return say("{title}.", title=growth[0].title) if growth else say("{why}", why=why)
    worst = next((part for part in parts if part.verdict == "worse"), None)
    best = next((part for part in reversed(parts) if part.verdict == "better"), None)
    told = [
        say(template, column=name(part.column), value=name(part.value), label=part.label)
        for template, part in (
            ("It fails most where {column} is {value}: {label}.", worst),
            ("It does best where {column} is {value}: {label}.", best),
        )
        if part
    ]
    if not told:
        return say("It does about equally well in every part of the data that was looked at.")
    return Markup(" ").join(
        [*told, say("Over all rows it is {score}.", score=verdict.yardstick.said(overall))]
    )


def _answers(record: Record) -> list[Figure]:
    """Where it errs by the true answer."""
    rows = record.evidence
    made: Figure | None = None
    if isinstance(rows, Numbers):
        made = error_growth(rows.truth, rows.answer, record.target)
    elif isinstance(rows, Tags):
        made = found_shares(_found(rows), "The tag")
    elif isinstance(rows, Classes):
        made = found(rows.truth, rows.answer, rows.names)
    return [made] if made else []


def _found(tags: Tags) -> list[tuple[str, int, float]]:
    given, said = tags.truth.sum(axis=0), tags.share > 0.5
    shares = np.where(given > 0, (said & (tags.truth == 1)).sum(axis=0) / np.maximum(given, 1), np.nan)
    return [
        (tag, int(many), float(part))
        for tag, many, part in zip(tags.names, given, shares, strict=True)
        if many > 0
    ]


def _rows(record: Record) -> list[Block]:
    """Single rows: the farthest off, and the best."""
    event = record.last("worst")
    blocks: list[Block] = []
    for key, title, words in (
        (
            "worst",
            "The rows it is farthest off",
            "Look at these first: a wrong value in the data shows up here.",
        ),
        ("best", "The rows it gets best", ""),
    ):
        rows = event.get(key) or event.get("list" if key == "worst" else "", [])
        if rows:
            grid = _grid(rows, record.task)
            told: list[Block] = [Text(words), grid] if words else [grid]
            blocks.append(Fold(f"{title} ({plural(len(rows), 'row')})", told))
    return blocks


MOST_INPUTS = 6


def _grid(rows: list[Event], task: str) -> Grid:
    columns = list(dict.fromkeys(column for row in rows for column in row.get("inputs") or {}))[:MOST_INPUTS]
    body = [
        [
            str(row.get("line") if row.get("line") is not None else "–"),
            _cell(row.get("truth")),
            _cell(row.get("answer")),
            *([_cell(row.get("error"))] if task == "number" else []),
            *(_cell((row.get("inputs") or {}).get(column)) for column in columns),
        ]
        for row in rows
    ]
    error = ["off by"] if task == "number" else []
    return Grid("", ["line", "truth", "answer", *error, *(shortened(column, 24) for column in columns)], body)


def _cell(value: object) -> str:
    if value is None or value == "":
        return "–"
    return number(value) if isinstance(value, float) else shortened(value, 40)
