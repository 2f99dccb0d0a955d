"""What `preceptor.watch` costs a plain PyTorch loop: the same fits, watched and not.

The nets of `tabular` and of `mlp`, on indexed tensors with fused Adam, on one thread. Both fits take turns, a
few steps at a time, so that whatever else the machine does meets both. The clock covers the making of the
watch and every step, not `findings()`, which is asked for afterwards.
"""

import time
from collections.abc import Iterator
from typing import Any

import torch

from benchmarks.peers.nets import loss_of, net, tensors
from benchmarks.tasks import RATE, Task, numbers, pictures
from preceptor import watch

TIMES = 3
"""Two fits that differ by a hundredth are told apart by more rounds than others need."""
SHOWN = 64
"""The rows of the doctor's probe."""
STRIDE = 20
"""So many steps of one fit, then of the other."""


def run(rounds: int, quick: bool = False) -> dict[str, Any]:
    x, y = pictures(6_000 if quick else 60_000)
    tasks = {
        "tabular": Task(*numbers(2_560 if quick else 20_640), (8, 64, 64, 1), batch=256, epochs=20),
        "mlp": Task(x.reshape(len(x), -1), y, (784, 128, 10), batch=128, epochs=2),
    }
    torch.set_num_threads(1)
    return {f"watching {name}": _compared(name, task, rounds * TIMES) for name, task in tasks.items()}


def _compared(name: str, task: Task, rounds: int) -> dict[str, Any]:
    values: dict[str, list[float]] = {"watched": [], "not watched": []}
    _side_by_side(task.brief(), 0)
    for turn in range(rounds):
        for way, seconds in _side_by_side(task, turn).items():
            values[way].append(seconds)
    return {
        "title": f"a plain loop's fit of {name}, watched and not",
        "unit": "s",
        "contestants": {way: {"values": times} for way, times in values.items()},
        "targets": [{"ours": "watched", "theirs": "not watched", "within": 1.02}],
    }


def _side_by_side(task: Task, turn: int) -> dict[str, float]:
    """The seconds of two fits that take turns, a few steps at a time; who begins changes with `turn`."""
    fits = {way: _fit(task, way == "watched") for way in ("watched", "not watched")}
    order, seconds = list(fits)[:: 1 if turn % 2 else -1], dict.fromkeys(fits, 0.0)
    for _ in range(task.epochs * -(-len(task.x) // task.batch) // STRIDE + 1):
        for way in order:
            started = time.perf_counter()
            next(fits[way], None)
            seconds[way] += time.perf_counter() - started
    return seconds


def _fit(task: Task, watched: bool) -> Iterator[int]:
    """A fit as people write it; yields every few steps."""
    model, loss, (inputs, goal) = net(task), loss_of(task), tensors(task)
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE, fused=True)
    steps, done, doctor = task.epochs * -(-len(inputs) // task.batch), 0, None
    if watched:
        doctor = watch(
            model,
            loss=loss,
            probe=(inputs[:SHOWN], goal[:SHOWN]),
            optimiser=optimiser,
            train=(inputs, goal),
            steps=steps,
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
            done += 1
            if done % STRIDE == 0:
                yield done
