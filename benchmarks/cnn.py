"""A small convolutional net: conv 16, pool, conv 32, pool, dense; batch 128, 20,000 images, 1 epoch of Adam.

A third of the 60,000 images, for a step takes as long in each third. Peers come lean alone: of steps that
take 15 ms, what they log is too small a part to be seen. preceptor computes in 16 bits where it finds that
these pay; it is shown without them as well.
"""

from typing import Any

from benchmarks.contest import Contestant, contest
from benchmarks.roster import (
    ACCELERATE,
    COMPILED,
    INDEXED,
    KERAS_JAX,
    LOADER,
    PRECEPTOR,
    TRAINERS,
    best,
    faster,
    within,
)
from benchmarks.tasks import Task, pictures

FLOAT32 = Contestant("preceptor, float32 alone", "own", options={"precision": "float32"})


def run(rounds: int, quick: bool = False) -> dict[str, Any]:
    task = Task(*pictures(2_560 if quick else 20_000), (16, 32, 10), batch=128, epochs=1)
    peers = best([*KERAS_JAX, *TRAINERS, *ACCELERATE])
    targets = [*faster(1.4, LOADER), *faster(1.2, peers), *within(1.05, COMPILED)]
    rows = contest(task, [*PRECEPTOR, FLOAT32, *LOADER, *INDEXED, *COMPILED, *peers], rounds)
    title = __doc__.partition("\n")[0]
    return {"cnn": {"title": title, "unit": "s", "contestants": rows, "targets": targets}}
