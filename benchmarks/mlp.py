"""A net on pictures' pixels: 784-128-10, batch 128, 60,000 images, 2 epochs of Adam."""

from typing import Any

from benchmarks.contest import contest
from benchmarks.roster import (
    ACCELERATE,
    COMPILED,
    HANDMADE,
    INDEXED,
    KERAS_JAX,
    LOADER,
    PRECEPTOR,
    SCIKIT_LEARN,
    TRAINERS,
    faster,
    within,
)
from benchmarks.tasks import Task, pictures


def run(rounds: int, quick: bool = False) -> dict[str, Any]:
    x, y = pictures(6_000 if quick else 60_000)
    task = Task(x.reshape(len(x), -1), y, (784, 128, 10), batch=128, epochs=2)
    targets = [
        *faster(1.7, LOADER),
        *faster(1.6, [*KERAS_JAX, *SCIKIT_LEARN]),
        *faster(2.2, [*TRAINERS, *ACCELERATE]),
        *within(1.1, [*COMPILED, *HANDMADE]),
    ]
    peers = [*SCIKIT_LEARN, *KERAS_JAX, *TRAINERS, *ACCELERATE]
    rows = contest(task, [*PRECEPTOR, *LOADER, *INDEXED, *COMPILED, *HANDMADE, *peers], rounds)
    return {"mlp": {"title": __doc__, "unit": "s", "contestants": rows, "targets": targets}}
