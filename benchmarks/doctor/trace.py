"""What the rivals' rules need, recorded once an epoch on a copy of the net."""

import copy
import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.doctor.setup import Parts, Setup

PROBE = 128


@dataclass
class Layer:
    """One weight matrix at the end of an epoch."""

    gradient_norm: float
    gradient_mean: float
    gradient_zeros: float
    variance: float
    change_mean: float
    change_ratio: float


@dataclass
class Activation:
    """One activation on the probe rows: shares of outputs and of units."""

    relu: bool
    at_most_zero: float
    dead_units: float
    beyond_5: float
    beyond_tanh: float


@dataclass
class Moment:
    """The end of an epoch. `score` is accuracy, or R² for numbers."""

    train_loss: float
    held_loss: float
    train_score: float
    held_score: float
    layers: list[Layer]
    activations: list[Activation]

    @property
    def finite(self) -> bool:
        """Whether every number is one."""
        norms = [layer.gradient_norm for layer in self.layers] + [layer.variance for layer in self.layers]
        return all(math.isfinite(value) for value in (self.train_loss, self.held_loss, *norms))


@dataclass
class Trace:
    """A run as the rivals see it."""

    learning_rate: float = 0.0
    low: float = 0.0
    high: float = 0.0
    inputs_finite: bool = True
    whole_numbers: bool = False
    oblong: bool = False
    classes: bool = False
    dropout: float = 0.0
    linear_pair: bool = False
    last_activation: str = ""
    start_ratio: float = 1.0
    moments: list[Moment] = field(default_factory=list)


class Recorder:
    """A watcher that fills a `Trace`."""

    def begin(self, setup: Setup, parts: Parts, net: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        """What can be told before the first step."""
        self.setup, self.parts, self.net = setup, parts, net
        x = parts.train[0]
        self.rows = parts.train[0][:PROBE], parts.train[1][:PROBE]
        modules = [module for module in net.modules() if not list(module.children())]
        variances = [float(p.detach().var()) for p in net.parameters() if p.dim() > 1 and p.numel() > 1]
        self.trace = Trace(
            setup.learning_rate,
            float(x.min()),
            float(x.max()),
            bool(torch.isfinite(x.float()).all()),
            not x.is_floating_point(),
            x.dim() == 4 and x.shape[-1] != x.shape[-2],
            setup.task != "number",
            max((m.p for m in modules if isinstance(m, nn.Dropout)), default=0.0),
            any(_linear_pair(list(m)) for m in net.modules() if isinstance(m, nn.Sequential)),
            type(modules[-1]).__name__,
            max(variances, default=1.0) / max(min(variances, default=1.0), 1e-12),
        )
        self.before = [p.detach().clone() for p in net.parameters()]

    def step(self, loss: Tensor, inputs: Tensor, goal: Tensor) -> None:
        """Nothing."""

    def epoch(self, train_loss: float, held_loss: float, metric: float) -> None:
        """A look at a copy of the net."""
        with torch.random.fork_rng(), torch.enable_grad():
            pupil = copy.deepcopy(self.net).eval()
            for module in pupil.modules():
                module._forward_hooks.clear()
            seen: list[Activation] = []
            for module in pupil.modules():
                if isinstance(module, nn.ReLU | nn.Tanh | nn.Sigmoid):
                    module.register_forward_hook(lambda m, x, out: seen.append(_activation(m, x[0], out)))
            pupil.zero_grad()
            x, y = self.rows
            output = pupil(x)
            self.setup.loss(output, y).backward()
        told = [self.setup.judge(output.detach(), y)[0], metric]
        layers = [
            _layer(mine, now, old)
            for mine, now, old in zip(pupil.parameters(), self.net.parameters(), self.before, strict=True)
            if now.dim() > 1
        ]
        self.before = [p.detach().clone() for p in self.net.parameters()]
        self.trace.moments.append(Moment(train_loss, held_loss, *told, layers, seen))


def _linear_pair(modules: list[Any]) -> bool:
    pairs = pairwise(modules)
    return any(isinstance(a, nn.Linear) and isinstance(b, nn.Linear | nn.Identity) for a, b in pairs)


@torch.no_grad()
def _layer(mine: nn.Parameter, now: Tensor, old: Tensor) -> Layer:
    gradient = torch.zeros_like(now) if mine.grad is None else mine.grad
    change = now - old
    return Layer(
        float(gradient.norm()),
        float(gradient.abs().mean()),
        float((gradient == 0).float().mean()),
        float(now.var(unbiased=False)),
        float(change.abs().mean()),
        float(change.norm() / old.norm().clamp(min=1e-30)),
    )


@torch.no_grad()
def _activation(module: nn.Module, x: Tensor, out: Tensor) -> Activation:
    idle = (out <= 0).float()
    units = (out <= 0).all(0).float().mean()
    beyond = [float((x.abs() > edge).float().mean()) for edge in (5.0, 9.5)]
    relu = isinstance(module, nn.ReLU)
    return Activation(relu, float(idle.mean()), float(units), beyond[0], 0.0 if relu else beyond[1])
