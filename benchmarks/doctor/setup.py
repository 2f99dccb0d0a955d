"""One training as a value: rows, split, scaling, net, loss and loop, each open to a fault.

A fault is a function that edits a `Setup`. The test rows are put aside before anything else is done, from
clean rows, so that a fault is judged by what the trained net is worth to somebody who uses it.
"""

import copy
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Rows = tuple[Tensor, Tensor]
Random = torch.Generator
Task = Literal["classes", "binary", "number", "next"]
Scaling = Callable[[Tensor], Tensor]


@dataclass
class Parts:
    """The rows that teach, those that are watched, and those nobody touches: (inputs, goal) each."""

    train: Rows
    held: Rows
    test: Rows

    def map_inputs(self, change: Callable[[Tensor], Tensor]) -> "Parts":
        """The same rows with `change` done to all inputs."""
        return Parts(*((change(x), y) for x, y in (self.train, self.held, self.test)))


def standardise(train: Tensor) -> Scaling:
    """Mean 0 and standard deviation 1 on the rows given; one pair for all steps of a series."""
    over = tuple(range(train.dim() - 1)) if train.dim() == 3 else (0,)
    mean, spread = train.mean(over), train.std(over)
    return lambda x: (x - mean) / torch.where(spread > 0, spread, 1.0)


def divide(by: float) -> Callable[[Tensor], Scaling]:
    """Pixels to 0..1."""
    return lambda train: lambda x: x / by


def as_is(train: Tensor) -> Scaling:
    """Numbers of words and characters stay what they are."""
    return lambda x: x


