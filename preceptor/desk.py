"""What lies on the desk while a run works: the source, the plan, the folder, the ledger, the clock.

desk = Desk.set_up("houses.csv", Plan(target="price"), Path("runs/houses-1"))
desk.seconds_left
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from preceptor.ledger import Ledger
from preceptor.plan import Plan
from preceptor.storage import write_atomically
from preceptor.training.ranks import ALONE, Ranks


class Watcher(Protocol):
    """Somebody who looks on: a screen, a page; `waited` seconds already when the run began."""

    waited: float

    def event(self, event: dict[str, Any]) -> None:
        """Hear of a ledger event."""

    def progress(self, done: float, stage: str, seconds_left: float) -> None:
        """See how far a stage is (0 to 1)."""


class Nobody:
    """Nobody looks on."""

    waited = 0.0

    def event(self, event: dict[str, Any]) -> None:
        """Hear nothing."""

    def progress(self, done: float, stage: str, seconds_left: float) -> None:
        """See nothing."""


@dataclass
class Desk:
    """One run in the making. `closing` is the time kept back for exam and report, in seconds.

    `ranks` are the processes that train its nets, `given` is the plan as a person gave it, before data and
    measurements added to it.
    """

    source: Any
    plan: Plan
    folder: Path
    ledger: Ledger
    watcher: Watcher
    closing: float
    stages: dict[str, float] = field(default_factory=dict)
    ranks: Ranks = ALONE
    given: Plan = field(init=False)

    def __post_init__(self) -> None:
        self.given = self.plan

    @classmethod
    def set_up(cls, source: Any, plan: Plan, folder: Path, watcher: Watcher | None = None) -> "Desk":
        """Write down what was chosen (unless an earlier sitting has) and open the ledger."""
        watcher = watcher or Nobody()
        path = folder / "plan.json"
        if not path.exists():
            write_atomically(path, plan.model_dump_json(indent=1, exclude_unset=True).encode())
        ledger = Ledger(
            folder / "ledger.jsonl", pinned=plan.decisions, listen=watcher.event, head_start=watcher.waited
        )
        return cls(source, plan, folder, ledger, watcher, closing=5 + 0.08 * 60 * plan.minutes)

    @property
    def budget(self) -> float:
        """The whole run's seconds."""
        return 60 * self.plan.minutes

    @property
    def seconds_left(self) -> float:
        """Seconds until work must give way to exam and report; negative when late."""
        return self.budget - self.closing - self.ledger.seconds

    @property
    def interrupted(self) -> bool:
        """Whether somebody has pressed Ctrl-C."""
        return bool(self.ledger.of("interrupted"))

    @contextmanager
    def clocked(self, name: str) -> Iterator[None]:
        """Time a part of the run under this name."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.stages[name] = self.stages.get(name, 0.0) + time.monotonic() - began

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage that Ctrl-C ends early; what it has brought by then counts."""
        with self.clocked(name):
            try:
                yield
            except KeyboardInterrupt:
                self.ledger.write("interrupted", stage=name)
