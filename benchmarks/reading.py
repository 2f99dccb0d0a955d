"""How fast a large table of text is read, and what memory that takes, beside polars and pandas alone.

A million rows of a hundred columns, made in a temporary folder. Each reader works in a process of its own;
its peak is what that process held at most, less what it held when its packages were imported.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl

from benchmarks.worker import peak_memory

READERS = ("preceptor", "polars", "pandas")
ROWS, COLUMNS = 1_000_000, 100


def run(rounds: int, quick: bool = False) -> dict[str, Any]:
    rows = ROWS // 100 if quick else ROWS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write_table(path, rows, COLUMNS)
        title = f"{rows:,} rows, {COLUMNS} columns, {path.stat().st_size / 1e6:,.0f} MB of text"
        found = [{reader: apart(reader, path) for reader in READERS} for _ in range(rounds)]
    seconds = {name: {"values": [one[name][0] for one in found]} for name in READERS}
    busy = {name: {"values": [one[name][1] for one in found]} for name in READERS}
    peaks = {
        name: {"values": [one[name][2] / 1e6 for one in found], "note": _beside_values(found, name)}
        for name in READERS
    }
    return {
        "reading": {"title": title, "unit": "s", "contestants": seconds},
        "reading, processors": {"title": "seconds of all processors", "unit": "s", "contestants": busy},
        "reading, memory": {"title": "peak over what the imports take", "unit": "MB", "contestants": peaks},
    }


def _beside_values(found: list[dict[str, list[float]]], name: str) -> str:
    peak, values = (median(one[name][place] for one in found) for place in (2, 3))
    return f"  {peak / values:.1f}x the values"


def write_table(path: Path, rows: int, columns: int, seed: int = 0) -> None:
    """Numbers of four decimals, every tenth column whole numbers, and one column of words."""
    random = np.random.default_rng(seed)
    words = np.array(["hut", "house", "villa", "castle, with moat"])
    with path.open("wb") as file:
        for start in range(0, rows, 50_000):
            values = random.normal(size=(min(50_000, rows - start), columns)).round(4) * 100
            frame = pl.DataFrame(values).with_columns(
                pl.nth(range(0, columns, 10)).round().cast(pl.Int64),
                pl.Series(f"column_{columns - 1}", random.choice(words, len(values))),
            )
            frame.write_csv(file, include_header=start == 0, float_precision=4)


def apart(reader: str, path: Path) -> list[float]:
    """Seconds, processor seconds, bytes at the peak and bytes of the values, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.reading", reader, str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [float(number) for number in told.split()]


def read_with(reader: str, path: Path) -> None:
    """Read the file in this process, and print what `apart` returns."""
    load = _loader(reader)
    before = peak_memory()
    began, busy = time.perf_counter(), time.process_time()
    values = load(path)
    print(time.perf_counter() - began, time.process_time() - busy, peak_memory() - before, values)


def _loader(reader: str) -> Callable[[Path], float]:
    if reader == "preceptor":
        from preceptor.data.read import read

        return lambda path: read(path).frame.estimated_size()
    if reader == "polars":
        return lambda path: pl.read_csv(path, infer_schema_length=10_000).estimated_size()
    import pandas

    return lambda path: pandas.read_csv(path).memory_usage(deep=True).sum()


if __name__ == "__main__":
    read_with(sys.argv[1], Path(sys.argv[2]))
