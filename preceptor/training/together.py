"""Many trainings at once: each ends where it would alone, all of them far sooner.

    materials = [Material(inputs, goal, loss)] * len(trainings)
    for epochs in train_together(trainings, materials):
        for training, epoch in zip(trainings, epochs, strict=True):
            if epoch and training.finite:                 # None: this one was over before
                training.judge(...)

A small net's step takes longer to ask for than to compute, so nets of one architecture are asked for at once,
as one program. Each core of the processor works on nets of its own: shared between cores, they would wait for
each other at every operation. What may differ between nets of one program are numbers: learning rate,
schedule, weight decay, dropout, clipping, losses, seeds, rows.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import nn

from preceptor.training.loop import Epoch
from preceptor.training.stack import Material, Stack, attempt
from preceptor.training.state import Training
from preceptor.training.steps import PROOFS, hooked

MOST, MOST_WEIGHTS = 16, 160_000
"""So many nets in one program, of so many weights in all: more bring little, and fill the caches."""
WORTH_MOVING = 0.75
"""Who goes on moves closer together when no more than this share of those who began are left."""

TURNS, STRIDE = 2, 5
"""So often, and for so many steps, programs are tried side by side and one after another."""

Likeness = dict[str, object]
Done = TypeVar("Done")


def train_together(
    trainings: Sequence[Training], materials: Sequence[Material], *, programs: int | None = None
) -> Iterator[list[Epoch | None]]:
    """Train all until each is over; yields what every epoch was to each, None for those that were over.

    They may differ in anything, and are fastest where `can_join` has nothing against it. They are shared out
    to so many `programs`, each in a thread of its own, as many as the first one's plan has threads if nothing
    is said; whom a net is taught with decides the last bits of its weights. Between epochs each can be
    judged, saved and stopped like any training; who ends the loop early can go on with some in another.
    """
    company = Company(trainings, materials, programs or trainings[0].threads)
    try:
        while epochs := company.epoch():
            yield [epochs.get(place) for place in range(len(trainings))]
    finally:
        company.close()


def can_join(trainings: Sequence[Training], materials: Sequence[Material]) -> str | None:
    """Why these trainings cannot run as one program; None when they can."""
    if any(hooked(one.net) for one in trainings):
        return "somebody listens to the passes of one of them"
    first, *others = (_likeness(*pair) for pair in zip(trainings, materials, strict=True))
    for other in others:
        different = [aspect for aspect in first if first[aspect] != other[aspect]]
        if different:
            return f"they differ in their {different[0]}"
    return attempt(trainings[:2], materials[:2]) if others else None


class Company:
    """Trainings at work: programs of some of them each, in as many threads as there are to be."""

    def __init__(self, trainings: Sequence[Training], materials: Sequence[Material], threads: int) -> None:
        self.trainings, self.materials, self.threads = trainings, materials, threads
        self.pool = ThreadPoolExecutor(self.threads, initializer=torch.set_num_threads, initargs=(1,))
        self.stacks: list[tuple[Stack, list[int]]] = []
        self.began = 0
        self.abreast: bool | None = None
        self.groups = self._groups()

    def epoch(self) -> dict[int, Epoch]:
        """Take all who are not over through an epoch; what it was to each, by its place."""
        going = [place for place, training in enumerate(self.trainings) if not training.over]
        if not going:
            return {}
        if len(going) <= WORTH_MOVING * self.began or not self.began:
            self._form(going)
        for stack, _ in self.stacks:
            stack.dismiss()
        busy = [(stack, places) for stack, places in self.stacks if stack.members]
        programs = [stack for stack, _ in busy]
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            self._each(programs, Stack.open)
            self._advance(programs)
            done = self._each(programs, Stack.close)
        finally:
            torch.set_num_threads(threads)
        return {
            places[at]: epoch
            for (_, places), epochs in zip(busy, done, strict=True)
            for at, epoch in epochs.items()
        }

    def _advance(self, programs: Sequence[Stack]) -> None:
        """To the end of the epoch. In the first one, side by side and by turns: what is faster is kept."""
        enough = min(one.steps for one in programs) > PROOFS + 2 * TURNS * STRIDE
        if self.abreast is None and enough and min(len(programs), self.threads) > 1:
            self._each(programs, lambda stack: stack.advance(PROOFS))
            seconds = {True: 0.0, False: 0.0}
            for abreast in (True, False) * TURNS:
                began = time.perf_counter()
                self._each(programs, lambda stack: stack.advance(STRIDE), abreast=abreast)
                seconds[abreast] += time.perf_counter() - began
            self.abreast = seconds[True] < seconds[False]
        self._each(programs, Stack.advance, abreast=self.abreast is not False)

    def _each(
        self, programs: Sequence[Stack], work: Callable[[Stack], Done], *, abreast: bool = True
    ) -> list[Done]:
        """What `work` says of every program: in a thread each as far as there are threads, or all in one."""
        if abreast:
            return list(self.pool.map(work, programs))
        return self.pool.submit(lambda: [work(one) for one in programs]).result()

    def _groups(self) -> list[list[int]]:
        """The places of those that can be one program together; others stand alone."""
        groups: list[tuple[Likeness, list[int]]] = []
        for place, (training, material) in enumerate(zip(self.trainings, self.materials, strict=True)):
            likeness = _likeness(training, material)
            same = [places for other, places in groups if other == likeness]
            same[0].append(place) if same else groups.append((likeness, [place]))
        found = []
        for _, places in groups:
            trainings = [self.trainings[one] for one in places]
            materials = [self.materials[one] for one in places]
            joined = self._most(places[0]) > 1 and can_join(trainings, materials) is None
            found += [places] if joined else [[place] for place in places]
        return found

    def _most(self, place: int) -> int:
        """So many nets like the one of this place may be one program."""
        return max(1, min(MOST, MOST_WEIGHTS // self.trainings[place].flat.weights.numel()))

    def _form(self, going: list[int]) -> None:
        self.dissolve()
        self.began, alive = len(going), set(going)
        for group in self.groups:
            members = [place for place in group if place in alive]
            for places in even(members, self.threads, self._most(group[0])):
                stack = Stack(
                    [self.trainings[one] for one in places], [self.materials[one] for one in places]
                )
                self.stacks.append((stack, places))

    def dissolve(self) -> None:
        """Give every training its numbers to itself."""
        for stack, _ in self.stacks:
            stack.dissolve()
        self.stacks = []

    def close(self) -> None:
        """The same, and let the threads go."""
        self.dissolve()
        self.pool.shutdown()


def even(places: list[int], threads: int, most: int) -> list[list[int]]:
    """Cut into runs of at most `most`, to within one of equal length, as many as keep all threads busy."""
    count = min(len(places), threads * math.ceil(len(places) / (threads * most)))
    return [places[len(places) * one // count : len(places) * (one + 1) // count] for one in range(count)]


OF_EVERY_MODULE = {*vars(nn.Module())}


def _likeness(training: Training, material: Material) -> Likeness:
    """What trainings of one program have in common, by what it is called."""
    plan, net = training.plan, training.net
    return {
        "architecture": [
            (path, type(module), _settings(module))
            for path, module in net.named_modules(remove_duplicate=False)
        ],
        "parameters": [(one.shape, one.dtype, one.requires_grad) for one in net.parameters()],
        "buffers": [(one.shape, one.dtype) for one in net.buffers()],
        "optimiser": plan.optimiser,
        "moving average": bool(plan.ema),
        "precision": plan.precision,
        "mini-batches": (material.examples, training.batch_size, training.shares),
        "examples": [(part.shape[1:], part.dtype) for part in (*material.inputs, material.goal)],
    }


def _settings(module: nn.Module) -> dict[str, object]:
    """The attributes that decide what a module computes. Numbers with a point may differ."""
    own = {name: value for name, value in vars(module).items() if name not in OF_EVERY_MODULE}
    return {name: float if isinstance(value, float) else _plain(value) for name, value in own.items()}


def _plain(value: object) -> object:
    return value if isinstance(value, (bool, int, str, tuple, list, dict, type(None))) else repr(value)
