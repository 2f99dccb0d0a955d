"""The whole course: watched runs, the scores that say what hurts, remedies, and what watching costs.

Rows go to `runs/doctor-CODE.jsonl`, where CODE stands for the doctor's and the bench's own text, so that
an interrupted bench goes on and a changed doctor is asked anew. Scores of unwatched runs do not depend on
the doctor; they are kept beside the bench in `harm.json`, and in `runs/doctor-scores.jsonl` until then. Both
are to be thrown away by whoever changes a program, a fault or a control.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.doctor import chosen
from benchmarks.doctor.faults import BY_NAME, FAULTS, numbers_of
from benchmarks.doctor.jobs import Job, Row, work
from benchmarks.doctor.judge import Evidence, doctor

ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).parent / "harm.json"
RUNS = ROOT / "runs"
SCORES = "doctor-scores.jsonl"


@dataclass(frozen=True)
class Options:
    """What is asked of the bench: a set, of some programs; "controls" are all healthy runs of the full set.

    `only` are names of faults with commas, without healthy runs.
    """

    runs: Literal["smoke", "full", "controls"] = "smoke"
    programs: str = "all"
    only: str = ""
    workers: int = 1
    rows: Path | None = None
    fixes: bool = True


def fingerprint() -> str:
    """Eight letters for the text of the doctor and of the bench."""
    files = [*(ROOT / "preceptor" / "diagnose").rglob("*.py"), *Path(__file__).parent.rglob("*.py")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()[:8]


def bench(options: Options) -> tuple[list[Row], Evidence]:
    """All rows of the set asked for, and what is known of harm."""
    setups = chosen.present(options.programs)
    faults = [BY_NAME[name] for name in options.only.split(",")] if options.only else FAULTS
    smoke = options.runs == "smoke"
    watched = [] if options.runs == "controls" else list(chosen.faulty(setups, faults, smoke=smoke))
    watched += [] if options.only else list(chosen.healthy(setups, smoke=smoke))
    path = options.rows or RUNS / f"doctor-{fingerprint()}.jsonl"
    rows = _done(watched, path, options.workers)
    scores = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    needed = list(chosen.judged(watched, set(scores)))
    for row in _done(needed, RUNS / SCORES, options.workers):
        if "score" in row:
            scores[chosen.place(row["program"], row["change"], row["level"], row["seed"])] = _rounded(row)
    KEPT.write_text(_lines(scores), "utf-8")
    evidence = Evidence(scores)
    if options.fixes:
        rows += _done(_fixes(rows, evidence), path, options.workers)
        rows += _done([Job("cost", setup.name) for setup in setups], path, 1)
    return rows, evidence


def _done(jobs: Sequence[Job], path: Path, workers: int) -> list[Row]:
    rows = []
    for row in work(jobs, path, workers):
        rows.append(row)
        print(f"\r{len(rows)} of {len(jobs)} runs: {row['key']:<90.90}", end="", flush=True)
    print()
    return rows


def _rounded(row: Row) -> list[float]:
    numbers = (row["score"][name] for name in ("metric", "loss", "dumb"))
    return [float(f"{number:.5g}") if math.isfinite(number) else 1e9 for number in numbers]


def _lines(scores: dict[str, list[float]]) -> str:
    lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in sorted(scores.items()))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _fixes(rows: Sequence[Row], evidence: Evidence) -> list[Job]:
    """Runs with the first finding's remedy in them, for every fault that hurts and was named at all."""
    jobs = []
    for row in rows:
        if "error" in row or row["change"] not in BY_NAME or not evidence.hurts(row) or not doctor(row):
            continue
        first = row["first"][0]
        remedy = json.dumps(first.get("change", {}))
        number = numbers_of([first["code"]])[0]
        jobs.append(
            Job(
                "fix",
                row["program"],
                row["change"],
                row["level"],
                row["seed"],
                number,
                remedy,
                row["best_epoch"],
            )
        )
    return jobs
