"""A small net on numbers: 8-64-64-1, batch 256, 20,640 rows, 20 epochs of Adam."""

from typing import Any

from benchmarks.contest import contest
from benchmarks.roster import (
    ACCELERATE,
    AUTOGLUON,
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
from benchmarks.tasks import Task, numbers


def run(rounds: int, quick: bool = False) -> dict[str, Any]:
    task = Task(*numbers(2_560 if quick else 20_640), (8, 64, 64, 1), batch=256, epochs=20)
    peers = [*SCIKIT_LEARN, *KERAS_JAX, *TRAINERS, *ACCELERATE, *AUTOGLUON]
    targets = [
        *faster(4, LOADER),
        *faster(1.6, [*KERAS_JAX, *SCIKIT_LEARN]),
        *faster(5, [*TRAINERS, *AUTOGLUON]),
        *within(1.1, COMPILED),
        *within(1.5, HANDMADE),
    ]
    rows = contest(task, [*PRECEPTOR, *LOADER, *INDEXED, *COMPILED, *HANDMADE, *peers], rounds)
    return {"tabular": {"title": __doc__, "unit": "s", "contestants": rows, "targets": targets}}
