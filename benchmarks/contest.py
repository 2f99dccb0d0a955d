"""Contestants in turn, one at work at a time, each in a process that lives through all rounds.

    rows = contest(task, [Contestant("Lightning", "lightning", venv="lightning"), ...], rounds=5)

Neither imports nor a process's first fit are counted. Then each fits an eighth of the task on one thread and
on two by turns, three times unless that takes long, and keeps what was faster, as its users could. Rounds
follow, in each of which every contestant fits the whole task once, so that a busy machine disturbs all alike.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.tasks import Task
from benchmarks.venvs import NotInstalled, interpreter

ROOT = Path(__file__).parent.parent
THREADS = (1, 2)
TURNS, PATIENCE = 3, 20.0


@dataclass(frozen=True)
class Contestant:
    """`module` of `benchmarks.peers` has `fit(task, **options)`; `venv` names the environment, "" is ours."""

    name: str
    module: str
    venv: str = ""
    options: dict[str, Any] = field(default_factory=dict)


class Failed(Exception):
    """The last words of a contestant that did not come through."""


class Worker:
    """A contestant's process, and what it has done so far; `absent` says why it takes part no longer."""

    def __init__(self, contestant: Contestant, task: Path):
        self.contestant, self.task, self.threads = contestant, task, max(THREADS)
        self.log = task.parent / f"{contestant.name.replace('/', '-')}.log"
        self.fits: list[dict[str, float]] = []
        self.absent = ""
        self.process: subprocess.Popen[str] | None = None

    def attempt(self, something: Callable[[], None]) -> None:
        """Do it unless the contestant is absent; a failure makes it so."""
        try:
            if not self.absent:
                something()
        except (NotInstalled, Failed) as error:
            self.absent = str(error)

    def start(self) -> None:
        python = interpreter(self.contestant.venv) if self.contestant.venv else sys.executable
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [python, "-m", "benchmarks.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
                cwd=self.log.parent,
                env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            )

    def warm_up(self) -> None:
        """Start, fit a little, and choose the number of threads."""
        self.start()
        self._fit(brief=True)
        self.threads = better(lambda threads: self._fit(brief=True, threads=threads)["seconds"])

    def fit(self) -> None:
        """One fit of the whole task."""
        self.fits.append(self._fit(threads=self.threads))

    def _fit(self, brief: bool = False, threads: int = max(THREADS)) -> dict[str, float]:
        assert self.process
        assert self.process.stdin
        assert self.process.stdout
        asked = {
            "module": f"benchmarks.peers.{self.contestant.module}",
            "task": str(self.task),
            "brief": brief,
            "threads": threads,
            "options": self.contestant.options,
        }
        try:
            print(json.dumps(asked), file=self.process.stdin, flush=True)
            return json.loads(self.process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError) as error:
            said = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
            raise Failed(said[-1].strip() if said else "it ended without a word") from error

    def close(self) -> None:
        """End the process and all that it started, such as a compiler's helpers."""
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate()

    @property
    def row(self) -> dict[str, Any]:
        """The contestant's row of a table."""
        if self.absent:
            return {"absent": self.absent}
        columns = {name: [fit[name] for fit in self.fits] for name in self.fits[0]}
        told = {"values": columns["seconds"], "processor": columns["processor"]}
        return {**told, "loss": columns["loss"][-1], "threads": self.threads, "peak": max(columns["peak"])}


def better(seconds: Callable[[int], float]) -> int:
    """The number of threads that once took the least time: other work on the machine only ever adds to it.

    After `PATIENCE` seconds no further turn is begun.
    """
    turns, began = list[dict[int, float]](), time.monotonic()
    while len(turns) < TURNS and (not turns or time.monotonic() - began < PATIENCE):
        turns.append({threads: seconds(threads) for threads in THREADS})
    return min(THREADS, key=lambda threads: min(turn[threads] for turn in turns))


def contest(task: Task, contestants: Sequence[Contestant], rounds: int) -> dict[str, dict[str, Any]]:
    """Every contestant's row of a table, by name."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        saved = task.save(Path(folder) / "task")
        workers = [Worker(contestant, saved) for contestant in contestants]
        for worker in workers:
            stack.callback(worker.close)
            worker.attempt(worker.warm_up)
            told = worker.absent or f"{worker.threads} thread{'s' if worker.threads > 1 else ''}"
            print(f"  {worker.contestant.name}: {told}", flush=True)
        for number in range(rounds):
            print(f"  round {number + 1} of {rounds}", end="", flush=True)
            for worker in workers:
                worker.attempt(worker.fit)
                print("." if not worker.absent else "-", end="", flush=True)
            print(flush=True)
        return {worker.contestant.name: worker.row for worker in workers}
