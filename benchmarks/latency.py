"""From a row to its answer through a loaded run, in process, beside the bare module on ready tensors.

The net is the one for tables with a memory of 13,000 rows, as a run on the embedded houses makes it; how well
it has learnt makes no difference here. One thread. A batch comes as a frame of 1,024 rows and leaves as one.
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from preceptor.answering import Opened
from preceptor.data.read import read
from preceptor.data.samples import sample
from preceptor.kinds.category import Category
from preceptor.kinds.number import Number
from preceptor.net import new_net
from preceptor.plan import NetPlan
from preceptor.predictor import Predictor
from preceptor.problem import Problem

ROWS, MEMORY = 1_024, 13_000


def run(rounds: int, quick: bool = False) -> dict[str, Any]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _measured(rounds, 20 if quick else 400)
    finally:
        torch.set_num_threads(threads)


def _measured(rounds: int, times: int) -> dict[str, Any]:
    opened, frame = _opened()
    (net,), (problem,) = opened.predictor.families["net"], opened.predictor.problems
    row, batch = frame.row(MEMORY, named=True), frame.tail(ROWS)
    one, many = (problem.encode(read(part, schema=opened.schema)) for part in (frame[MEMORY], batch))
    bare = torch.inference_mode()(net.module)
    single = {
        "row to answer": lambda: opened.ask(row),
        "bare module": lambda: bare(*one.tensors),
    }
    block = {
        "frame to frame": lambda: opened.answer(batch),
        "tensors to scores": lambda: net.predict(many),
        "bare module": lambda: bare(*many.tensors),
    }
    target = {"ours": "row to answer", "theirs": "bare module", "within": 1.2, "plus": 50.0}
    return {
        "latency": _table("one row", single, rounds, times) | {"targets": [target]},
        "latency, batch": _table(f"{ROWS:,} rows", block, rounds, max(1, times // 40)),
    }


def _opened() -> tuple[Opened, Any]:
    houses = sample("houses")
    table, target = read(houses.path), Number(houses.target)
    types = {name: kind for name, kind in table.schema.types.items() if name != target.column}
    inputs = [(Number if kind == "number" else Category)(name) for name, kind in types.items()]
    some = table.take(np.arange(MEMORY))
    answers = some.frame[target.column]
    problem = Problem(inputs, target.fit(answers)).fit(some)
    goal, truth = target.goal(answers), target.truth(answers)
    net = new_net(NetPlan(), problem, problem.encode(some), goal, truth, seed=0)
    roles = {"inputs": list(types), "ignored": [], "target": target.column}
    known = {"schema": asdict(table.schema), "repairs": {}, "roles": roles}
    predictor = Predictor([problem], {"net": [net]}, {"net": 1.0})
    return Opened(predictor, known), table.frame.drop(target.column)


def _table(title: str, ways: dict[str, Callable[[], Any]], rounds: int, times: int) -> dict[str, Any]:
    """Each value is the median of so many calls in a row."""
    values: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            values[name].append(float(np.median([_microseconds(way) for _ in range(times)])))
    rows = {name: {"values": seconds[1:]} for name, seconds in values.items()}
    return {"title": title, "unit": "µs", "contestants": rows}


def _microseconds(way: Callable[[], Any]) -> float:
    started = time.perf_counter()
    way()
    return 1e6 * (time.perf_counter() - started)