def at_random(x: Tensor, y: Tensor, random: Random) -> tuple[Tensor, Tensor]:
    """Row numbers for training and for watching: three to one."""
    order = torch.randperm(len(x), generator=random)
    return order[len(x) // 4 :], order[: len(x) // 4]


def by_time(x: Tensor, y: Tensor, random: Random) -> tuple[Tensor, Tensor]:
    """The last quarter is watched."""
    rows = torch.arange(len(x))
    return rows[: -(len(x) // 4)], rows[-(len(x) // 4) :]


@dataclass
class Setup:
    """Everything a run consists of. The fields from `shuffle` on are the loop's.

    `width` multiplies the hidden widths; `factor(share, step)` the learning rate, after that share of the
    planned steps; `accumulate` mini-batches make one step; `frozen` are parameters kept still on purpose.
    """

    name: str
    task: Task
    rows: Callable[[], Rows]
    net: Callable[[Parts, float], nn.Module]
    epochs: int
    data: str = ""
    tags: frozenset[str] = frozenset()
    split: Callable[[Tensor, Tensor, Random], tuple[Tensor, Tensor]] = at_random
    scaling: Callable[[Tensor], Scaling] = standardise
    batch: int = 32
    optimiser: str = "adam"
    learning_rate: float = 1e-3
    decay: float = 0.0
    loss: Callable[[Tensor, Tensor], Tensor] | None = None
    judge: Callable[[Tensor, Tensor], tuple[float, float]] | None = None
    before_split: list[Callable[[Tensor, Tensor, Random], Rows]] = field(default_factory=list)
    after_split: list[Callable[[Parts, Random], Parts]] = field(default_factory=list)
    after_scaling: list[Callable[[Parts, Random], Parts]] = field(default_factory=list)
    net_edits: list[Callable[[nn.Module], nn.Module]] = field(default_factory=list)
    optimised: Callable[[nn.Module], list[nn.Parameter]] = lambda net: list(net.parameters())
    scale_goal: bool = True
    scaled_on: Literal["train", "watched", "all"] = "train"
    shuffle: bool = True
    momentum: float = 0.0
    clip: float | None = None
    accumulate: int = 1
    width: float = 1.0
    frozen: tuple[str, ...] = ()
    factor: Callable[[float, int], float] = lambda share, step: 1.0
    augment: Callable[[Tensor, Tensor], Rows] | None = None
    clears_gradients: bool = True
    trains_in_eval: bool = False
    validates_in_train: bool = False
    sign: float = 1.0
    metric: Callable[[Tensor, Tensor], float] | None = None

    def __post_init__(self) -> None:
        """The usual loss and judge of the task where none is given."""
        self.loss = self.loss or LOSSES[self.task]
        self.judge = self.judge or JUDGES[self.task]

    def copy(self) -> "Setup":
        """A setup of its own, whose lists can be edited."""
        values = {one.name: copy.copy(getattr(self, one.name)) for one in dataclasses.fields(self)}
        return Setup(**values)

    def prepare(self, seed: int) -> Parts:
        """Read, put the test rows aside, split, scale: the parts that the loop sees."""
        random = torch.Generator().manual_seed(seed)
        x, y = self.rows()
        rest, test = TEST_SPLITS[self.split is by_time](x, y, random)
        held_back = (x[test], y[test])
        x, y = x[rest], y[rest]
        for edit in self.before_split:
            x, y = edit(x, y, random)
        train, held = self.split(x, y, random)
        parts = Parts((x[train], y[train]), (x[held], y[held]), held_back)
        for change in self.after_split:
            parts = change(parts, random)
        parts = self._scaled(parts)
        for change in self.after_scaling:
            parts = change(parts, random)
        return parts

    def _scaled(self, parts: Parts) -> Parts:
        seen = [parts.train, parts.held, parts.test][: SCALED_ON.index(self.scaled_on) + 1]
        scaled = parts.map_inputs(self.scaling(torch.cat([x for x, _ in seen])))
        if self.task != "number" or not self.scale_goal:
            return scaled
        told = standardise(parts.train[1])
        return Parts(*((x, told(y)) for x, y in (scaled.train, scaled.held, scaled.test)))

    def build(self, parts: Parts) -> nn.Module:
        """The net for these parts, edits done."""
        net = self.net(parts, self.width)
        for edit in self.net_edits:
            net = edit(net)
        return net

    def make_optimiser(self, net: nn.Module) -> torch.optim.Optimizer:
        """The optimiser as a plain loop would make it."""
        parameters = self.optimised(net)
        choices: dict[str, Any] = {"lr": self.learning_rate, "weight_decay": self.decay}
        if self.optimiser == "sgd":
            return torch.optim.SGD(parameters, momentum=self.momentum, **choices)
        kind = torch.optim.AdamW if self.optimiser == "adamw" else torch.optim.Adam
        return kind(parameters, **choices)


SCALED_ON = ("train", "watched", "all")
TEST_SPLITS = {False: at_random, True: by_time}


def next_loss(output: Tensor, goal: Tensor) -> Tensor:
    """Cross-entropy over all places of (N, T, V) against (N, T)."""
    return functional.cross_entropy(output.flatten(0, 1), goal.flatten())


LOSSES: dict[Task, Callable[[Tensor, Tensor], Tensor]] = {
    "classes": nn.CrossEntropyLoss(),
    "binary": nn.BCEWithLogitsLoss(),
    "number": nn.MSELoss(),
    "next": next_loss,
}


def judge_classes(output: Tensor, goal: Tensor) -> tuple[float, float]:
    """Accuracy and cross-entropy of logits."""
    return _share(output.argmax(-1) == goal), float(functional.cross_entropy(output, goal))


def judge_binary(output: Tensor, goal: Tensor) -> tuple[float, float]:
    """Accuracy and binary cross-entropy of logits."""
    return _share((output > 0) == (goal > 0.5)), float(
        functional.binary_cross_entropy_with_logits(output, goal)
    )


def judge_number(output: Tensor, goal: Tensor) -> tuple[float, float]:
    """R² and mean squared error."""
    error = functional.mse_loss(output, goal)
    return float(1 - error / goal.var(unbiased=False)), float(error)


def judge_next(output: Tensor, goal: Tensor) -> tuple[float, float]:
    """Share of next characters told, and cross-entropy."""
    return _share(output.argmax(-1) == goal), float(next_loss(output, goal))


def _share(right: Tensor) -> float:
    return float(right.float().mean())


JUDGES: dict[Task, Callable[[Tensor, Tensor], tuple[float, float]]] = {
    "classes": judge_classes,
    "binary": judge_binary,
    "number": judge_number,
    "next": judge_next,
}
