"""A step written as a function of tensors, replayed once a replay has been seen to leave the same bits.

    step = Proven(descend, net, touched, generators)
    losses, norms = step(rows, rates)                     # what descend(rows, rates) gives, and leaves

It is recorded first, then done both ways, mini-batch after mini-batch, and trusted when results, tensors and
random numbers agree to the last bit. A net that has hooks, or changes its own attributes, is left as it is.
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from preceptor.training.steps import PROOFS, _hooked, facts_of
from preceptor.training.tape import Step, Tape, record


class Proven:
    """`step`, which changes the tensors it has `touched` and draws from `generators`; call it like that."""

    def __init__(
        self, step: Step, net: nn.Module, touched: Sequence[Tensor], generators: Sequence[Generator]
    ) -> None:
        self.step, self.net, self.touched, self.generators = step, net, touched, generators
        self.tape: Tape | None = None
        self.proofs = 0
        self._next: Step = step if _hooked(net) else self._recorded

    @property
    def trusted(self) -> bool:
        """Whether steps are replayed by now."""
        return self.proofs == PROOFS

    def __call__(self, *given: Tensor) -> tuple[Tensor, ...]:
        """The step's results; when replayed, in memory that the next call writes over."""
        return self._next(*given)

    def _recorded(self, *given: Tensor) -> tuple[Tensor, ...]:
        before, facts = self._state(), list(facts_of(self.net))
        self.tape = record(self.step, given, self.generators)
        self._put_back(before)
        innocent = list(facts_of(self.net)) == facts
        self._next = self._compared if self.tape and innocent else self.step
        return self._next(*given)

    def _compared(self, *given: Tensor) -> tuple[Tensor, ...]:
        """As it is written, and before that from the tape."""
        assert self.tape
        before = self._state()
        foretold = [*(one.clone() for one in self.tape(*given)), *self._state()]
        self._put_back(before)
        told = self.step(*given)
        same = all(map(torch.equal, foretold, [*told, *self._state()]))
        self.proofs += same
        if self.trusted or not same:
            self._next = self.tape if same else self.step
        return told

    def _state(self) -> list[Tensor]:
        return [*(one.clone() for one in self.touched), *(one.get_state() for one in self.generators)]

    def _put_back(self, state: Sequence[Tensor]) -> None:
        for tensor, old in zip(self.touched, state, strict=False):
            tensor.copy_(old)
        for generator, old in zip(self.generators, state[len(self.touched) :], strict=True):
            generator.set_state(old)
