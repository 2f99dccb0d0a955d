"""When does it succeed, when does it fail? Parts of the data, sizes of the answer, single rows."""

import numpy as np
from markupsafe import Markup

from preceptor.figures.classes import found
from preceptor.figures.figure import Figure
from preceptor.figures.inputs import Slice, slices
from preceptor.figures.numbers import error_growth
from preceptor.figures.words import Interval, count, interval_of, known, number, of_100, plural, shortened
from preceptor.report.blocks import Block, Fold, Grid, Section, Text, pictures
from preceptor.report.evidence import Classes, Forecasts, Numbers, Tags
from preceptor.report.exhibits import exhibits
from preceptor.report.forecasts import by_step, extremes, growth, hardest
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
    seen = exhibits(record, "fails")
    alone = (bool(seen) and record.thing != "row") or record.task == "series"
    blocks: list[Block] = [*seen, *pictures(*shown), *([] if alone else _rows(record))]
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
    if not parts or isinstance(record.evidence, Forecasts):
        return _by_truth(record)
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
    whole = say(
        "Over all rows it is {score}.",
        score=verdict.yardstick.said(overall, interval_of(record.exam.get("interval"))),
    )
    return Markup(" ").join([*told, whole])


def _by_truth(record: Record) -> Markup:
    """Where it fails by the true answer; said where no parts of the data were looked at."""
    rows = record.evidence
    if isinstance(rows, Forecasts):
        return by_step(rows) + hardest(rows)
    if isinstance(rows, Numbers):
        order = np.argsort(rows.truth)
        low, high = (np.median(np.abs(rows.answer - rows.truth)[tenth]) for tenth in _outer(order))
        told = "Half of the errors are below {low} where {target} is lowest, {high} where it is highest."
        words = {"low": number(float(low)), "high": number(float(high))}
        return say(told, target=name(record.target), **words)
    shares = sorted(_recognised(rows), key=lambda one: one[2]) if rows else []
    if not shares:
        return say("{why}", why=record.lacks("Where it fails is"))
    (hard, _, least), (easy, _, most) = shares[0], shares[-1]
    told = "Of 100 rows that truly are {hard} it recognises {least}; of 100 that are {easy}, {most}."
    return say(told, hard=name(hard), least=of_100(least), easy=name(easy), most=of_100(most))


def _outer(order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first and the last tenth of the rows, at least one row each."""
    tenth = max(1, len(order) // 10)
    return order[:tenth], order[-tenth:]


def _recognised(rows: Classes | Tags) -> list[tuple[str, int, float]]:
    """Each class or tag, how many rows truly are of it, and the share of them that was recognised."""
    if isinstance(rows, Tags):
        true, said = rows.truth == 1, rows.share > 0.5
    else:
        every = np.arange(len(rows.names))
        true, said = rows.truth[:, None] == every, rows.answer[:, None] == every
    many, hits = true.sum(axis=0), (true & said).sum(axis=0)
    counted = zip(rows.names, many, hits, strict=True)
    return [(one, int(rows), float(hit / rows)) for one, rows, hit in counted if rows]


def _answers(record: Record) -> list[Figure | None]:
    """Where it errs by the true answer; with two classes the confusion matrix has said it."""
    rows = record.evidence
    if isinstance(rows, Numbers):
        return [error_growth(rows.truth, rows.answer, record.target)]
    if isinstance(rows, Forecasts):
        return [growth(rows), *extremes(rows)]
    if rows is None or len(rows.names) == 2:
        return []
    return [found(_recognised(rows), "tag" if isinstance(rows, Tags) else "class")]


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
            grid = _grid(rows, record)
            told: list[Block] = [Text(words), grid] if words else [grid]
            blocks.append(Fold(f"{title} ({plural(len(rows), 'row')})", told))
    return blocks


MOST_INPUTS = 6


def _grid(rows: list[Event], record: Record) -> Grid:
    task, known = record.task, record.last("kinds").get("columns", [])
    kinds = {column.get("column"): column.get("kind") for column in known}
    named = dict.fromkeys(column for row in rows for column in row.get("inputs") or {})
    columns = [column for column in named if kinds.get(column) not in ("image", "series")][:MOST_INPUTS]
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
    if isinstance(value, int) and value >= 10_000:
        return count(value)
    return number(value) if isinstance(value, float) else shortened(value, 40)
