"""The head of the page: the sentence under the verdict, and a handful of numbers."""

from markupsafe import Markup

from preceptor.figures.words import count, interval_of, known, plural
from preceptor.report.record import Event, Record
from preceptor.report.sentences import say
from preceptor.report.verdict import Verdict

Fact = tuple[str, str, str]


def lede(record: Record, verdict: Verdict) -> Markup:
    """On what the verdict rests and who answers; before the exam, how far the run has come."""
    if not record.exam:
        return _so_far(record, verdict)
    rows = plural(_sealed(record), record.thing)
    told = [say("Measured on {rows} that were sealed away before training began.", rows=rows)]
    told += [say("The answers come from {shipped}.", shipped=verdict.shipped)] if verdict.shipped else []
    return Markup(" ").join(told)


def _sealed(record: Record) -> int:
    rows = (record.result.get("rows") or {}).get("test") or record.last("split").get("test")
    return int(rows or 0)


def _so_far(record: Record, verdict: Verdict) -> Markup:
    """The best score on validation rows."""
    scored = [line for line in validated(record) if known(line.get("score"))]
    if not scored:
        return say("{why}", why=record.lacks("How good the answers are is"))
    best = max(scored, key=lambda line: line["score"] * (1 if verdict.yardstick.higher_is_better else -1))
    return say(
        "On validation rows the best so far is {title}, with {measure} {score}.",
        title=best.get("title") or best.get("name"),
        measure=verdict.yardstick.short,
        score=_said(best, verdict),
    )


def validated(record: Record) -> list[Event]:
    """Everyone's score on validation rows, the last one that was written."""
    everyone = [*record.of("rival"), *record.last("candidates").get("list", [])]
    return list({one.get("name"): one for one in everyone}.values())


def facts(record: Record, verdict: Verdict) -> list[Fact]:
    """The numbers at the head of the page: (label, value, what stands below); none before the exam."""
    exam, measure = record.exam, verdict.yardstick
    if not known(exam.get("score")):
        return []
    interval = interval_of(exam.get("interval"))
    told = [
        (measure.title, _said(exam, verdict), measure.between(interval, exam["score"]) if interval else "")
    ]
    for label, line in (
        ("the network" if verdict.ships_rival else "best rival", verdict.best_rival),
        ("without any learning", verdict.dumb),
    ):
        if line and (label, line) != ("best rival", verdict.dumb):
            told.append((label, _said(line, verdict), str(line.get("title") or line.get("name"))))
    return [*told, _rows(record)]


def _rows(record: Record) -> Fact:
    read = (record.result.get("rows") or {}).get("read")
    of = f"of {count(read)} read" if known(read) else ""
    return (f"sealed {record.thing}s", count(_sealed(record)), of)


def _said(line: Event, verdict: Verdict) -> str:
    return verdict.yardstick.said(line.get("score"), interval_of(line.get("interval")))
