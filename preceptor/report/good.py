"""How good is it really? The score, what it means, and whom it beats."""

import numpy as np
from markupsafe import Markup

from preceptor.figures.classes import class_balance, confusion
from preceptor.figures.contest import Entry, Role, contest
from preceptor.figures.figure import Figure
from preceptor.figures.journey import rows_account
from preceptor.figures.numbers import predicted_against_true
from preceptor.figures.words import interval_of, known, number, of_100, share
from preceptor.report.blocks import Block, Crossing, Fold, Grid, Section, Text, pictures
from preceptor.report.evidence import Classes, Forecasts, Numbers, Tags
from preceptor.report.exhibits import exhibits
from preceptor.report.forecasts import how_far, lines
from preceptor.report.head import validated
from preceptor.report.record import Event, Record
from preceptor.report.search import how_chosen
from preceptor.report.sentences import name, say
from preceptor.report.verdict import Verdict
from preceptor.report.yardstick import Yardstick

QUESTION = "How good is it really?"


def how_good(record: Record, verdict: Verdict) -> Section:
    """The first section."""
    answer = _judged(verdict) + _in_plain_numbers(record)
    if not record.exam:
        answer = say("{why}", why=record.lacks("The final score is"))
    shown = exhibits(record, "answers")
    blocks: list[Block] = [*pictures(_contest(record, verdict)), *shown, *pictures(*_answers(record, shown))]
    folds = int(record.last("split").get("folds") or 1)
    blocks += [*_meaning(record, verdict), *how_chosen(record), *pictures(rows_account(_rows(record), folds))]
    blocks += exhibits(record, "data")
    return Section("good", QUESTION, answer, blocks)


_JUDGED = {
    "better": "Better than every rival it was measured against. ",
    "as_good": "As good as the best of the simpler methods, and no better. ",
    "worse": "Not as good as a simpler method. ",
    "chance": "It is not: guessing does as well. ",
}


def _judged(verdict: Verdict) -> Markup:
    word = verdict.word
    if word in ("as_good", "worse") and verdict.ships_rival:
        return say("As good as the best simple method, because that is what answers. ")
    return say(_JUDGED.get(word, ""))


def _in_plain_numbers(record: Record) -> Markup:
    if isinstance(record.evidence, Forecasts):
        return how_far(record.evidence)
    if isinstance(record.evidence, Numbers):
        return _in_units(record.evidence)
    if isinstance(record.evidence, Tags):
        return _in_tags(record.evidence)
    rows = record.evidence
    return _in_hundreds(rows, f"{record.thing}s") if isinstance(rows, Classes) else Markup("")


def _in_units(evidence: Numbers) -> Markup:
    half, nine = np.quantile(np.abs(evidence.truth - evidence.answer), [0.5, 0.9])
    return say(
        "Half of its answers are within {half} of the truth, nine in ten within {nine}.",
        half=number(float(half), (0, 0.2 * half)),
        nine=number(float(nine), (0, 0.2 * nine)),
    )


def _in_hundreds(evidence: Classes, things: str) -> Markup:
    right = float((evidence.truth == evidence.answer).mean())
    common = np.bincount(evidence.truth, minlength=len(evidence.names))
    return say(
        "Of 100 new {things} it answers about {right} rightly; "
        "always saying {most} would be right in {dumb}.",
        things=things,
        right=of_100(right),
        most=name(evidence.names[int(common.argmax())]),
        dumb=of_100(float(common.max() / common.sum())),
    )


def _in_tags(evidence: Tags) -> Markup:
    true, said = evidence.truth == 1, evidence.share > 0.5
    hits = (true & said).sum()
    if not true.any() or not said.any():
        return say("It gives no tag that a row truly has.")
    return say(
        "Of 100 tags that rows truly have it finds {found}; of 100 that it gives, {right} are right.",
        found=of_100(float(hits / true.sum())),
        right=of_100(float(hits / said.sum())),
    )


