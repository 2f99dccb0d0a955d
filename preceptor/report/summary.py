"""What the terminal says: one calm line a stage, aligned, with units and no false digits.

    narrator = Narrator(folder)
    for event in ledger_events:
        for line in narrator.hear(event): print(line)
    for line in narrator.close(): print(line)

Events of one stage (rivals, checks, folds) become one line, told when the stage is over.
"""

import textwrap
from pathlib import Path
from typing import Any

from preceptor.figures.words import (
    Interval,
    count,
    duration,
    interval_of,
    known,
    listed,
    plural,
    quoted,
    spelt,
)
from preceptor.finding import Finding
from preceptor.report.record import Record
from preceptor.report.searched import told_search
from preceptor.report.verdict import Verdict
from preceptor.report.yardstick import Yardstick

Event = dict[str, Any]
WIDTH, INDENT = 110, 12
TASKS = {
    "number": "number",
    "two-class": "two classes",
    "many-class": "many classes",
    "tags": "tags",
    "series": "forecast",
}
MOST_FINDINGS = 3


class Narrator:
    """Tells a run's events as lines of text; `folder` is named in the first line when it is known."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.events: list[Event] = []
        self.waiting: list[Event] = []

    def hear(self, event: Event) -> list[str]:
        """The lines that an event completes: often none."""
        name = event["event"]
        lines = self.close() if self.waiting and name not in (self.waiting[0]["event"], "decision") else []
        self.events.append(event)
        if name in _TOGETHER:
            self.waiting.append(event)
        elif name in _ALONE:
            lines += _ALONE[name](self, event)
        return lines

    def close(self) -> list[str]:
        """The lines of a stage that is over."""
        heard, self.waiting = self.waiting, []
        return _TOGETHER[heard[0]["event"]](self, heard) if heard else []

    @property
    def verdict(self) -> Verdict:
        """The verdict as far as the events have come."""
        return Verdict(Record(self.folder or Path(), self.events, {}, {}))

    def _kinds(self, event: Event) -> list[str]:
        record = self.verdict.record
        read, inputs = record.last("read"), sum(c.get("role") == "input" for c in event.get("columns", []))
        thing = record.thing if record.thing in ("picture", "text") else "row"
        given = [plural(read["rows"], thing)] if "rows" in read else []
        given += [plural(inputs, "input")] if thing == "row" or not given else []
        task, classes = TASKS.get(str(event.get("task")), str(event.get("task"))), event.get("classes")
        asked = f"{classes} classes" if classes and event.get("task") == "many-class" else task
        told = f"{record.source} · {', '.join(given)} -> {record.target} ({asked})"
        return [f"{told}    {self.folder}/" if self.folder else told]

    def _findings(self, findings: list[Event]) -> list[str]:
        """Before the split they speak of the data, afterwards of the training."""
        stage = "doctor" if self.verdict.record.of("split") else "data"
        grave = [f for f in findings if f.get("severity") != "note"] or findings
        told = [Finding.of(finding).line for finding in grave[:MOST_FINDINGS]]
        rest = len(findings) - len(told)
        lines = [*told, *([f"{rest} more in the report"] if rest else [])]
        return [line for n, text in enumerate(lines) for line in _lines("" if n else stage, text)]

    def _lent(self, event: Event) -> list[str]:
        learns = "stays as it is" if event.get("frozen") else "learns on"
        return _lines(
            "transfer", f"{event.get('column')} is seen as {event.get('from')} saw it, and {learns}"
        )

    def _split(self, event: Event) -> list[str]:
        parts = {"train": "train", "validation": "validation", "test": "sealed"}
        told = " · ".join(f"{count(event[part])} {word}" for part, word in parts.items() if part in event)
        folds = f" · {event['folds']} folds" if (event.get("folds") or 1) > 1 else ""
        expected = f"   {event['expected']}" if event.get("expected") else ""
        return _lines("split", told + folds + expected)

    def _rivals(self, rivals: list[Event]) -> list[str]:
        return _lines("rivals", " · ".join(f"{_title(rival)} {self._said(rival)}" for rival in rivals))

    def _said(self, line: Event, key: str = "score") -> str:
        return self.verdict.yardstick.said(line.get(key), interval_of(line.get("interval")))

    def _checks(self, checks: list[Event]) -> list[str]:
        return _lines(
            "checks",
            " · ".join(
                ("" if check.get("passed") else "FAILED: ") + str(check.get("text") or check.get("name"))
                for check in checks
            ),
        )

    def _train(self, lessons: list[Event]) -> list[str]:
        epochs = sum(lesson.get("epochs") or 0 for lesson in lessons)
        seconds = sum(lesson.get("took") or 0.0 for lesson in lessons)
        best = listed(
            dict.fromkeys(lesson.get("best_epoch") for lesson in lessons if lesson.get("best_epoch"))
        )
        nets = f"{spelt(len(lessons), 'net')}, " if len(lessons) > 1 else ""
        told = f"{nets}{plural(epochs, 'epoch')} in {duration(seconds)}"
        return _lines("train", told + (f", best at {best}" if best else ""))

    def _remedy(self, event: Event) -> list[str]:
        record = self.verdict.record
        measure = Yardstick.of(record.task, str(event.get("metric")), record.target)
        change = f"validation {measure.said(event.get('before'))} -> {measure.said(event.get('after'))}"
        return _lines(
            "doctor", f"{event.get('text')}, {change}, {'kept' if event.get('kept') else 'taken back'}"
        )

    def _stream(self, event: Event) -> list[str]:
        rows = plural(event.get("rows") or 0, "row")
        return _lines("stream", f"the net learns from {rows}; all else from a sample that fits into memory")

    def _search(self, event: Event) -> list[str]:
        told = told_search(self.verdict.record)
        return _lines("search", told) if told else []

    def _candidates(self, event: Event) -> list[str]:
        return _lines("choice", self.verdict.shipped) if event.get("shipped") else []

    def _exam(self, event: Event) -> list[str]:
        verdict = self.verdict
        measure, interval = verdict.yardstick, interval_of(event.get("interval"))
        if not known(event.get("score")):
            return []
        told = f"{measure.short} {self._said(event)}"
        told += f" [{measure.between(interval, float(event['score']))}]" if interval else ""
        return _lines("exam", f"{told}; {_compared(event, verdict)}")

    def _interrupted(self, event: Event) -> list[str]:
        return _lines(
            "stopped", f"in the stage {quoted(event.get('stage'))}; what has been learnt by then is kept"
        )

    def _report(self, event: Event) -> list[str]:
        return _lines("report", str(event.get("path")))


def _compared(event: Event, verdict: Verdict) -> str:
    """How what answers compares with the best rival; or, where a rival answers, how the net does."""
    word, difference, measure = verdict.word, event.get("difference") or {}, verdict.yardstick
    if word == "chance" or not verdict.rival:
        return "no better than chance" if word == "chance" else "nobody to compare with"
    interval, gap = interval_of(difference.get("interval")), difference.get("value")
    between = f" [{measure.gaps(_positive(interval))}]" if interval else ""
    by = f" by {measure.gap(gap, interval)}{between}" if known(gap) else ""
    if verdict.ships_rival:
        return "the network is no better" if word == "as_good" else f"the network is {word}{by}"
    return f"as good as {verdict.rival}" if word == "as_good" else f"{word} than {verdict.rival}{by}"


def _positive(interval: Interval) -> Interval:
    """The size of a difference, whichever way it goes."""
    return interval if sum(interval) >= 0 else (-interval[1], -interval[0])


_TOGETHER = {
    "finding": Narrator._findings,
    "rival": Narrator._rivals,
    "check": Narrator._checks,
    "train": Narrator._train,
}
_ALONE = {
    "kinds": Narrator._kinds,
    "split": Narrator._split,
    "lent": Narrator._lent,
    "remedy": Narrator._remedy,
    "stream": Narrator._stream,
    "search": Narrator._search,
    "candidates": Narrator._candidates,
    "exam": Narrator._exam,
    "interrupted": Narrator._interrupted,
    "report": Narrator._report,
}


def _title(line: Event) -> str:
    return str(line.get("title") or line.get("name"))


def _lines(stage: str, told: str) -> list[str]:
    """A stage's line, broken where it is too long for a terminal."""
    indent = " " * INDENT
    first = f"  {stage:<{INDENT - 2}}"
    return textwrap.wrap(told, WIDTH, initial_indent=first, subsequent_indent=indent) or [first.rstrip()]
