"""Inject training faults, let the doctor and its rivals look, and print who named what.

    python -m benchmarks.doctor --smoke                     # a quarter of an hour on one quiet core
    python -m benchmarks.doctor --full --workers 2          # hours; goes on where it was interrupted
    python -m benchmarks.doctor --smoke --programs seen     # all but the eight held out, with its misses
    python -m benchmarks.doctor --faults                    # what is injected, and what counts as right

Rows go to `benchmarks/results/doctor-SET.jsonl`; delete it, or name another with --rows, to begin again.
Scores of unwatched runs, which say what hurts, do not depend on the doctor and are kept beside the bench in
`harm.json`. `--only 'NAME,NAME'` takes these faults alone, `--no-fixes` leaves the remedies out.
"""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path

from benchmarks.doctor import chosen, tables
from benchmarks.doctor.faults import BY_NAME, FAULTS, numbers_of
from benchmarks.doctor.jobs import Job, Row, work
from benchmarks.doctor.judge import Evidence, doctor
from benchmarks.doctor.programs import PROGRAMS
from benchmarks.doctor.rows import absent

KEPT = Path(__file__).parent / "harm.json"
RESULTS = Path(__file__).parents[1] / "results"


def bench(options: argparse.Namespace) -> tuple[list[Row], Evidence]:
    """All rows of the set asked for, and what is known of harm."""
    setups = chosen.present(options.programs)
    faults = [BY_NAME[name] for name in options.only.split(",")] if options.only else FAULTS
    smoke = not options.full
    watched = list(chosen.faulty(setups, faults, smoke=smoke))
    watched += [] if options.only else list(chosen.healthy(setups, smoke=smoke))
    path = options.rows or RESULTS / f"doctor-{'smoke' if smoke else 'full'}.jsonl"
    rows = _done(watched, path, options.workers)
    scores = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    needed = list(chosen.judged(watched, set(scores)))
    for row in _done(needed, path, options.workers):
        if "score" in row:
            scores[chosen.place(row["program"], row["change"], row["level"], row["seed"])] = _rounded(row)
    KEPT.write_text(_lines(scores), "utf-8")
    evidence = Evidence(scores)
    if not options.no_fixes:
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--smoke", action="store_true")
    which.add_argument("--full", action="store_true")
    which.add_argument("--faults", action="store_true")
    parser.add_argument("--programs", default="all", help="all, seen, unseen, or names with commas")
    parser.add_argument("--only", default="", help="names of faults with commas; no healthy runs then")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--no-fixes", action="store_true")
    options = parser.parse_args()
    if options.faults:
        print(tables.faults())
        return
    for setup in PROGRAMS.values():
        if absent(setup.data):
            print(f"{setup.name} is left out: no {setup.data} in $PRECEPTOR_DATA or ../shared/data")
    print(tables.report(*bench(options), misses_too=options.programs == "seen"))


if __name__ == "__main__":
    main()
