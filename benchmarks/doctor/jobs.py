"""What is run: one job, one training or a few, one row of numbers; done in worker processes, kept in a file.

Rows are appended to a JSONL as they come in, by key, so that an interrupted bench goes on where it stopped.
"""

import json
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from benchmarks.doctor import remedies
from benchmarks.doctor.faults import BY_NAME
from benchmarks.doctor.healthy import CONTROL
from benchmarks.doctor.loop import Result, train
from benchmarks.doctor.programs import PROGRAMS
from benchmarks.doctor.rivals import said
from benchmarks.doctor.setup import Setup
from benchmarks.doctor.trace import Recorder
from benchmarks.doctor.watchers import Attended

Row = dict[str, Any]
FIXED = 3
"""Seeds of a run with the remedy in it."""


@dataclass(frozen=True)
class Job:
    """`watch` a run, only `score` it, `fix` it by a finding, or measure the `cost` of watching it.

    `change` is a fault's or a control's name, "" for none; `level` counts a fault's from 0.
    """

    kind: Literal["watch", "score", "fix", "cost"]
    program: str
    change: str = ""
    level: int = 0
    seed: int = 0
    number: int = 0
    remedy: str = "{}"
    best_epoch: int = 0

    @property
    def key(self) -> str:
        """What the row is known by."""
        return f"{self.kind}|{self.program}|{self.change}|{self.level}|{self.seed}"

    @property
    def setup(self) -> Setup:
        """The training, changed."""
        base = PROGRAMS[self.program]
        if self.change in BY_NAME:
            return BY_NAME[self.change].into(base, self.level)
        return CONTROL[self.change].into(base) if self.change else base.copy()


def run(job: Job) -> Row:
    """The job's row."""
    torch.set_num_threads(1)
    return {"key": job.key, **asdict(job), **KINDS[job.kind](job)}


def _score(job: Job) -> Row:
    return {"score": asdict(train(job.setup, job.seed).score)}


def _watch(job: Job) -> Row:
    doctor, recorder = Attended(), Recorder()
    result = train(job.setup, job.seed, [doctor, recorder])
    alarmed = [one for one in doctor.told[-1][1] if one["severity"] != "note"]
    return {
        "score": asdict(result.score),
        "alarms": doctor.alarms(),
        "notes": [one["code"] for one in doctor.told[-1][1] if one["severity"] == "note"],
        "first": json.loads(json.dumps(alarmed[:3], default=str)),
        "rivals": said(recorder.trace),
        "best_epoch": _best(result),
        "asked_seconds": round(doctor.seconds, 3),
    }


def _best(result: Result) -> int:
    losses = [loss if loss == loss else float("inf") for loss in result.held_losses]
    return losses.index(min(losses))


def _fix(job: Job) -> Row:
    base = PROGRAMS[job.program].copy()
    mended = remedies.apply(job.setup, base, job.number, json.loads(job.remedy), job.best_epoch)
    return {"scores": [asdict(train(mended, seed).score) for seed in range(FIXED)]}


def _cost(job: Job) -> Row:
    """Processor seconds without and with somebody who only watches, turn by turn; and the bits."""
    without, watched = [], []
    for _ in range(4):
        without.append(train(job.setup, job.seed))
        watched.append(train(job.setup, job.seed, [Attended(asked=())]))
    pairs = zip(without[0].net.state_dict().values(), watched[0].net.state_dict().values(), strict=True)
    return {
        "seconds": [run.seconds for run in without],
        "watched": [run.seconds for run in watched],
        "same_bits": all(torch.equal(a, b) for a, b in pairs),
    }


KINDS: dict[str, Callable[[Job], Row]] = {"watch": _watch, "score": _score, "fix": _fix, "cost": _cost}


def read(path: Path) -> dict[str, Row]:
    """The rows so far by key; a line cut off by a crash is passed over."""
    rows = {}
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        if line.endswith("}"):
            row = json.loads(line)
            rows[row["key"]] = row
    return rows


def work(jobs: Sequence[Job], path: Path, workers: int) -> Iterator[Row]:
    """Do what is not yet in the file; yield all rows asked for. What raises is a row with `error`."""
    known = read(path)
    fresh = [job for job in jobs if job.key not in known]
    yield from (known[job.key] for job in jobs if job.key in known)
    path.parent.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")
    with path.open("a", encoding="utf-8") as file, ProcessPoolExecutor(workers, context) as pool:
        futures = {pool.submit(run, job): job for job in fresh}
        for future in as_completed(futures):
            job, error = futures[future], future.exception()
            row = {"key": job.key, **asdict(job), "error": repr(error)} if error else future.result()
            file.write(json.dumps(row) + "\n")
            file.flush()
            yield row
