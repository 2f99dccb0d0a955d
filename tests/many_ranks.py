"""What several processes do in the tests of ranks: started by `on_ranks`, each runs `everything`.

outcomes = on_ranks(2, folder)                  # {case: [what each rank came to]}
"""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn

from preceptor.plan import TrainingPlan
from preceptor.training.loop import train
from preceptor.training.ranks import ALONE, Ranks, joined
from preceptor.training.state import Training

ROWS, EPOCHS = 40, 4
Outcome = dict[str, Tensor]
Case = Callable[[Ranks, Path], Outcome]


def rows() -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(5)
    x = torch.randn(ROWS, 3, generator=draw)
    return x, x.sum(dim=1, keepdim=True).sin()


def a_training(ranks: Ranks, *, dropout: float = 0.0, **choices: object) -> Training:
    torch.manual_seed(1)
    net = nn.Sequential(nn.Linear(3, 7), nn.LayerNorm(7), nn.GELU(), nn.Dropout(dropout), nn.Linear(7, 1))
    plan = TrainingPlan(**{"batch_size": 10, "threads": 1, "learning_rate": 0.02, **choices})
    return Training(net, plan, epochs=EPOCHS, seed=3, ranks=ranks)


def learnt(training: Training, x: Tensor | None = None) -> Outcome:
    """The weights at the end, and the losses of all steps."""
    losses = [epoch.losses for epoch in train(training, (rows()[0] if x is None else x,), rows()[1], mse)]
    return {"weights": training.flat.weights.clone(), "losses": torch.cat(losses)}


def mse(output: Tensor, goal: Tensor) -> Tensor:
    return nn.functional.mse_loss(output, goal)


def plain(ranks: Ranks, folder: Path) -> Outcome:
    return learnt(a_training(ranks, l1=1e-3, l2=1e-3, clip=0.5))


def averaged(ranks: Ranks, folder: Path) -> Outcome:
    training = a_training(ranks, ema=0.9, optimiser="nadam")
    return {**learnt(training), "average": training.average}


def noisy(ranks: Ranks, folder: Path) -> Outcome:
    return learnt(a_training(ranks, dropout=0.5))


def noisy_again(ranks: Ranks, folder: Path) -> Outcome:
    return noisy(ranks, folder)


def stopped(ranks: Ranks, folder: Path) -> None:
    """Two epochs, and a checkpoint by the leader."""
    training = a_training(ranks, dropout=0.5)
    for epoch in train(training, rows()[:1], rows()[1], mse):
        if epoch.number == 2:
            break
    if ranks.leads:
        training.save(folder)
    else:
        training.shards.whole(training.carried())


def taken_up(ranks: Ranks, folder: Path) -> Outcome:
    """The rest, by new processes of which only the leader has the checkpoint."""
    training = a_training(ranks, dropout=0.5)
    if ranks.leads:
        training.resume(folder)
    training.spread()
    return learnt(training)


def resumed(ranks: Ranks, folder: Path) -> Outcome:
    stopped(ranks, folder / "checkpoint")
    return taken_up(ranks, folder / "checkpoint")


def broken(ranks: Ranks, folder: Path) -> Outcome:
    """A number that is none, in one row alone: in the mini-batch of one rank alone."""
    x = rows()[0].index_fill(0, torch.tensor([7]), float("nan"))
    training = a_training(ranks)
    return {**learnt(training, x), "over": torch.tensor(training.over)}


@contextmanager
def shards(ranks: Ranks) -> Iterator[None]:
    ranks.sharded = ranks.size > 1
    yield
    ranks.sharded = False


def sharded(ranks: Ranks, folder: Path) -> Outcome:
    with shards(ranks):
        return plain(ranks, folder)


def sharded_and_resumed(ranks: Ranks, folder: Path) -> Outcome:
    """Saved by sharded ranks, taken up by sharded ones."""
    with shards(ranks):
        return resumed(ranks, folder / "sharded")


def sharded_and_broken(ranks: Ranks, folder: Path) -> Outcome:
    with shards(ranks):
        return broken(ranks, folder)


def resharded(ranks: Ranks, folder: Path) -> Outcome:
    """Saved by sharded ranks, taken up by ranks that each have all."""
    with shards(ranks):
        stopped(ranks, folder / "resharded")
    return taken_up(ranks, folder / "resharded")


CASES: list[Case] = [
    plain,
    averaged,
    noisy,
    noisy_again,
    resumed,
    broken,
    sharded,
    sharded_and_resumed,
    sharded_and_broken,
    resharded,
]


def everything(number: int, size: int, port: int, folder: Path) -> None:
    place = {"MASTER_ADDR": "localhost", "MASTER_PORT": port, "RANK": number, "WORLD_SIZE": size}
    os.environ.update({name: str(value) for name, value in place.items()})
    with joined() as ranks:
        for case in CASES:
            save_file(case(ranks, folder), folder / f"{case.__name__}-{size}-{number}.safetensors")


def on_ranks(size: int, folder: Path) -> dict[str, list[Outcome]]:
    """What each case comes to on each rank."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    spawn(everything, (size, port, folder), nprocs=size)
    return {
        case.__name__: [
            load_file(folder / f"{case.__name__}-{size}-{rank}.safetensors") for rank in range(size)
        ]
        for case in CASES
    }


def alone(folder: Path) -> dict[str, Outcome]:
    """What each case comes to in one process."""
    return {case.__name__: case(ALONE, folder) for case in CASES}
