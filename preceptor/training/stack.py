"""Trainings of one architecture in step: their numbers are rows of tables, their nets one batched net.

    stack = Stack(trainings, materials)
    epochs = stack.epoch()                                # one for each training that has not left
    stack.dissolve()                                      # every training has its vectors to itself again

Shapes: K trainings, S steps in an epoch, B rows in a mini-batch, P numbers in a row of a table.
"""

import copy
import math
import time
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from preceptor.training.batched import BatchedNet, LoneNet, Tables, rows_of
from preceptor.training.descent import Descent
from preceptor.training.loop import Augment, Epoch, Loss, mini_batches, seeds
from preceptor.training.parameters import LINE
from preceptor.training.state import Training
from preceptor.training.steps import Steps


class Material(NamedTuple):
    """What one training learns from: tensors with one row an example, of which `rows` (N,) are its own.

    `rows` None: all. Trainings that share inputs, goal and loss, the very same objects, are served faster.
    """

    inputs: Sequence[Tensor]
    goal: Tensor
    loss: Loss
    rows: Tensor | None = None
    augment: Augment | None = None

    @property
    def examples(self) -> int:
        """How many rows it has."""
        return len(self.goal) if self.rows is None else len(self.rows)


class Stack:
    """K trainings that go through epochs together. Only where the numbers of each lie has changed.

    A step is one program, from fetching the rows to moving the weights. Only the rows of materials that are
    augmented, and the weights of large nets, are fetched and moved from outside.
    """

    def __init__(
        self, trainings: Sequence[Training], materials: Sequence[Material], *, replay: bool = True
    ) -> None:
        self.trainings, self.materials = list(trainings), list(materials)
        self.losses = [material.loss for material in materials]
        self.left: set[int] = set()
        self.tables = _tables(trainings)
        for place, training in enumerate(trainings):
            training.settle(self._rows(place))
        self.net = (BatchedNet if len(trainings) > 1 else LoneNet)(trainings, self.tables)
        self.generators = [Generator() for _ in trainings]
        self.descent = Descent(trainings, self.tables, self.left)
        self.spans = _spans(materials)
        self.augmented = any(material.augment for material in materials)
        self.batch: Sequence[Tensor] = ()
        self._steps = Steps(self.net.net, self._as_one, self._touched, self.generators, replay=replay)

    def _rows(self, place: int) -> Tables:
        """Where the numbers of one training lie."""
        own = _own(self.trainings[place])
        return {name: rows_of(self.tables[name][place], tensor) for name, tensor in own.items()}

    @property
    def trusted(self) -> bool:
        """Whether steps are replayed by now."""
        return self._steps.trusted

    @property
    def members(self) -> list[int]:
        """The places of those who have not left."""
        return [place for place in range(len(self.trainings)) if place not in self.left]

    def leave(self, place: int) -> None:
        """Give a training its vectors to itself; its place in the tables is of no account any more."""
        training = self.trainings[place]
        training.settle({name: row.clone() for name, row in self._rows(place).items()})
        self.left.add(place)

    def dismiss(self) -> None:
        """All who are over leave."""
        for place in self.members:
            if self.trainings[place].over:
                self.leave(place)

    def dissolve(self) -> None:
        """All leave."""
        for place in self.members:
            self.leave(place)

    def epoch(self) -> dict[int, Epoch]:
        """Take every member through its next epoch; `seconds` are those of all, divided by their number."""
        self.open()
        self.advance()
        return self.close()

    def open(self) -> None:
        """Make ready for an epoch of `steps`."""
        self._chosen, self._rates = self._drawn()
        self._told = self._rates.new_empty(2, *self._rates.shape[:2])
        self._done, self._seconds = 0, 0.0
        self._steps.open()
        self.steps = len(self._chosen)

    def advance(self, steps: int | None = None) -> None:
        """Take so many steps of the epoch, or all that are left."""
        began = time.perf_counter()
        stop = self.steps if steps is None else min(self._done + steps, self.steps)
        for step in range(self._done, stop):
            told = self.step(self._chosen[step], self._rates[step])
            for own, new in zip(self._told[:, step], told, strict=True):
                own.copy_(new)
        self._done, self._seconds = stop, self._seconds + time.perf_counter() - began

    def close(self) -> dict[int, Epoch]:
        """End the epoch; what it was to every member."""
        seconds, epochs = self._seconds / len(self.members), {}
        for place in self.members:
            training = self.trainings[place]
            training.optimiser.steps += self.steps * self.descent.as_one
            losses, norms = self._told[:, :, place].clone()
            rate = float(self._rates[-1, place])
            epochs[place] = Epoch(training.epoch + 1, losses, norms, rate, seconds)
            training.close_epoch(epochs[place].broken is None)
        return epochs

    def _drawn(self) -> tuple[Tensor, Tensor]:
        """The rows (S, K, B) and the learning rates (S, K, 1) of all steps of the coming epoch."""
        rows: dict[int, Tensor] = {}
        rates: dict[int, list[float]] = {}
        for place in self.members:
            training, material = self.trainings[place], self.materials[place]
            drawn = torch.stack(tuple(mini_batches(training, material.examples)))
            rows[place] = drawn if material.rows is None else material.rows[drawn]
            rates[place] = training.open_epoch(len(drawn))
            self.generators[place].manual_seed(seeds(training.seed, training.epoch)[1])
        # Whoever has left goes through the motions: at no rate, with some row.
        rest, idle = torch.zeros_like(next(iter(rows.values()))), [0.0] * len(next(iter(rates.values())))
        places = range(len(self.trainings))
        steps = self.tables["weights"].new_tensor([rates.get(place, idle) for place in places]).T
        return torch.stack([rows.get(place, rest) for place in places], dim=1), steps[:, :, None].contiguous()

    def step(self, rows: Tensor, rates: Tensor) -> tuple[Tensor, Tensor]:
        """Losses and norms of the gradients (K,), of a step on these rows (K, B) at these rates (K, 1)."""
        if not self.batch:
            self.batch = [part.new_empty(*rows.shape, *part.shape[1:]) for part in self._seen(0, rows[0])]
        if self.augmented:
            self._fetch(rows)
        if self.descent.as_one:
            self.descent.count()
        losses, *norms = self._steps(rows, rates)
        return losses, norms[0] if norms else self.descent.each(rates)

    def _touched(self) -> list[Tensor]:
        return [*self.tables.values(), *self.batch, self.descent.way]

    def _as_one(self, rows: Tensor, rates: Tensor) -> tuple[Tensor, ...]:
        if not self.augmented:
            self._fetch(rows)
        *inputs, goal = self.batch
        losses = self.net.descend(self.losses, self.generators, inputs, goal)
        return (losses, self.descent.step(rates)) if self.descent.as_one else (losses,)

    def _fetch(self, rows: Tensor) -> None:
        """Fill the mini-batch."""
        for start, stop in self.spans:
            material, chosen = self.materials[start], rows[start:stop].flatten()
            places = [part[start:stop].flatten(0, 1) for part in self.batch]
            if material.augment:
                for own, part in zip(places, self._seen(start, chosen), strict=True):
                    own.copy_(part)
            else:
                for own, part in zip(places, (*material.inputs, material.goal), strict=True):
                    torch.index_select(part, 0, chosen, out=own)

    def _seen(self, place: int, rows: Tensor) -> Sequence[Tensor]:
        """Inputs and goal for rows of the material of this place."""
        material, training = self.materials[place], self.trainings[place]
        inputs: Sequence[Tensor] = [part.index_select(0, rows) for part in material.inputs]
        if material.augment:
            inputs = material.augment(inputs, rows, training.epoch // training.shares)
        return [*inputs, material.goal.index_select(0, rows)]


def attempt(trainings: Sequence[Training], materials: Sequence[Material]) -> str | None:
    """Try a step of copies on a few rows: what has been said against it, None if nothing."""
    copies = [Training(copy.deepcopy(one.net).train(), one.plan, epochs=1, seed=0) for one in trainings]
    few = [torch.arange(4) % material.examples for material in materials]
    rows = [
        chosen if material.rows is None else material.rows[chosen]
        for chosen, material in zip(few, materials, strict=True)
    ]
    try:
        stack = Stack(copies, materials, replay=False)
        stack.step(torch.stack(rows), stack.tables["weights"].new_zeros(len(copies), 1))
    except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
        return str(error).strip().split("\n")[0]
    return None


def _own(training: Training) -> Tables:
    return {**training.carried(), "gradients": training.flat.gradients}


def _tables(trainings: Sequence[Training]) -> Tables:
    """Room for all numbers: a table for each kind, a row for each training.

    Rows of weights begin at whole cache lines. Those of buffers follow each other without a gap: batch
    normalisation takes them for one long row, and would change a copy of it otherwise.
    """
    own = _own(trainings[0])
    widths = {name: one.numel() for name, one in own.items()}
    lines = {name: LINE * math.ceil(width / LINE) for name, width in widths.items()}
    return {
        name: one.new_zeros(len(trainings), (widths if name.startswith("buffer.") else lines)[name])
        for name, one in own.items()
    }


def _spans(materials: Sequence[Material]) -> list[tuple[int, int]]:
    """Neighbours whose rows can be fetched at once."""

    def source(place: int) -> tuple[int, ...]:
        material = materials[place]
        return (*map(id, (*material.inputs, material.goal)), -1 - place if material.augment else 0)

    return [
        (members[0], members[-1] + 1)
        for members in (list(same) for _, same in groupby(range(len(materials)), key=source))
    ]
