"""The ledger: every step of a run, one JSON line each, appended and flushed, never rewritten.

    ledger = Ledger(folder / "ledger.jsonl")
    ledger.write("split", train=12384, validation=4128, test=4128)
    epochs = ledger.decide("epochs", lambda: seconds_left() // seconds_per_epoch)

A decision that depends on a measurement (a clock, a memory reading) is taken once and written down;
asked again, by a resumed run or by one that repeats an earlier plan, the ledger answers with what was
decided then. So a run is a pure function of its plan, its seed and its ledger.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from preceptor.errors import Mistake
from preceptor.finding import Finding

T = TypeVar("T")


class Ledger:
    """An append-only log of events. `pinned` decisions (from a plan) are taken as they stand.

    A half-written last line, left by a killed process, is cut off; any other damage is a Mistake.
    With `path=None` the ledger lives in memory only. `listen` hears every event; `head_start` counts
    seconds spent before the ledger was opened. A resumed run goes through the same steps again: an
    event that an earlier sitting has written already is heard but not written twice.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        pinned: Mapping[str, Any] | None = None,
        listen: Callable[[dict[str, Any]], None] = lambda event: None,
        head_start: float = 0.0,
    ) -> None:
        self.path = path
        self.pinned = dict(pinned or {})
        self.listen = listen
        self.events: list[dict[str, Any]] = _recovered(path) if path and path.exists() else []
        self._earlier = Counter(_essence(event) for event in self.events)
        self._before = head_start + (self.events[-1]["seconds"] if self.events else 0.0)
        self._opened = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds of work so far, those of interrupted sittings included."""
        return self._before + time.monotonic() - self._opened

    def write(self, event: str, **facts: Any) -> dict[str, Any]:
        """Append one event with the date and the seconds of work so far; return it."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        line = {"event": event, "at": at, "seconds": round(self.seconds, 3), **facts}
        self.listen(line)
        essence = _essence(line)
        if self._earlier[essence]:
            self._earlier[essence] -= 1
            return line
        if self.path:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False, allow_nan=True) + "\n")
                file.flush()
                os.fsync(file.fileno())
        self.events.append(line)
        return line

    def find(self, finding: Finding) -> None:
        """Append a finding."""
        self.write("finding", **finding.as_dict())

    def decide(self, key: str, measure: Callable[[], T], why: str = "") -> T:
        """What was decided for `key` earlier, or else `measure()`, which is then written down."""
        known = self.decisions()
        if key in known:
            return known[key]
        value = measure()
        self.write("decision", key=key, value=value, why=why)
        return value

    def decided(self, key: str) -> Any:
        """What was decided for `key`; None when nothing was."""
        return self.decisions().get(key)

    def decisions(self) -> dict[str, Any]:
        """Every decision by key, those that were pinned and those that were measured."""
        taken = {e["key"]: e["value"] for e in self.events if e["event"] == "decision"}
        return {**taken, **self.pinned}

    def of(self, event: str) -> list[dict[str, Any]]:
        """All events of one name, in order."""
        return [line for line in self.events if line["event"] == event]


def _essence(line: dict[str, Any]) -> str:
    """What makes an event the same event when it happens again: all but its times."""
    timeless = {name: value for name, value in line.items() if name not in ("at", "seconds", "took")}
    return json.dumps(timeless, sort_keys=True, ensure_ascii=False)


def _recovered(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a ledger; a torn last line is cut from the file."""
    raw = path.read_bytes()
    whole = raw[: raw.rfind(b"\n") + 1]
    if len(whole) < len(raw):
        with path.open("r+b") as file:
            file.truncate(len(whole))
            os.fsync(file.fileno())
    try:
        return [json.loads(line) for line in whole.decode("utf-8").split("\n") if line]
    except ValueError as error:
        raise Mistake(
            "ledger-damaged",
            f"The ledger of this run cannot be read: {error}.",
            where=str(path),
            why="A ledger is only ever appended to; something else has changed it.",
            todo="Restore the file from a copy, or start the run afresh in another folder.",
        ) from error
