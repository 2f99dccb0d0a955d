"""The one training loop: a generator, so that whoever watches, stops or saves does it in plain lines.

    for epoch in train(training, inputs, goal, loss):
        print(epoch.number, epoch.loss)

Between a caller and the net's `forward` stands this one function. The rows of each mini-batch and the
noise of dropout are pure functions of (seed, epoch): a training that was killed and resumed ends with
the same bits as one that was not, and nothing random that a caller does in between can change them.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor, nn

from preceptor.training.state import Training
from preceptor.training.steps import Steps
from preceptor.training.tape import Step, Tape

Loss = Callable[[Tensor, Tensor], Tensor]
Augment = Callable[[Sequence[Tensor], Tensor, int], Sequence[Tensor]]
"""Given a mini-batch's inputs, the numbers of its rows and of the pass: the inputs as the net sees them."""
Observer = Callable[[Tensor, float, Sequence[Tensor]], None]
"""Hears each step's loss and learning rate, and the mini-batch, goal last, which the next may write over.

Gradients, clipped, are still in place. It may look at everything, and changes nothing, random state included.
"""


def unheard(loss: Tensor, rate: float, batch: Sequence[Tensor]) -> None:
    """The observer where there is none."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one epoch did. `losses` and `norms` (S,) are each step's loss and gradient norm.

    Losses are without L1 and L2, norms before clipping; `rate` is the last step's learning rate.
    """

    number: int
    losses: Tensor
    norms: Tensor
    rate: float
    seconds: float

    @property
    def loss(self) -> float:
        """The mean training loss."""
        return float(self.losses.mean())

    @property
    def broken(self) -> int | None:
        """The first step, from 0, whose loss or gradient was not a finite number: training diverged.

        The weights are then again those from before this epoch.
        """
        finite = (self.losses + self.norms).isfinite()
        return None if finite.all() else int(finite.long().argmin())


def train(
    training: Training,
    inputs: Sequence[Tensor],
    goal: Tensor,
    loss: Loss,
    *,
    augment: Augment | None = None,
    observer: Observer = unheard,
) -> Iterator[Epoch]:
    """Train until `training.over`; yields after each epoch.

    `inputs` are tensors with one row an example, given to the net in this order; `goal` has the same
    rows; `loss(output, goal)` is a scalar. `augment` changes each mini-batch, a pure function of rows
    and pass. `observer` hears every step when it is done.
    """
    net, flat, replay = training.net, training.flat, training.plan.step != "eager"
    steps = Steps(net, _step(training, loss), lambda: [flat.gradients, *flat.live().values()], replay=replay)
    while not training.over:
        started, batches = time.perf_counter(), mini_batches(training, len(goal))
        rates = training.open_epoch(len(batches))
        losses, norms = training.flat.weights.new_empty(2, len(batches))
        steps.open()
        with _reproducible(training):
            for rows, rate, told, norm in zip(batches, rates, losses, norms, strict=True):
                batch = _changed(_gathered((*inputs, goal), rows, steps.tape), augment, rows, training)
                told.copy_(steps(*batch)[0])
                norm.copy_(training.step(rate))
                observer(told, rate, batch)
        training.ranks.combine(losses)
        epoch = Epoch(training.epoch + 1, losses, norms, rates[-1], time.perf_counter() - started)
        training.replayed = steps.trusted
        training.close_epoch(epoch.broken is None)
        yield epoch


def _step(training: Training, loss: Loss) -> Step:
    """Forward and backward on one mini-batch, the goal last: gradients into the flat vector, and the loss."""
    net, flat = forward_of(training.net, training.plan.precision), training.flat

    def step(*batch: Tensor) -> tuple[Tensor, ...]:
        value = loss(net(*batch[:-1]), batch[-1])
        flat.gradients.zero_()
        torch.autograd.backward(value)
        return (value.detach(),)

    return step


def _changed(batch: list[Tensor], augment: Augment | None, rows: Tensor, training: Training) -> list[Tensor]:
    """A mini-batch as the net sees it in this pass: its inputs changed where they are to be."""
    if augment:
        batch[:-1] = augment(batch[:-1], rows, training.epoch // training.shares)
    return batch


def _gathered(parts: Sequence[Tensor], rows: Tensor, tape: Tape | None) -> list[Tensor]:
    """These rows of every part, at once where the tape wants them."""
    if tape is None:
        return [part.index_select(0, rows) for part in parts]
    pairs = zip(parts, tape.inputs, strict=True)
    return [torch.index_select(part, 0, rows, out=own) for part, own in pairs]


def forward_of(net: nn.Module, precision: str | None) -> Callable[..., Tensor]:
    """The net itself, or in "bfloat16" the net with its products in 16 bits; the output is float32.

    Weights, their gradients and all sums stay in 32 bits (Micikevicius et al., 2018; Kalamkar et al., 2019).
    """
    if precision != "bfloat16":
        return net

    def forward(*batch: Tensor) -> Tensor:
        with torch.autocast(batch[0].device.type, torch.bfloat16):
            output: Tensor = net(*batch)
        return output.float()

    return forward


def order(rows: int, seed: int, number: int) -> Tensor:
    """The order in which pass `number`, from 0, visits the rows: a permutation (N,)."""
    return torch.randperm(rows, generator=Generator().manual_seed(seeds(seed, number)[0]))


def batch_count(rows: int, size: int) -> int:
    """How many mini-batches of at most `size` rows an epoch has.

    None has a single row (which would break batch normalisation) unless `size` is 1.
    """
    count = math.ceil(rows / size)
    return count if size == 1 else max(1, min(count, rows // 2))


def mini_batches(training: Training, rows: int) -> Sequence[Tensor]:
    """The rows of each mini-batch of the coming epoch, of this rank's part of it, where the weights are.

    All are of one size. Rows that this leaves over, fewer than there are mini-batches, sit out; in the next
    epoch others do.
    """
    number, share = divmod(training.epoch, training.shares)
    each = rows // training.shares
    visited = order(rows, training.seed, number)[share * each : (share + 1) * each]
    steps = batch_count(each, training.batch_size)
    size = each // steps
    batches = training.ranks.share(visited[: steps * size].view(steps, size))
    return batches.to(training.flat.weights.device).unbind()


def seeds(seed: int, epoch: int, rank: int = 0) -> list[int]:
    """Independent seeds for one epoch: for the order of rows, and for the noise of each rank up to `rank`."""
    return np.random.SeedSequence((seed, epoch)).generate_state(2 + rank).tolist()


@contextmanager
def _reproducible(training: Training) -> Iterator[None]:
    """The epoch's own random numbers and number of threads; the caller's come back afterwards."""
    threads, devices = torch.get_num_threads(), range(torch.cuda.device_count())
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seeds(training.seed, training.epoch, training.ranks.rank)[-1])
        torch.set_num_threads(training.threads)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
