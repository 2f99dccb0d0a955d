"""Several processes on one net: the seconds of a step, measured, and as a model of scaling foretells them.

    step(P) = compute(B / P, beside P - 1 others) + latency + 2 (P - 1) / P * bytes / bandwidth

Each of P processes computes its part of a mini-batch of B rows; what cores that are shared cost is in it,
for `compute` is measured in P processes at once that do not talk. Then gradients are summed: a ring passes
every number 2 (P - 1) / P times through each process (Patarasuk & Yuan, 2009). Latency and bandwidth are
measured by sums of few and of many numbers, and what comes out is compared with real training. The last
table foretells other networks: a core for each process, and 10 Gbit Ethernet or a GPU's links between them.
"""

import json
import os
import socket
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch.multiprocessing.spawn import spawn

from benchmarks.peers.nets import loss_of, net, tensors
from benchmarks.tasks import Task, numbers, pictures
from preceptor.plan import TrainingPlan
from preceptor.training.loop import train
from preceptor.training.ranks import ALONE, Ranks, joined
from preceptor.training.state import Training

SIZES = (1, 2, 3, 4)
FEW, MANY = 1_000, 4_000_000
"""So many numbers are summed to learn the latency, and the bandwidth."""


class Network(NamedTuple):
    """What lies between processes: seconds before anything arrives, and bytes a second from then on."""

    latency: float
    bandwidth: float

    def combining(self, size: int, bytes_each: float) -> float:
        """Seconds to sum a vector of so many bytes over `size` processes."""
        return self.latency + 2 * (size - 1) / size * bytes_each / self.bandwidth if size > 1 else 0.0


ETHERNET, LINKS = Network(5e-5, 1.25e9), Network(2e-5, 3e11)
"""10 Gbit Ethernet; NVLink within a node. A hop's latency is multiplied by 2 (P - 1) of them."""


def samples(steps: int) -> dict[str, Task]:
    """A small, a middling and a heavy net, each with rows for so many steps."""
    photos = pictures(128 * steps)
    flat = photos[0].reshape(len(photos[0]), -1), photos[1]
    return {
        "8-64-64-1": Task(*numbers(256 * steps), (8, 64, 64, 1), batch=256, epochs=1),
        "784-128-10": Task(*flat, (784, 128, 10), batch=128, epochs=1),
        "convolutions": Task(*photos, (16, 32, 10), batch=128, epochs=1),
    }


def seconds_a_step(task: Task, ranks: Ranks, rounds: int) -> list[float]:
    """One number a round; a first round warms up."""
    x, y = tensors(task)
    plan = TrainingPlan(batch_size=task.batch, threads=1, optimiser="adam", learning_rate=1e-3)
    training = Training(net(task), plan, epochs=rounds + 1, seed=0, ranks=ranks)
    epochs = train(training, (x,), y, loss_of(task))
    return [epoch.seconds / len(epoch.losses) for epoch in epochs][1:]


def process(rank: int, size: int, port: int, folder: Path, rounds: int, steps: int) -> None:
    """What each of `size` processes does; the first writes down how long it took."""
    place = {"MASTER_ADDR": "localhost", "MASTER_PORT": port, "RANK": rank, "WORLD_SIZE": size}
    os.environ.update({name: str(value) for name, value in place.items()})
    torch.set_num_threads(1)
    with joined() as ranks:
        told: dict[str, Any] = {"sums": [ranks.combining_takes(count) for count in (FEW, MANY)]}
        for name, task in samples(steps).items():
            told[name] = seconds_a_step(task, ranks, rounds)
            part = replace(task, batch=task.batch // size)
            told[f"{name} apart"] = seconds_a_step(part, ALONE, rounds)
    if not rank:
        (folder / f"{size}.json").write_text(json.dumps(told))


def measured(size: int, rounds: int, steps: int) -> dict[str, Any]:
    """Let `size` processes train every net."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        spawn(process, (size, port, Path(folder), rounds, steps), nprocs=size)
        told: dict[str, Any] = json.loads((Path(folder) / f"{size}.json").read_text())
        return told


def network(size: int, few: float, many: float) -> Network:
    """The network on which summing few and many numbers took so long."""
    moved = 2 * (size - 1) / size * 4 * (MANY - FEW)
    return Network(few, moved / max(many - few, 1e-9))


def compared(name: str, told: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """A table of one net: measured and foretold."""
    bytes_each = 4 * parameters(name)
    rows: dict[str, Any] = {}
    for size, seconds in told.items():
        combining = network(size, *seconds["sums"]).combining(size, bytes_each)
        step = statistics.median(seconds[f"{name} apart"]) + combining
        off, talking = step / statistics.median(seconds[name]) - 1, combining / step
        note = f"foretold {step:.2e} s ({off:+.0%}), {talking:.0%} of it the network's"
        rows[f"{size} process{'es' * (size > 1)}"] = {"values": seconds[name], "note": note}
    title = f"{name}: {bytes_each / 1e3:,.0f} kB of gradients a step"
    return {"title": title, "unit": "s", "better": "less", "contestants": rows, "targets": []}


def parameters(name: str) -> int:
    return sum(parameter.numel() for parameter in net(samples(1)[name]).parameters())


def foretold(alone: dict[str, float]) -> dict[str, Any]:
    """How many times as fast 8 processes would be; a step is as long as its rows are many."""
    rows: dict[str, Any] = {}
    for name, seconds in alone.items():
        for title, (latency, bandwidth) in (("10 Gbit Ethernet", ETHERNET), ("NVLink", LINKS)):
            link = Network(2 * 7 * latency, bandwidth)
            step = seconds / 8 + link.combining(8, 4 * parameters(name))
            rows[f"{name}, {title}"] = {"values": [seconds / step]}
    title = "8 processes on 8 machines, as the model foretells: times as fast as one"
    return {"title": title, "unit": "x", "better": "more", "contestants": rows, "targets": []}


def run(rounds: int, quick: bool = False) -> dict[str, Any]:
    told = {size: measured(size, rounds, steps=4 if quick else 30) for size in SIZES[: 2 if quick else 4]}
    alone = {name: statistics.median(told[1][name]) for name in samples(1)}
    return {**{name: compared(name, told) for name in alone}, "foretold": foretold(alone)}