def _contest(record: Record, verdict: Verdict) -> Figure | None:
    measure, exam = verdict.yardstick, record.exam
    if exam:
        ours = {
            "name": verdict.ships,
            "title": f"preceptor ({verdict.titles.get(verdict.ships, verdict.ships)})",
            **_score(exam),
        }
        others = [r for r in exam.get("rivals", []) if r.get("name") != verdict.ships]
        rows, title = "the sealed rows", _contest_title(verdict)
    else:
        ours, others, rows, title = (
            None,
            validated(record),
            "validation rows",
            "Where the predictors stand so far",
        )
    best = verdict.best_rival.get("name") if exam else None
    entries = [_entry(r, measure, "rival" if r.get("name") == best else "other") for r in others]
    return contest(
        [*([_entry(ours, measure, "ours")] if ours else []), *entries],
        measure.axis,
        measure.higher_is_better,
        title,
        rows,
        share=measure.unit == "share",
    )


def _score(exam: Event) -> Event:
    return {"score": exam.get("score"), "interval": exam.get("interval")}


def _entry(line: Event, measure: Yardstick, role: Role) -> Entry:
    score, interval = line.get("score"), interval_of(line.get("interval"))
    value = float(score) if isinstance(score, int | float) else float("nan")
    title = str(line.get("title") or line.get("name"))
    return Entry(title, value, interval, measure.said(score, interval), role)


def _contest_title(verdict: Verdict) -> str:
    if verdict.word == "chance":
        return "Nobody does better than guessing"
    if verdict.ships_rival:
        return f"The best simple method is used: {verdict.shipped}"
    told = {"better": "It beats every rival", "worse": f"The best rival does better: {verdict.rival}"}
    return told.get(
        verdict.word, f"It is level with {verdict.rival}" if verdict.rival else "How the predictors compare"
    )


def _answers(record: Record, shown: list[Block]) -> list[Figure | None]:
    """The answers beside the truth; a confusion matrix that pictures have `shown` already is not repeated."""
    rows = record.evidence
    if isinstance(rows, Forecasts):
        return lines(rows)
    if isinstance(rows, Numbers):
        return [predicted_against_true(rows.truth, rows.answer, record.target)]
    if isinstance(rows, Classes):
        given = (rows.truth, rows.answer, rows.names)
        crossed = any(isinstance(block, Crossing) for block in shown)
        return [None if crossed else confusion(*given), class_balance(*given)]
    return []


def _meaning(record: Record, verdict: Verdict) -> list[Block]:
    """What the measure is, what was expected, how often the seal was broken; the other measures."""
    told = [
        verdict.yardstick.plain,
        verdict.difference.striptags(),
        _expected(record, verdict.yardstick),
    ]
    blocks: list[Block] = [Text(" ".join(filter(None, told)))] if any(told) else []
    metrics = record.exam.get("metrics") or {}
    rows = [_metric_row(record, metric, line) for metric, line in metrics.items() if known(line.get("score"))]
    if len(rows) > 1:
        blocks.append(
            Fold("The same answers by other measures", [Grid("", ["measure", "score", "95 % range"], rows)])
        )
    return blocks


def _expected(record: Record, measure: Yardstick) -> str:
    """How far chance was expected to move the score, told before training."""
    split = record.last("split")
    half = split.get("expected_halfwidth")
    if not known(half):
        return ""
    width = f"{share(half, (0, half))}" if split.get("expected_relative") else measure.gap(half, (0, half))
    return f"Before training preceptor expected chance to move this score by up to {width}, either way."


def _metric_row(record: Record, metric: str, line: Event) -> list[str]:
    measure, interval = Yardstick.of(record.task, metric, record.target), interval_of(line.get("interval"))
    between = measure.between(interval, line["score"]) if interval else "–"
    return [measure.title, measure.said(line["score"], interval), between]


def _rows(record: Record) -> dict[str, int]:
    split, result = record.last("split"), record.result.get("rows") or {}
    left_out = sum(record.left_out.values()) or result.get("dropped") or 0
    rows = {part: split.get(part, result.get(part, 0)) for part in ("train", "validation")}
    return {**rows, "sealed": split.get("test", result.get("test", 0)), "left out": left_out}
