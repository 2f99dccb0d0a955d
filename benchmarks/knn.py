"""Exact nearest neighbours on real pictures, building included, beside scikit-learn's brute force.

60,000 pictures of 784 pixels, k = 10: 10,000 queries by L2, 500 by L1. `same` is for how many queries the
distances are scikit-learn's. All in one process, on two threads.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits
from torch import Tensor

from benchmarks.tasks import DATA, idx, pictures
from preceptor.rivals.nearest import Nearest

K, THREADS = 10, 2
METRICS = {1: "manhattan", 2: "euclidean"}
TARGETS = {
    1: [("Nearest, float32", 3.0), ("Nearest, bytes", 3.0)],
    2: [("Nearest, float32", 1.6), ("Nearest, bytes", 2.5)],
}
Find = Callable[[], np.ndarray]


def run(rounds: int, quick: bool = False) -> dict[str, Any]:
    rows = torch.from_numpy((pictures(6_000 if quick else 60_000)[0] * 255).round().astype(np.uint8))
    queries = _queries()
    threads = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        with threadpool_limits(THREADS):
            return {
                "knn L2": _compared(rows, queries[: 500 if quick else 10_000], 2, rounds),
                "knn L1": _compared(rows, queries[: 20 if quick else 500], 1, rounds),
            }
    finally:
        torch.set_num_threads(threads)


def _queries() -> Tensor:
    """The pictures of the test file, unseen by the rows; their classes are not read."""
    path = DATA / "fashion_mnist" / "t10k-images-idx3-ubyte.gz"
    if path.is_file():
        return torch.from_numpy(idx(path, 16).copy()).view(-1, 1, 28, 28)
    return torch.randint(0, 256, (10_000, 1, 28, 28), dtype=torch.uint8)


def _compared(rows: Tensor, queries: Tensor, norm: int, rounds: int) -> dict[str, Any]:
    numbers = [part.float() / 255 for part in (rows, queries)]
    contestants: dict[str, tuple[Find, float]] = {
        "Nearest, bytes": (_ours(rows, queries, norm), 1.0),
        "Nearest, float32": (_ours(*numbers, norm), 255.0),
        "scikit-learn brute": (_scikit_learn(rows, queries, METRICS[norm]), 1.0),
    }
    values: dict[str, list[float]] = {name: [] for name in contestants}
    found = {}
    for _ in range(rounds):
        for name, (find, unit) in contestants.items():
            started = time.perf_counter()
            found[name] = find() * unit
            values[name].append(time.perf_counter() - started)
            print(".", end="", flush=True)
    print()
    truth = found["scikit-learn brute"]
    same = {n: float(np.isclose(d, truth, rtol=1e-4, atol=0.05).all(1).mean()) for n, d in found.items()}
    return {
        "title": f"{len(rows):,} x {rows[0].numel()}, {len(queries):,} queries, k = {K}, L{norm}",
        "unit": "s",
        "contestants": {n: {"values": times, "same": same[n]} for n, times in values.items()},
        "targets": [
            {"ours": ours, "theirs": "scikit-learn brute", "at_least": times} for ours, times in TARGETS[norm]
        ],
    }


def _scikit_learn(rows: Tensor, queries: Tensor, metric: str) -> Find:
    x, asked = rows.flatten(1).float().numpy(), queries.flatten(1).float().numpy()
    return lambda: (
        NearestNeighbors(n_neighbors=K, algorithm="brute", metric=metric).fit(x).kneighbors(asked)[0]
    )


def _ours(rows: Tensor, queries: Tensor, norm: int) -> Find:
    return lambda: Nearest(rows, norm).find(queries, K)[0].numpy()
