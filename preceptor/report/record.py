"""What a run's folder tells: the ledger's events, the result, and the evidence behind them.

    record = Record.read(Path("runs/houses-1"))
    record.last("exam")["score"], record.history

Everything may be missing: a run can have been stopped at any moment.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from preceptor.figures.words import quoted
from preceptor.ledger import Ledger
from preceptor.report.evidence import Classes, Forecasts, Numbers, Tags

Event = dict[str, Any]
REACHED = {
    "start": "its start",
    "read": "the reading of the data",
    "kinds": "a first look at the data",
    "split": "the splitting of the rows",
    "rival": "the rivals",
    "check": "the checks before training",
    "search": "the search for hyper-parameters",
    "train": "the training",
    "candidates": "the choice of what answers",
    "opening": "the opening of the seal",
}


@dataclass(frozen=True)
class Record:
    """A run's folder, read once. `events` are the ledger's lines in order."""

    folder: Path
    events: list[Event]
    result: Event
    plan: Event

    @classmethod
    def read(cls, folder: Path) -> "Record":
        """Read the ledger, result.json and plan.json; what is not there is empty."""
        events = Ledger(folder / "ledger.jsonl").events
        return cls(folder, events, _json(folder / "result.json"), _json(folder / "plan.json"))

    def of(self, event: str) -> list[Event]:
        """All events of one name, in order."""
        return [line for line in self.events if line["event"] == event]

    def last(self, event: str) -> Event:
        """The last event of one name; empty when there is none."""
        return next((line for line in reversed(self.events) if line["event"] == event), {})

    def latest(self, event: str, key: str) -> list[Event]:
        """The events of one name, only the last one of each `key`: a resumed run may repeat itself."""
        return list({line.get(key): line for line in self.of(event)}.values())

    @property
    def findings(self) -> list[Event]:
        """Every finding once, the gravest first."""
        gravity = {"error": 0, "warning": 1, "note": 2}
        found = {
            (f.get("code"), f.get("column"), f.get("layer"), f.get("text")): f for f in self.of("finding")
        }
        return sorted(found.values(), key=lambda f: gravity.get(f.get("severity", "note"), 2))

    @property
    def exam(self) -> Event:
        """The last exam; empty when the seal has not been broken."""
        return self.last("exam")

    @property
    def target(self) -> str:
        """The column that is predicted."""
        named = self.result.get("target") or self.last("kinds").get("target")
        named = named or self.last("start").get("target") or self.plan.get("target")
        return str(named or "the target")

    @property
    def task(self) -> str:
        """What is asked for: "number", "two-class", "many-class", "tags", "series"; else empty."""
        return str(self.result.get("task") or self.last("kinds").get("task") or "")

    @property
    def source(self) -> str:
        """What the data is called."""
        return str(self.last("start").get("source") or "the data")

    @property
    def stopped(self) -> str:
        """Where the run was interrupted, if it was and has not gone on since: the stage's name."""
        ends = [e for e in self.events if e["event"] in ("start", "interrupted")]
        return str(ends[-1].get("stage") or "") if ends else ""

    @property
    def left_out(self) -> dict[str, int]:
        """Rows that could not be used, by reason."""
        return {**(self.last("read").get("left_out") or {}), **(self.last("split").get("left_out") or {})}

    @cached_property
    def dropped(self) -> list[Event]:
        """The first rows or files that were left out, each with its `line`, if it has one, and `why`."""
        return list((_json(self.folder / "data.json").get("account") or {}).get("dropped") or [])

    def lacks(self, what: str) -> str:
        """Why something is not in the report, in one sentence that begins with `what` ("The score is")."""
        if self.stopped:
            return f"{what} not known: the run was stopped in the stage {quoted(self.stopped)}."
        if not self.exam:
            reached = [words for event, words in REACHED.items() if self.of(event)] or ["its start"]
            return f"{what} not known: the run has come to {reached[-1]}, and not to its exam."
        return f"{what} not known: this run did not measure it; with more time it would."

    @cached_property
    def history(self) -> pl.DataFrame | None:
        """One row per fold and epoch; None where no net was trained."""
        return _parquet(self.folder / "history.parquet")

    @cached_property
    def evidence(self) -> Numbers | Classes | Tags | Forecasts | None:
        """The sealed rows with their answers; None before the exam."""
        answers = _parquet(self.folder / "exam.parquet")
        if answers is None or answers.is_empty():
            return None
        if self.task == "number":
            return Numbers.of(answers)
        if self.task == "series":
            return Forecasts.of(answers)
        return Tags.of(answers) if self.task == "tags" else Classes.of(answers)

    @cached_property
    def exhibits(self) -> list[Event]:
        """Pictures and texts to show, one entry a column; empty where there are none."""
        return list(_json(self.folder / "figures" / "examples.json").get("exhibits", []))

    @property
    def thing(self) -> str:
        """What a row is called: "forecast", "picture" or "text" where it is nothing else, or "row"."""
        if self.task == "series":
            return "forecast"
        kinds = [c.get("kind") for c in self.last("kinds").get("columns", []) if c.get("role") == "input"]
        return {"image": "picture", "text": "text"}.get(str(kinds[0]), "row") if len(kinds) == 1 else "row"


def _json(path: Path) -> Event:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _parquet(path: Path) -> pl.DataFrame | None:
    return pl.read_parquet(path) if path.is_file() else None
