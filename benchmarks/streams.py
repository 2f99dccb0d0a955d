"""More rows than memory: passes over a stream beside passes over tensors in memory, and the peak of both.

The same net (8-64-64-1, batch 256), loop, rows and steps. Before each pass the stream's packs are taken out
of the system's own cache, so that they do come from the disk.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn

from preceptor.data.read import read
from preceptor.data.streams.sampling import LEAST
from preceptor.intake import Dealt, stream_of
from preceptor.kinds.number import Number
from preceptor.plan import TrainingPlan
from preceptor.problem import Problem
from preceptor.training.loop import train
from preceptor.training.state import Training
from preceptor.training.stream import Stream, train_stream

LIMIT, TIMES = 128_000_000, 10
"""The memory given, and how many times as large the file is."""
BATCH, STEP = 256, 250_000


class Net(nn.Sequential):
    """8-64-64-1 on the numbers; there are no codes."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, x: Tensor, codes: Tensor) -> Tensor:
        return super().forward(x)[:, 0]


def write_rows(path: Path, size: int) -> None:
    """Rows of eight numbers, each stretch sorted by the answer; at least so many bytes."""
    import pyarrow.parquet

    random, writer, first = np.random.default_rng(0), None, True
    with path.open("wb") as file:
        while file.tell() < size:
            x = random.normal(size=(STEP, 8))
            y = np.sin(x[:, 0] * x[:, 1]) + np.abs(x[:, 2])
            frame = pl.DataFrame({**{f"x{place}": x[:, place] for place in range(8)}, "y": y}).sort("y")
            if path.suffix == ".csv":
                frame.write_csv(file, include_header=first, float_precision=6)
            else:
                writer = writer or pyarrow.parquet.ParquetWriter(file, frame.to_arrow().schema)
                writer.write_table(frame.to_arrow())
            first = False
        if writer:
            writer.close()


def training_of(epochs: int, shares: int) -> Training:
    plan = TrainingPlan(optimiser="adam", learning_rate=1e-3, batch_size=BATCH, threads=1, clip=None)
    return Training(Net(), plan, epochs=epochs, seed=0, shares=shares)


def streamed(dealt: Dealt) -> float:
    """Seconds of one pass, its packs read from the disk."""
    with dealt.stream.packs.path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    began = time.perf_counter()
    training = training_of(dealt.stream.shares, 1)
    for _ in train_stream(training, dealt.stream, nn.functional.mse_loss):
        pass
    return time.perf_counter() - began


def in_memory(rows: list[Tensor], shares: int) -> float:
    """Seconds of one pass over tensors in memory, in so many epochs."""
    began = time.perf_counter()
    *inputs, goal = rows
    for _ in train(training_of(shares, shares), inputs, goal, nn.functional.mse_loss):
        pass
    return time.perf_counter() - began


def all_rows(stream: Stream) -> list[Tensor]:
    shares = []
    for place in range(stream.shares):
        shares.append(stream.empty())
        stream.fill(shares[-1], 0, place)
    return [torch.cat(parts) for parts in zip(*shares, strict=True)]


def passes(path: Path, rounds: int) -> dict[str, Any]:
    """Rows a second of one pass."""
    dealt = stream_of(path, "y", memory=LIMIT)
    rows = all_rows(dealt.stream)
    seconds: dict[str, list[float]] = {"stream": [], "in memory": []}
    for _ in range(rounds):
        seconds["stream"].append(streamed(dealt))
        seconds["in memory"].append(in_memory(rows, dealt.stream.shares))
    count = len(rows[-1])
    return {
        "title": f"one pass over {count:,} rows, {dealt.stream.shares} shares",
        "unit": "rows/s",
        "better": "more",
        "contestants": {name: {"values": [count / one for one in taken]} for name, taken in seconds.items()},
        "targets": [{"ours": "stream", "theirs": "in memory", "at_least": 0.9}],
    }


def from_file(path: Path, way: str) -> None:
    """From the file to one pass done, in this process; print seconds and the peak's growth."""
    before, began = peak(), time.perf_counter()
    if way == "stream":
        streamed(stream_of(path, "y", memory=LIMIT))
    else:
        in_memory(encoded(path), 1)
    print(time.perf_counter() - began, peak() - before)


def encoded(path: Path) -> list[Tensor]:
    """The whole file as tensors."""
    table = read(path)
    target = Number("y").fit(table.frame["y"])
    inputs = [Number(name) for name in table.frame.columns if name != "y"]
    problem = Problem(list(inputs), target).fit(table)
    return [*problem.encode(table).tensors, target.goal(table.frame["y"])]


def peak() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def whole(path: Path, rounds: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Seconds from the file to the end of one pass, and the memory that took."""
    found: dict[str, list[tuple[float, float]]] = {"stream": [], "in memory": []}
    for _ in range(rounds):
        for way, values in found.items():
            command = [sys.executable, "-m", "benchmarks.streams", str(path), way]
            told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            seconds, bytes_taken = map(float, told.split())
            values.append((seconds, bytes_taken / 1e6))
    columns = [
        {name: {"values": [pair[place] for pair in pairs]} for name, pairs in found.items()}
        for place in (0, 1)
    ]
    size = path.stat().st_size / 1e6
    return (
        {
            "title": f"from {size:,.0f} MB of {path.suffix[1:]} to the end of one pass",
            "unit": "s",
            "contestants": columns[0],
        },
        {
            "title": f"peak over what the imports take, {LIMIT / 1e6:.0f} MB given",
            "unit": "MB",
            "contestants": columns[1],
            "targets": [{"ours": "stream", "at_most": LIMIT / 1e6}],
        },
    )


def run(rounds: int, quick: bool = False) -> dict[str, Any]:
    tables = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PRECEPTOR_CACHE"] = folder
        for form in ("parquet", "csv"):
            path = Path(folder) / f"rows.{form}"
            write_rows(path, LEAST // 4 if quick else TIMES * LIMIT)
            if form == "parquet":
                tables["pass"] = passes(path, rounds)
            seconds, memory = whole(path, 1 if quick else min(rounds, 2))
            tables |= {f"{form}, seconds": seconds, f"{form}, memory": memory}
            path.unlink()
    return tables


if __name__ == "__main__":
    torch.set_num_threads(1)
    from_file(Path(sys.argv[1]), sys.argv[2])
