"""What it costs to watch a training: the looks at the layers that `train` takes, on and off.

One after the other in one process, each on one thread; the fits of `tabular` and of `mlp`.
"""

import time
from typing import Any

import torch

from benchmarks.peers import own
from benchmarks.tasks import Task, numbers, pictures

TIMES = 3
"""Two fits that differ by a hundredth are told apart by more rounds than others need."""


def run(rounds: int, quick: bool = False) -> dict[str, Any]:
    x, y = pictures(6_000 if quick else 60_000)
    tasks = {
        "tabular": Task(*numbers(2_560 if quick else 20_640), (8, 64, 64, 1), batch=256, epochs=20),
        "mlp": Task(x.reshape(len(x), -1), y, (784, 128, 10), batch=128, epochs=2),
    }
    torch.set_num_threads(1)
    return {f"watching {name}": _compared(name, task, rounds * TIMES) for name, task in tasks.items()}


def _compared(name: str, task: Task, rounds: int) -> dict[str, Any]:
    ways = {"watched": False, "not watched": True}
    values: dict[str, list[float]] = {way: [] for way in ways}
    own.fit(task.brief())
    for _ in range(rounds):
        for way, lean in ways.items():
            started = time.perf_counter()
            own.fit(task, lean=lean)
            values[way].append(time.perf_counter() - started)
    return {
        "title": f"the fit of {name}, looked at and not",
        "unit": "s",
        "contestants": {way: {"values": times} for way, times in values.items()},
        "targets": [{"ours": "watched", "theirs": "not watched", "within": 1.02}],
    }
