"""A step written as a function of tensors, replayed once a replay has been seen to leave the same bits.

    step = Proven(descend, net, touched, generators)
    losses, norms = step(rows, rates)                     # what descend(rows, rates) gives, and leaves

The first mini-batch records it; the second is done both ways, and replays are trusted when results, tensors
and random numbers agree to the last bit. A net that has hooks, or changes its own attributes, is left alone.
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from preceptor.training.steps import facts_of, hooked
from preceptor.training.tape import Step, Tape, record

EAGER = 2
"""So many steps are done as they are written, at least."""


class Proven:
    """`step`, which changes the tensors it has `touched` and draws from `generators`; call it like that."""

    def __init__(
        self, step: Step, net: nn.Module, touched: Sequence[Tensor], generators: Sequence[Generator]
    ) -> None:
        self.step, self.net, self.touched, self.generators = step, net, touched, generators
        self.tape: Tape | None = None
        self.trusted = False
        self._next: Step = step if hooked(net) else self._recorded

    def __call__(self, *given: Tensor) -> tuple[Tensor, ...]:
        """The step's results; when replayed, in memory that the next call writes over."""
        return self._next(*given)

    def _recorded(self, *given: Tensor) -> tuple[Tensor, ...]:
        before, facts = self._state(), list(facts_of(self.net))
        told: list[tuple[Tensor, ...]] = []

        def step(*own: Tensor) -> tuple[Tensor, ...]:
            told.append(self.step(*own))
            return told[-1]

        self.tape = record(step, given, self.generators)
        innocent = list(facts_of(self.net)) == facts
        self._next = self._compared if self.tape and innocent else self.step
        if len(told) > 1:  # a graph takes more than one pass
            self._put_back(before)
            return self.step(*given)
        return told[0]

    def _compared(self, *given: Tensor) -> tuple[Tensor, ...]:
        """As it is written, and before that from the tape."""
        assert self.tape
        before = self._state()
        foretold = [*(one.clone() for one in self.tape(*given)), *self._state()]
        self._put_back(before)
        told = self.step(*given)
        self.trusted = all(map(torch.equal, foretold, [*told, *self._state()]))
        self._next = self.tape if self.trusted else self.step
        return told

    def _state(self) -> list[Tensor]:
        return [*(one.clone() for one in self.touched), *(one.get_state() for one in self.generators)]

    def _put_back(self, state: Sequence[Tensor]) -> None:
        for tensor, old in zip(self.touched, state, strict=False):
            tensor.copy_(old)
        for generator, old in zip(self.generators, state[len(self.touched) :], strict=True):
            generator.set_state(old)
