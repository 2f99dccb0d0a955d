"""The training loop beside its peers: the same net, optimiser, batch size and epochs for each.

    python -m benchmarks.loop [--rounds 5] [--threads 1]

Whole fits in seconds (net, optimiser, loader and all epochs; not imports or data), one contestant after
the other in each round so that a busy machine disturbs all alike; medians. Processor seconds stand
beside, which a neighbour on the machine hardly touches, and the loss on the training rows, since a fast
loop that learns less has won nothing.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from preceptor.plan import TrainingPlan
from preceptor.training import Training, train

EPOCHS, RATE = 20, 1e-3


class Task(NamedTuple):
    """A problem and the net for it."""

    name: str
    x: Tensor
    goal: Tensor
    sizes: tuple[int, ...]
    batch: int

    @property
    def loss(self) -> Callable[[Tensor, Tensor], Tensor]:
        return functional.mse_loss if self.goal.is_floating_point() else functional.cross_entropy

    @property
    def steps(self) -> int:
        return EPOCHS * -(-len(self.x) // self.batch)

    def net(self) -> nn.Sequential:
        torch.manual_seed(0)
        layers: list[nn.Module] = []
        for before, after in zip(self.sizes, self.sizes[1:], strict=False):
            layers += [nn.Linear(before, after), nn.ReLU()]
        return nn.Sequential(*layers[:-1])


def tasks() -> list[Task]:
    torch.manual_seed(0)
    x = torch.randn(20_640, 8)
    goal = (x[:, :1] * x[:, 1:2]).sin() + x[:, 2:3].abs() + 0.3 * torch.randn(len(x), 1)
    images, digits = load_digits(return_X_y=True)
    pixels = torch.tensor(images / 16, dtype=torch.float32)
    return [
        Task("tab 8-64-64-1, batch 256", x, goal, (8, 64, 64, 1), 256),
        Task("digits 64-128-10, batch 32", pixels, torch.tensor(digits), (64, 128, 10), 32),
    ]


def preceptor(task: Task) -> float:
    plan = TrainingPlan(
        optimiser="adam",
        learning_rate=RATE,
        schedule="constant",
        warmup=0,
        weight_decay=0,
        clip=None,
        batch_size=task.batch,
    )
    training = Training(task.net(), plan, epochs=EPOCHS, seed=0)
    for _epoch in train(training, (task.x,), task.goal, task.loss):
        pass
    return final_loss(task, training.net)


def preceptor_with_everything(task: Task) -> float:
    plan = TrainingPlan(learning_rate=RATE, weight_decay=1e-4, clip=1.0, ema=0.99, batch_size=task.batch)
    training = Training(task.net(), plan, epochs=EPOCHS, seed=0)
    for _epoch in train(training, (task.x,), task.goal, task.loss):
        pass
    return final_loss(task, training.net)


def loader_loop(task: Task) -> float:
    net = task.net()
    optimiser = torch.optim.Adam(net.parameters(), RATE)
    loader = DataLoader(TensorDataset(task.x, task.goal), task.batch, shuffle=True)
    for _ in range(EPOCHS):
        for x, goal in loader:
            optimiser.zero_grad()
            loss = task.loss(net(x), goal)
            loss.backward()
            optimiser.step()
    return final_loss(task, net)


def indexed_fused(task: Task) -> float:
    net = task.net()
    optimiser = torch.optim.Adam(net.parameters(), RATE, fused=True)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(task.x)).split(task.batch):
            optimiser.zero_grad()
            loss = task.loss(net(task.x[rows]), task.goal[rows])
            loss.backward()
            optimiser.step()
    return final_loss(task, net)


def scikit_learn(task: Task) -> float:
    kind = MLPRegressor if task.goal.is_floating_point() else MLPClassifier
    model = kind(
        hidden_layer_sizes=task.sizes[1:-1],
        alpha=0,
        batch_size=task.batch,
        learning_rate_init=RATE,
        max_iter=EPOCHS,
        tol=0,
        n_iter_no_change=EPOCHS + 1,
        random_state=0,
    )
    model.fit(task.x.numpy(), task.goal.numpy().ravel())
    doubled = 2 if task.goal.is_floating_point() else 1  # it reports half the squared error
    return doubled * model.loss_


@torch.no_grad()
def final_loss(task: Task, net: nn.Module) -> float:
    return float(task.loss(net(task.x), task.goal))


CONTESTANTS: dict[str, Callable[[Task], float]] = {
    "DataLoader loop, torch.optim.Adam": loader_loop,
    "scikit-learn MLP": scikit_learn,
    "indexed tensors, fused Adam": indexed_fused,
    "preceptor": preceptor,
    "preceptor: AdamW, cosine, clip, EMA": preceptor_with_everything,
}


def compare(task: Task, rounds: int) -> None:
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in CONTESTANTS}
    losses = {name: fit(task) for name, fit in CONTESTANTS.items()}  # warms up as well
    for _ in range(rounds):
        for name, fit in CONTESTANTS.items():
            wall, processor = time.perf_counter(), time.process_time()
            fit(task)
            times[name].append((time.perf_counter() - wall, time.process_time() - processor))
    medians = {
        name: [statistics.median(column) for column in zip(*rows, strict=True)]
        for name, rows in times.items()
    }
    reference = medians["DataLoader loop, torch.optim.Adam"]
    print(f"\n{task.name}, {len(task.x):,} rows, {EPOCHS} epochs, {task.steps:,} steps")
    print(f"{'':<36}{'seconds':>8}{'faster':>8}{'processor':>11}{'µs/step':>9}{'faster':>8}{'loss':>8}")
    for name, (wall, processor) in medians.items():
        whole = f"{wall:>8.2f}{reference[0] / wall:>7.1f}x"
        worked = f"{processor:>11.2f}{1e6 * processor / task.steps:>9.0f}{reference[1] / processor:>7.1f}x"
        print(f"{name:<36}{whole}{worked}{losses[name]:>8.4f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with threadpool_limits(options.threads):
        for task in tasks():
            compare(task, options.rounds)


if __name__ == "__main__":
    main()
