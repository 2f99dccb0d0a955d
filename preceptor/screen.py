"""What a person sees while a run works: one calm line a stage; a bar only on a terminal.
What is certain to be wrong with a net in training is told at once, each kind once.

with Screen() as screen:
    screen.event(ledger_line)              # prints a stage's line when the stage has one
    screen.progress(0.4, "train", 31)      # a bar, or a line every half minute in a log
"""

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from preceptor.finding import Finding
from preceptor.report.summary import Narrator

SECONDS_BETWEEN_LINES = 30.0


class Screen:
    """Prints stage lines to standard error's terminal or log; `quiet` prints nothing.

    `waited` is how many seconds the person has waited already: the program's own start counts.
    """

    def __init__(self, *, quiet: bool = False, waited: float = 0.0) -> None:
        self.quiet = quiet
        self.waited = waited
        self.narrator = Narrator()
        self.bar: Any = None
        self.told: set[str] = set()
        self.last = time.monotonic()

    def __enter__(self) -> Self:
        if not self.quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            columns = (
                TextColumn("  {task.description:<10}"),
                BarColumn(28),
                TextColumn("{task.fields[left]}"),
            )
            self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self.bar.add_task("", total=1.0, visible=False, left="")
            self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for line in self.narrator.close():
            self._print(line)
        if self.bar:
            self.bar.stop()

    def event(self, event: dict[str, Any]) -> None:
        """Print the lines that a ledger event completes."""
        if event["event"] == "start":
            self.narrator.folder = Path(event["folder"])
        for line in self.narrator.hear(event):
            self._print(line)
        if self._certain(event):
            self.narrator.waiting.remove(event)
            self._print(f"  {'doctor':<10}{Finding.of(event).line}")

    def _certain(self, event: dict[str, Any]) -> bool:
        """Whether a fault of the net was found that needs no second look, the first of its kind."""
        code = str(event.get("code"))
        if event["event"] != "finding" or code in self.told or not self.narrator.verdict.record.of("split"):
            return False
        from preceptor.diagnose.rank import CERTAIN  # torch is at hand where nets are trained

        certain = event.get("severity") == "error" or code in {*CERTAIN, "training-diverged"}
        self.told |= {code} if certain else set()
        return certain

    def progress(self, done: float, stage: str, seconds_left: float) -> None:
        """Show how far a stage is (0 to 1) and the time left."""
        left = f"{seconds_left:.0f} s left"
        if self.bar:
            self.bar.update(0, completed=done, description=stage, left=left, visible=done < 1)
        elif not self.quiet and time.monotonic() - self.last > SECONDS_BETWEEN_LINES:
            self._print(f"  {stage:<10}{100 * done:.0f} % done, {left}")

    def _print(self, line: str) -> None:
        self.last = time.monotonic()
        if self.quiet:
            return
        if self.bar:
            self.bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            print(line, file=sys.stderr, flush=True)
