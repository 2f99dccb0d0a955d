"""How fast a large table is read, and how much memory that takes beside polars and pandas alone.

    python -m benchmarks.reading [--rows 1000000] [--columns 100]

The file is made in a temporary folder and thrown away. Each reader runs in a process of its own; its
peak is what that process held at most, less what it held when its packages were imported.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

READERS = ("preceptor", "polars", "pandas")


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


def read_with(reader: str, path: Path) -> None:
    """Read the file in this process; print seconds, processor seconds, peak and values in bytes."""
    load = _loader(reader)
    before = _peak()
    begin, busy = time.perf_counter(), time.process_time()
    values = load(path)
    print(time.perf_counter() - begin, time.process_time() - busy, _peak() - before, values)


def _loader(reader: str):
    if reader == "preceptor":
        from preceptor.data.read import read

        return lambda path: read(path).frame.estimated_size()
    if reader == "polars":
        return lambda path: pl.read_csv(path, infer_schema_length=10_000).estimated_size()
    import pandas

    return lambda path: pandas.read_csv(path).memory_usage(deep=True).sum()


def _peak() -> int:
    """The most bytes of memory this process held; getrusage would count its parent's before the exec."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--read", nargs=2, metavar=("READER", "FILE"), help="only read, in this process")
    asked = parser.parse_args()
    if asked.read:
        read_with(asked.read[0], Path(asked.read[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write_table(path, asked.rows, asked.columns)
        size = path.stat().st_size
        print(f"{asked.rows:,} rows, {asked.columns} columns, {size / 1e6:,.0f} MB of text")
        for reader in READERS:
            command = [sys.executable, "-m", "benchmarks.reading", "--read", reader, str(path)]
            told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            seconds, busy, peak, values = map(float, told.split())
            print(
                f"{reader:<10} {seconds:6.1f} s ({busy:5.1f} processor)  {asked.rows / seconds:9,.0f} rows/s"
                f"  peak {peak / 1e6:6,.0f} MB = {peak / size:.2f} x text, {peak / values:.2f} x values"
            )


if __name__ == "__main__":
    main()
