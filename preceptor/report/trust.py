"""When can I trust it? How sure it is and how rightly, what the checks said, and where it knows nothing."""

import numpy as np
from markupsafe import Markup

from preceptor.figures.certainty import reliability, roc
from preceptor.figures.figure import Figure
from preceptor.figures.numbers import error_bands, target_histogram
from preceptor.figures.words import number, of_100, plural, quoted
from preceptor.report.blocks import Block, Fold, Grid, Marks, Section, Text, pictures
from preceptor.report.cards import called
from preceptor.report.evidence import Classes, Forecasts, Numbers, Tags
from preceptor.report.forecasts import how_sure
from preceptor.report.record import Record
from preceptor.report.sentences import joined, name, say
from preceptor.report.verdict import Verdict

QUESTION = "When can I trust it?"
DOUBTS = (
    "answer-given-away",
    "answer-in-text",
    "pictures-look-tells",
    "test-file-repeats",
    "shuffled-labels-learnt",
    "batch-mixed",
    "groups-suspected",
    "time-suspected",
)
"""Codes of findings that make a score better than the answers are."""


def when_to_trust(record: Record, verdict: Verdict) -> Section:
    """The fourth section."""
    answer, figures = _certainty(record)
    if verdict.word == "chance":
        answer = say("Do not: on rows it had never seen, its answers were no better than guesses. ") + answer
    told: list[Block] = [*_doubts(record), *pictures(*figures), Text(_likeness(record))]
    return Section("trust", QUESTION, answer, [*told, *_seal(record), *_checks(record), *_columns(record)])


def _doubts(record: Record) -> list[Block]:
    """What was found that makes a score lie."""
    grave = {str(f.get("code")) for f in record.findings if f.get("severity") in ("warning", "error")}
    named = [say("{title}", title=quoted(called(code))) for code in DOUBTS if code in grave]
    if not named:
        return []
    words = "A score can flatter, and here is a reason to doubt it: {named}. What to do about it stands "
    words += 'under <a href="#correct">How do I correct it?</a>'
    return [Text(say(words, named=joined(named)))]


def _certainty(record: Record) -> tuple[Markup, list[Figure | None]]:
    """How far an answer can be believed, by the kind of the target."""
    rows = record.evidence
    if isinstance(rows, Forecasts):
        return how_sure(rows), []
    if isinstance(rows, Numbers):
        return _of_numbers(rows, record.target)
    if isinstance(rows, Tags):
        return _of_tags(rows)
    if isinstance(rows, Classes):
        return _of_classes(rows)
    return say("{why}", why=record.lacks("How far its answers can be believed is")), []


def _of_numbers(evidence: Numbers, target: str) -> tuple[Markup, list[Figure | None]]:
    low, high = np.quantile(evidence.truth - evidence.answer, [0.05, 0.95])
    wide = float(max(abs(low), abs(high)))
    told = say(
        "Nine times in ten the truth lies between {low} below and {high} above its answer. It was examined "
        "on values of {target} from {least} to {most}; beyond them nothing is known.",
        low=number(float(-low), (0, 0.2 * wide)),
        high=number(float(high), (0, 0.2 * wide)),
        target=name(target),
        least=number(float(evidence.truth.min())),
        most=number(float(evidence.truth.max())),
    )
    given = (evidence.truth, evidence.answer, target)
    return told, [error_bands(*given), target_histogram(*given)]


def _of_classes(evidence: Classes) -> tuple[Markup, list[Figure | None]]:
    right = evidence.truth == evidence.answer
    figures = [reliability(evidence.sure, right)]
    if evidence.score is not None:
        names = (evidence.names[0], evidence.names[1])
        figures.append(roc(evidence.truth == 1, evidence.score, evidence.rival, names))
    return _surest(evidence.sure, right), figures


def _of_tags(evidence: Tags) -> tuple[Markup, list[Figure | None]]:
    said = evidence.share > 0.5
    sure = np.where(said, evidence.share, 1 - evidence.share).ravel()
    right = (said == (evidence.truth == 1)).ravel()
    return _surest(sure, right), [reliability(sure, right)]


def _surest(sure: np.ndarray, right: np.ndarray) -> Markup:
    """How often it is right when it says that it is sure, and when it says that it is not."""
    told = []
    for part, words in (
        (sure >= 0.9, "Where it is at least 90 % sure, it is right {right} times in 100."),
        (sure < 0.6, "Where it is less than 60 % sure, it is right {right} times in 100."),
    ):
        if part.sum() >= 10:
            told.append(say(words, right=of_100(float(right[part].mean()))))
    if told:
        return Markup(" ").join(told)
    return say("It is right {right} times in 100, and never very sure.", right=of_100(float(right.mean())))


def _likeness(record: Record) -> Markup:
    """What the new rows must be like for all this to hold."""
    how = str(record.last("split").get("how") or "")
    told = "All of this holds for new rows that come from where these came from: the same source, the "
    told += "same habits, the same time. When the world changes, examine it again with fresh rows."
    return say("{told} {how}", told=told, how=f"{how[0].upper()}{how[1:].rstrip('.')}." if how else "")


def _seal(record: Record) -> list[Block]:
    """How often the sealed rows have been looked at; more than once is confessed."""
    openings = record.of("opening")
    if not openings:
        return []
    rows = [[str(o.get("nth", n)), str(o.get("at", "–"))[:16].replace("T", " "), str(o.get("reason") or "–")]
            for n, o in enumerate(openings, start=1)]  # fmt: skip
    if len(openings) == 1:
        return [Text("The sealed rows were opened once, for the exam, and nothing was changed afterwards.")]
    told = (
        f"The sealed rows were opened {plural(len(openings), 'time')}. Whoever looks again and then chooses "
    )
    told += "flatters himself: take the first score for the honest one."
    return [Text(told), Grid("", ["opening", "when", "reason"], rows)]


def _checks(record: Record) -> list[Block]:
    checks = record.latest("check", "name")
    if not checks:
        return []
    failed = sum(not check.get("passed") for check in checks)
    many = plural(len(checks), "check")
    title = f"{failed} of {many} before training failed" if failed else f"Before training: {many} passed"
    items = [(bool(check.get("passed")), str(check.get("text") or check.get("name"))) for check in checks]
    return [Text(f"{title}:"), Marks(items)] if failed else [Fold(title, [Marks(items)])]


def _columns(record: Record) -> list[Block]:
    """What each column was taken for."""
    columns = record.last("kinds").get("columns", [])
    if not columns:
        return []
    rows = [[str(c.get(key) or "–") for key in ("column", "role", "kind", "why")] for c in columns]
    used = sum(c.get("role") == "input" for c in columns)
    title = f"What each column was taken for ({plural(used, 'input')})"
    hint = Text(f"Where a kind is wrong, say so: --kind {quoted('column=kind')}.")
    return [Fold(title, [hint, Grid("", ["column", "used as", "kind", "because"], rows)])]
