"""A plain training loop with a doctor in it, each part of it open to a fault."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from preceptor.diagnose import Doctor, watch
from preceptor.finding import Finding

ROWS, WIDTH, CLASSES = 240, 8, 3
Batch = tuple[Tensor, Tensor]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def rows(seed: int = 0) -> tuple[Batch, Batch]:
    """Three clouds of points: training rows and rows held out."""
    x = torch.randn(ROWS, WIDTH, generator=seeded(seed))
    y = torch.arange(ROWS) % CLASSES
    x[:, :CLASSES] += 2.5 * functional.one_hot(y, CLASSES)
    x[:, 3:] = x[:, 3:].exp()
    half = 160
    x = (x - x[:half].mean(0)) / x[:half].std(0)
    return (x[:half], y[:half]), (x[half:], y[half:])


def net(
    *, norm: bool = False, dropout: float = 0.0, act: type[nn.Module] = nn.ReLU, outputs: int = CLASSES
) -> nn.Sequential:
    torch.manual_seed(1)
    middle = [nn.BatchNorm1d(32)] if norm else []
    rest = [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(
        nn.Linear(WIDTH, 32), *middle, act(), *rest, nn.Linear(32, 32), act(), nn.Linear(32, outputs)
    )


class Loop:
    """A plain loop with a doctor in it; each attribute is open to a fault."""

    def __init__(self, model: nn.Module, train: Batch, held: Batch, **changes):
        self.net, self.train, self.held = model, train, held
        self.rate, self.steps, self.size, self.loss = 3e-3, 120, 16, functional.cross_entropy
        self.clears, self.sign, self.order, self.mode, self.clip = True, 1.0, None, True, None
        self.kind = torch.optim.Adam
        self.factor: Callable[[int], float] = lambda step: 1.0
        self.augment: Callable[[Tensor], Tensor] = lambda x: x
        self.teaches: Callable[[Tensor], Tensor] = lambda y: y
        self.parameters = list(model.parameters())
        vars(self).update(changes)
        self.optimiser = self.kind(self.parameters, lr=self.rate)

    def begin(self) -> Doctor:
        few = (self.train[0][:64], self.train[1][:64])
        return watch(
            self.net, loss=self.loss, probe=few, optimiser=self.optimiser, train=self.train,
            validation=self.held, steps=self.steps,
        )  # fmt: skip

    def run(self, doctor: Doctor | None = None, *, until: int | None = None) -> Doctor | None:
        random = seeded(3)
        torch.manual_seed(7)
        for step in range(until or self.steps):
            self.net.train(self.mode)
            drawn = torch.randint(0, len(self.train[0]), (self.size,), generator=random)
            if self.order is not None:
                drawn = self.order[(step * self.size + torch.arange(self.size)) % len(self.order)]
            x, y = self.augment(self.train[0][drawn]), self.teaches(self.train[1][drawn])
            if self.clears:
                self.optimiser.zero_grad()
            for group in self.optimiser.param_groups:
                group["lr"] = self.rate * self.factor(step)
            value = self.sign * self.loss(self.net(x), y)
            value.backward()
            if self.clip:
                nn.utils.clip_grad_norm_(self.net.parameters(), self.clip)
            self.optimiser.step()
            if doctor:
                doctor(value, batch=(x, y))
        return doctor


def alarms(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings if finding.severity != "note"]


def after(model: nn.Module, **changes) -> list[str]:
    train, held = changes.pop("rows", rows())
    loop = Loop(model, train, held, **changes)
    return alarms(loop.run(loop.begin()).findings())
