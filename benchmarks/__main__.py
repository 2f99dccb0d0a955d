"""Run workloads, print their tables, judge the targets, write JSON and the chart: see `benchmarks`."""

import argparse
import ast
import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.chart import write_chart
from benchmarks.facts import machine, versions
from benchmarks.tables import judged, printed

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"


def workloads() -> dict[str, str]:
    """Every module or folder with a function `run`, and what it measures; none is imported."""
    found = {}
    for path in sorted([*FOLDER.glob("*.py"), *FOLDER.glob("*/__init__.py")]):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "run" for node in tree.body):
            name = path.parent.name if path.name == "__init__.py" else path.stem
            found[name] = (ast.get_docstring(tree) or name).partition("\n")[0]
    return found


def measure(name: str, rounds: int, quick: bool) -> None:
    """Run one workload; print its tables and write them down."""
    print(f"\n{name}", flush=True)
    started = time.time()
    tables = importlib.import_module(f"benchmarks.{name}").run(rounds, quick=quick)
    for title, table in tables.items():
        print(printed(title, table), flush=True)
        table["judged"] = judged(table)
    print(f"  ({time.time() - started:.0f} s)", flush=True)
    record = {
        "machine": machine(),
        "versions": versions(),
        "rounds": rounds,
        "quick": quick,
        "tables": tables,
    }
    if not quick:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=1))


def in_a_process(name: str, asked: argparse.Namespace) -> bool:
    """Measure one of several workloads by itself, so that none spoils the next; whether it came through."""
    command = [sys.executable, "-m", "benchmarks", name, "--rounds", str(asked.rounds)]
    return not subprocess.run([*command, *(["--quick"] if asked.quick else [])], check=False).returncode


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="preceptor beside its peers")
    parser.add_argument("names", nargs="*", help="workloads; all when none is named")
    parser.add_argument("--only", default="", help="the same, with commas between")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="only see whether everything runs")
    parser.add_argument("--list", action="store_true", help="what there is to measure")
    parser.add_argument("--venvs", type=Path, help="where the peers' environments are, or will be")
    asked, known = parser.parse_args(), workloads()
    if asked.list:
        width = max(map(len, known)) + 2
        print("\n".join(f"{name:<{width}}{title}" for name, title in known.items()))
        return
    if asked.venvs:
        os.environ["PRECEPTOR_VENVS"] = str(asked.venvs.resolve())
    chosen = [*asked.names, *filter(None, asked.only.split(","))] or list(known)
    if strange := [name for name in chosen if name not in known]:
        parser.error(f"no workload {', '.join(strange)}; there are {', '.join(known)}")
    if len(chosen) == 1:
        measure(chosen[0], 1 if asked.quick else asked.rounds, asked.quick)
    failed = [name for name in chosen if len(chosen) > 1 and not in_a_process(name, asked)]
    if not asked.quick:
        write_chart(RESULTS)
    if failed:
        sys.exit(f"not measured, for the reasons above: {', '.join(failed)}")


if __name__ == "__main__":
    main()
