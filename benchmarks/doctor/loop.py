"""A training loop as people write it: nothing of preceptor in it but, if wanted, somebody who watches."""

import math
import time
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn

from benchmarks.doctor.harm import Score
from benchmarks.doctor.setup import Parts, Setup


class Watcher(Protocol):
    """Who may look over the loop's shoulder. A watcher never changes what it sees."""

    def begin(self, setup: Setup, parts: Parts, net: nn.Module, optimiser: torch.optim.Optimizer) -> None: ...

    def step(self, loss: Tensor, inputs: Tensor, goal: Tensor) -> None: ...

    def epoch(self, train_loss: float, held_loss: float, metric: float) -> None: ...


@dataclass
class Result:
    """What came out: the losses by epoch, what the net is worth on the test rows, and its weights."""

    score: Score
    net: nn.Module
    seconds: float
    steps: int
    train_losses: list[float] = field(default_factory=list)
    held_losses: list[float] = field(default_factory=list)


def train(setup: Setup, seed: int, watchers: list[Watcher] | tuple[()] = ()) -> Result:
    """Train by the setup from this seed. `seconds` are the processor's, watchers' included."""
    parts = setup.prepare(seed)
    torch.manual_seed(seed)
    net = setup.build(parts)
    optimiser = setup.make_optimiser(net)
    result = Result(Score(math.nan, math.nan, 1.0), net, time.process_time(), 0)
    for watcher in watchers:
        watcher.begin(setup, parts, net, optimiser)
    for _ in range(setup.epochs):
        result.train_losses.append(one_epoch(setup, parts, net, optimiser, result, watchers))
        held, metric = validate(setup, parts, net)
        result.held_losses.append(held)
        for watcher in watchers:
            watcher.epoch(result.train_losses[-1], held, metric)
    result.seconds = time.process_time() - result.seconds
    result.score = worth(setup, parts, net)
    return result


def one_epoch(
    setup: Setup,
    parts: Parts,
    net: nn.Module,
    optimiser: torch.optim.Optimizer,
    result: Result,
    watchers: list[Watcher] | tuple[()],
) -> float:
    """One visit of every training row; the mean of the losses on the way."""
    x, y = parts.train
    net.train(not setup.trains_in_eval)
    losses: list[Tensor] = []
    order = torch.randperm(len(x)) if setup.shuffle else torch.arange(len(x))
    steps = setup.epochs * math.ceil(len(x) / setup.batch)
    for rows in order.split(setup.batch):
        inputs, goal = x[rows], y[rows]
        if setup.augment:
            inputs, goal = setup.augment(inputs, goal)
        if setup.clears_gradients:
            optimiser.zero_grad()
        for group in optimiser.param_groups:
            group["lr"] = setup.learning_rate * setup.factor(result.steps / steps, result.steps)
        loss = backward(setup, net, inputs, goal)
        if setup.clip:
            nn.utils.clip_grad_norm_(net.parameters(), setup.clip)
        optimiser.step()
        result.steps += 1
        losses.append(loss)
        for watcher in watchers:
            watcher.step(loss, inputs, goal)
    return float(torch.stack(losses).mean())


def backward(setup: Setup, net: nn.Module, inputs: Tensor, goal: Tensor) -> Tensor:
    """The loss of the batch, its gradients added to those in place; in several bites where asked."""
    bites = list(zip(inputs.chunk(setup.accumulate), goal.chunk(setup.accumulate), strict=True))
    total = torch.zeros(())
    for x, y in bites:
        loss = setup.sign * setup.loss(net(x), y) / len(bites)
        loss.backward()
        total = total + loss.detach()
    return total


@torch.no_grad()
def validate(setup: Setup, parts: Parts, net: nn.Module) -> tuple[float, float]:
    """Loss and metric on the rows that are watched, as the loop computes them."""
    net.train(setup.validates_in_train)
    x, y = parts.held
    output = net(x)
    metric = setup.metric(output, y) if setup.metric else setup.judge(output, y)[0]
    return float(setup.loss(output, y)), metric


@torch.no_grad()
def worth(setup: Setup, parts: Parts, net: nn.Module) -> Score:
    """Metric and honest loss on the test rows, the net as it is left for use."""
    x, y = parts.test
    metric, loss = setup.judge(net.train(setup.validates_in_train)(x), y)
    dumb = dumb_loss(y, numbers=setup.task == "number")
    return Score(metric, loss, dumb) if math.isfinite(loss) else Score(-1.0, math.inf, dumb)


def dumb_loss(goal: Tensor, *, numbers: bool) -> float:
    """What the best constant answer pays: the variance, or the entropy of the classes."""
    if numbers:
        return float(goal.var(unbiased=False))
    shares = goal.flatten().long().bincount().float() / goal.numel()
    return float(torch.special.entr(shares).sum())
