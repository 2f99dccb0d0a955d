"""Many at once: 8 and 32 nets with rates and orders of rows of their own, together and one after another."""

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.contest import THREADS, better
from benchmarks.tasks import numbers, pictures
from preceptor.plan import TrainingPlan
from preceptor.training import Training, train
from preceptor.training.stack import Material
from preceptor.training.together import train_together

INDEXED, ALONE, TOGETHER = (
    "indexed tensors, fused Adam, one by one",
    "preceptor, one by one",
    "preceptor, together",
)


class Task(NamedTuple):
    """K nets of these widths, for the same rows."""

    name: str
    x: Tensor
    goal: Tensor
    sizes: tuple[int, ...]
    batch: int
    epochs: int
    count: int

    @property
    def loss(self) -> Callable[[Tensor, Tensor], Tensor]:
        return functional.mse_loss if self.goal.is_floating_point() else functional.cross_entropy

    def net(self, number: int) -> nn.Sequential:
        torch.manual_seed(number)
        layers: list[nn.Module] = []
        for before, after in zip(self.sizes, self.sizes[1:], strict=False):
            layers += [nn.Linear(before, after), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    def rate(self, number: int) -> float:
        return 1e-3 * (1 + number / self.count)


def indexed(task: Task, threads: int) -> list[nn.Module]:
    torch.set_num_threads(threads)
    nets = []
    for number in range(task.count):
        net = task.net(number)
        optimiser = torch.optim.Adam(net.parameters(), task.rate(number), fused=True)
        for _ in range(task.epochs):
            for rows in torch.randperm(len(task.x)).split(task.batch):
                optimiser.zero_grad()
                task.loss(net(task.x[rows]), task.goal[rows]).backward()
                optimiser.step()
        nets.append(net)
    return nets


def trainings(task: Task, threads: int) -> list[Training]:
    shared = {"optimiser": "adam", "schedule": "constant", "warmup": 0, "weight_decay": 0, "clip": None}
    plans = [
        TrainingPlan(**shared, learning_rate=task.rate(number), batch_size=task.batch, threads=threads)
        for number in range(task.count)
    ]
    return [
        Training(task.net(number), plan, epochs=task.epochs, seed=number) for number, plan in enumerate(plans)
    ]


def alone(task: Task, threads: int) -> list[nn.Module]:
    many = trainings(task, threads)
    for training in many:
        for _ in train(training, (task.x,), task.goal, task.loss):
            pass
    return [training.net for training in many]


def together(task: Task, threads: int) -> list[nn.Module]:
    many = trainings(task, threads)
    for _ in train_together(many, [Material((task.x,), task.goal, task.loss)] * task.count):
        pass
    return [training.net for training in many]


CONTESTANTS: dict[str, Callable[[Task, int], list[nn.Module]]] = {
    INDEXED: indexed,
    ALONE: alone,
    TOGETHER: together,
}


def tasks(quick: bool) -> list[tuple[Task, float, float]]:
    """Each task with how many times faster than the others together shall be."""
    x, y = map(torch.from_numpy, numbers(2_560 if quick else 20_640))
    images, classes = map(torch.from_numpy, pictures(2_560 if quick else 60_000))
    pixels, mlp = images.flatten(1).contiguous(), (784, 128, 10)
    return [
        (Task("tabular, 8 nets", x, y, (8, 64, 64, 1), 256, 20, 8), 4.2, 2.5),
        (Task("tabular, 32 nets", x, y, (8, 64, 64, 1), 256, 10, 32), 6.0, 3.5),
        (Task("MLP 784-128-10, 8 nets", pixels, classes, mlp, 128, 2, 8), 2.0, 1.5),
    ]


def run(rounds: int, quick: bool = False) -> dict[str, Any]:
    return {task.name: table(task, rounds, *wanted) for task, *wanted in tasks(quick)}


def table(task: Task, rounds: int, indexed_by: float, alone_by: float) -> dict[str, Any]:
    """Seconds of all fits; each contestant on its better number of threads."""
    own = torch.get_num_threads()
    threads = {name: _threads(task, fit) for name, fit in CONTESTANTS.items()}
    threads[TOGETHER] = max(THREADS)  # which it may use or not
    rows: dict[str, Any] = {name: {"values": [], "processor": []} for name in CONTESTANTS}
    for _ in range(rounds):
        for name, fit in CONTESTANTS.items():
            wall, processor, loss = _timed(fit, task, threads[name])
            rows[name]["values"].append(wall)
            rows[name]["processor"].append(processor)
            rows[name] |= {"loss": loss, "threads": threads[name]}
    torch.set_num_threads(own)
    targets = [
        {"ours": TOGETHER, "theirs": INDEXED, "at_least": indexed_by},
        {"ours": TOGETHER, "theirs": ALONE, "at_least": alone_by},
    ]
    return {"title": task.name, "unit": "s", "better": "less", "contestants": rows, "targets": targets}


def _threads(task: Task, fit: Callable[[Task, int], list[nn.Module]]) -> int:
    """The better number of threads for two of the nets; the first fit, which imports, is not counted."""
    brief = task._replace(count=2, epochs=1)
    fit(brief, max(THREADS))
    return better(lambda threads: _timed(fit, brief, threads)[0])


def _timed(
    fit: Callable[[Task, int], list[nn.Module]], task: Task, threads: int
) -> tuple[float, float, float]:
    """Seconds, seconds of processors, and the nets' mean loss on the rows."""
    wall, processor = time.perf_counter(), time.process_time()
    nets = fit(task, threads)
    taken = time.perf_counter() - wall, time.process_time() - processor
    with torch.no_grad():
        return *taken, statistics.mean(float(task.loss(net(task.x), task.goal)) for net in nets)
