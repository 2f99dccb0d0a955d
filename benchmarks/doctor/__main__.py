"""Inject training faults, let the doctor and its rivals look, and print who named what.

    python -m benchmarks.doctor --smoke                     # a quarter of an hour on one quiet core
    python -m benchmarks.doctor --full --workers 2          # hours; goes on where it was interrupted
    python -m benchmarks.doctor --controls                  # the healthy runs of the full set alone
    python -m benchmarks.doctor --smoke --programs seen     # all but the eight held out, with its misses
    python -m benchmarks.doctor --faults                    # what is injected, and what counts as right

`--only 'NAME,NAME'` takes these faults alone, `--rows FILE` keeps the rows there, `--no-fixes` leaves the
remedies and the cost out.
"""

import argparse
from pathlib import Path

from benchmarks.doctor import tables
from benchmarks.doctor.bench import Options, bench
from benchmarks.doctor.programs import PROGRAMS
from benchmarks.doctor.rows import absent


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group(required=True)
    for runs in ("smoke", "full", "controls"):
        which.add_argument(f"--{runs}", dest="runs", action="store_const", const=runs)
    which.add_argument("--faults", action="store_true")
    parser.add_argument("--programs", default="all", help="all, seen, unseen, or names with commas")
    parser.add_argument("--only", default="", help="names of faults with commas; no healthy runs then")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--no-fixes", action="store_true")
    asked = parser.parse_args()
    if asked.faults:
        print(tables.faults())
        return
    for setup in PROGRAMS.values():
        if absent(setup.data):
            print(f"{setup.name} is left out: no {setup.data} in $PRECEPTOR_DATA or ../shared/data")
    options = Options(
        asked.runs, asked.programs, asked.only, asked.workers, asked.rows, fixes=not asked.no_fixes
    )
    print(tables.report(*bench(options), misses_too=asked.programs == "seen"))


if __name__ == "__main__":
    main()
