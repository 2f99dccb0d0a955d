"""What `preceptor.watch` costs a plain PyTorch loop: the same fits, watched and not.

One after the other in one process, each on one thread: the nets of `tabular` and of `mlp`, on indexed tensors
with torch's fused Adam. The clock covers the making of the watch and every step, not `findings()`,
which is asked for afterwards.
"""

import time
from typing import Any

import torch

from benchmarks.peers.nets import loss_of, net, tensors
from benchmarks.tasks import RATE, Task, numbers, pictures
from preceptor import watch

TIMES = 3
"""Two fits that differ by a hundredth are told apart by more rounds than others need."""
SHOWN = 64
"""The rows of the doctor's probe."""


def run(rounds: int, quick: bool = False) -> dict[str, Any]:
    x, y = pictures(6_000 if quick else 60_000)
    tasks = {
        "tabular": Task(*numbers(2_560 if quick else 20_640), (8, 64, 64, 1), batch=256, epochs=20),
        "mlp": Task(x.reshape(len(x), -1), y, (784, 128, 10), batch=128, epochs=2),
    }
    torch.set_num_threads(1)
    return {f"watching {name}": _compared(name, task, rounds * TIMES) for name, task in tasks.items()}


def _compared(name: str, task: Task, rounds: int) -> dict[str, Any]:
    ways = {"watched": True, "not watched": False}
    values: dict[str, list[float]] = {way: [] for way in ways}
    _fit(task.brief(), watched=True)
    for _ in range(rounds):
        for way, watched in ways.items():
            started = time.perf_counter()
            _fit(task, watched)
            values[way].append(time.perf_counter() - started)
    return {
        "title": f"a plain loop's fit of {name}, watched and not",
        "unit": "s",
        "contestants": {way: {"values": times} for way, times in values.items()},
        "targets": [{"ours": "watched", "theirs": "not watched", "within": 1.02}],
    }


def _fit(task: Task, watched: bool) -> None:
    model, loss, (inputs, goal) = net(task), loss_of(task), tensors(task)
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE, fused=True)
    doctor = None
    if watched:
        doctor = watch(
            model,
            loss=loss,
            probe=(inputs[:SHOWN], goal[:SHOWN]),
            optimiser=optimiser,
            train=(inputs, goal),
            steps=task.epochs * -(-len(inputs) // task.batch),
        )
    for _epoch in range(task.epochs):
        for rows in torch.randperm(len(inputs)).split(task.batch):
            batch = inputs[rows], goal[rows]
            optimiser.zero_grad()
            value = loss(model(batch[0]), batch[1])
            value.backward()
            optimiser.step()
            if doctor:
                doctor(value, batch=batch)
