"""Seconds until a stated loss is reached on validation rows, which are looked at after every epoch.

Californian houses (numbers alone, scaled; open rows of the embedded set) to a mean squared error of 0.24 of
the answers' variance, and Fashion-MNIST (training file) to a cross-entropy of 0.34; test rows take no part.
All have the same net, batch size, and Adam at 0.001, save "preceptor's own plan", which trains as the library
does where it is not told otherwise.
"""

from typing import Any

import numpy as np

from benchmarks.contest import Contestant, contest
from benchmarks.roster import KERAS_JAX, LOADER, PRECEPTOR, SCIKIT_LEARN, TRAINERS, best
from benchmarks.tasks import Task, pictures
from preceptor.data.read import read
from preceptor.data.samples import sample
from preceptor.split import split

OWN_PLAN = [Contestant("preceptor's own plan", "own", options={"own_plan": True})]
LIGHTNING = [one for one in best(TRAINERS) if one.module == "lightning"]


def run(rounds: int, quick: bool = False) -> dict[str, Any]:
    tasks = {"houses": _houses(), "fashion": _fashion(quick)}
    contestants = [*OWN_PLAN, *PRECEPTOR, *LOADER, *SCIKIT_LEARN, *best(KERAS_JAX), *LIGHTNING]
    return {
        f"quality {name}": {
            "title": f"{name}: until the validation loss is {task.quality:g}",
            "unit": "s",
            "contestants": contest(task, contestants, rounds),
        }
        for name, task in tasks.items()
    }


def _houses() -> Task:
    houses = sample("houses")
    table, target = read(houses.path), houses.target
    columns = [name for name, kind in table.schema.types.items() if kind == "number"]
    parts = split(table, target=target, task="number", inputs=[c for c in columns if c != target], folds=1)
    rows = parts.open.frame.select([c for c in columns if c != target] + [target]).to_numpy()
    train, held_out = parts.folds[0].train, parts.folds[0].validation
    known = np.where(np.isnan(rows), np.nanmedian(rows[train], axis=0), rows)
    scaled = ((known - known[train].mean(0)) / known[train].std(0)).clip(-5, 5).astype(np.float32)
    x, y = scaled[:, :-1], scaled[:, -1:]
    held = (x[held_out], y[held_out])
    return Task(x[train], y[train], (x.shape[1], 64, 64, 1), 256, epochs=60, validation=held, quality=0.24)


def _fashion(quick: bool) -> Task:
    x, y = pictures(12_000 if quick else 60_000)
    x = x.reshape(len(x), -1)
    rows = len(x) * 5 // 6
    held = (x[rows:], y[rows:])
    return Task(x[:rows], y[:rows], (784, 128, 10), 128, epochs=12, validation=held, quality=0.34)
