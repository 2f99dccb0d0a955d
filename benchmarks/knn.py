"""Exact nearest neighbours beside scikit-learn's brute force, on real pictures.

    python -m benchmarks.knn [--queries 10000] [--rounds 3] [--threads 2] [--k 10]
    python -m benchmarks.knn --cifar [--queries 10000]

Fashion-MNIST, 60,000 pictures of 784 pixels, in $PRECEPTOR_DATA or ../shared/data. Both sides in one
process, one after the other in each round so that a busy machine disturbs all alike; medians. Building
what the filter needs is part of the time. Processor seconds stand beside, which a neighbour on the machine
hardly touches. Each line says for how many queries the neighbours are those of scikit-learn, equally far
ones apart. `--cifar`: the accuracy of the one nearest picture of CIFAR-10, by L1 distance of raw pixels
(38.6 % on the original pictures; a copy compressed as JPEG gives its own).
"""

import argparse
import gzip
import io
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import torch
from PIL import Image
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits
from torch import Tensor

from preceptor.rivals.nearest import Nearest

DATA = Path(os.environ.get("PRECEPTOR_DATA", Path(__file__).parents[2] / "shared" / "data"))

Distances = np.ndarray
Find = Callable[[], Distances]


def fashion(name: str) -> Tensor:
    """Pictures (N, 1, 28, 28) uint8."""
    raw = gzip.decompress((DATA / "fashion_mnist" / f"{name}-images-idx3-ubyte.gz").read_bytes())
    return torch.from_numpy(np.frombuffer(raw, np.uint8, offset=16).copy()).view(-1, 1, 28, 28)


def cifar(part: str) -> tuple[Tensor, Tensor]:
    """Pictures (N, 3, 32, 32) uint8, and their classes."""
    table = pl.read_parquet(DATA / "cifar10_jpg" / f"{part}.parquet")
    pictures = [np.asarray(Image.open(io.BytesIO(raw)).convert("RGB")) for raw in table["image"]]
    _, classes = np.unique(table["label"].to_numpy(), return_inverse=True)
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(classes)


def scikit_learn(rows: Tensor, queries: Tensor, metric: str, k: int) -> Find:
    x, asked = rows.flatten(1).float().numpy(), queries.flatten(1).float().numpy()
    return lambda: (
        NearestNeighbors(n_neighbors=k, algorithm="brute", metric=metric).fit(x).kneighbors(asked)[0]
    )


def ours(rows: Tensor, queries: Tensor, norm: int, k: int) -> Find:
    return lambda: Nearest(rows, norm).find(queries, k)[0].numpy()


def compare(rows: Tensor, queries: Tensor, options: argparse.Namespace) -> None:
    for norm, metric in ((2, "euclidean"), (1, "manhattan")):
        numbers = [part.float() / 255 for part in (rows, queries)]
        contestants = {
            "scikit-learn brute": (scikit_learn(rows, queries, metric, options.k), 1.0),
            "Nearest, bytes": (ours(rows, queries, norm, options.k), 1.0),
            "Nearest, float32": (ours(*numbers, norm, options.k), 255.0),
        }
        print(f"\nL{norm}, {len(rows):,} x {rows[0].numel()}, {len(queries):,} queries, k = {options.k}")
        contest(contestants, options.rounds)


def contest(contestants: dict[str, tuple[Find, float]], rounds: int) -> None:
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    found = {}
    for _ in range(rounds):
        for name, (find, unit) in contestants.items():
            wall, processor = time.perf_counter(), time.process_time()
            found[name] = find() * unit
            times[name].append((time.perf_counter() - wall, time.process_time() - processor))
    medians = {
        name: [statistics.median(column) for column in zip(*rows, strict=True)]
        for name, rows in times.items()
    }
    reference = next(iter(contestants))
    print(f"{'':<22}{'seconds':>9}{'faster':>8}{'processor':>11}{'faster':>8}{'same':>9}")
    for name, pair in medians.items():
        told = (
            f"{mine:>9.2f}{theirs / mine:>8.1f}"
            for mine, theirs in zip(pair, medians[reference], strict=True)
        )
        same = np.isclose(found[name], found[reference], rtol=1e-4, atol=0.05).all(axis=1).mean()
        print(f"{name:<22}{'x  '.join(told)}x{same:>8.2%}", flush=True)


def nearest_of_cifar(queries: int) -> float:
    """The share of test pictures whose nearest training picture is of their class."""
    (rows, classes), (asked, truth) = cifar("train"), cifar("test")
    _, numbers = Nearest(rows, norm=1).find(asked[:queries], 1)
    return float((classes[numbers[:, 0]] == truth[:queries]).double().mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--cifar", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with threadpool_limits(options.threads):
        if options.cifar:
            wall, processor = time.perf_counter(), time.process_time()
            right = nearest_of_cifar(options.queries)
            worked = (
                f"{time.perf_counter() - wall:.0f} s, {time.process_time() - processor:.0f} s of processors"
            )
            print(f"CIFAR-10 (JPEG), nearest by L1: {right:.2%} right, {worked}, decoding included")
        else:
            compare(fashion("train"), fashion("t10k")[: options.queries], options)


if __name__ == "__main__":
    main()
