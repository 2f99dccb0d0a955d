"""A step, taken again and again: replayed where that is proven to be the same.

    steps = Steps(net, step, touched)
    steps.open()                                         # before each epoch
    (loss,) = steps(x, y)                                # what step(x, y) gives

The first mini-batches are computed both ways and compared to the last bit: the tape is trusted only when
results, the tensors that the step has touched, and random numbers agree. A net that has hooks, changes its
own attributes, or draws from Python's or numpy's random numbers is left to run as it is written.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn.modules.module import _has_any_global_hook

from preceptor.training.tape import Step, Tape, record

PROOFS = 2
"""So many mini-batches are computed both ways."""
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
PLAIN = (bool, int, float, complex, str, bytes, type(None), torch.dtype, torch.device)


class Steps:
    """One step after another: `step(*batch)` is what `step` was, sooner. `net` is the net in it.

    `touched` are the tensors that it changes. It draws from `generators`, or, with none given, from anywhere.
    With `replay` off every step is done as it is written.
    """

    def __init__(
        self,
        net: nn.Module,
        step: Step,
        touched: Callable[[], Sequence[Tensor]],
        generators: Sequence[Generator] = (),
        *,
        replay: bool = True,
    ) -> None:
        self.net, self.step, self.touched, self.replay = net, step, touched, replay
        self.generators = generators
        self.tape: Tape | None = None
        self._hopeful, self._proofs, self._facts = False, 0, list[Any]()

    @property
    def trusted(self) -> bool:
        """Whether steps are replayed by now."""
        return self._proofs == PROOFS

    def open(self) -> None:
        """Make ready for an epoch: a net that is no longer as it was recorded is recorded again."""
        facts = list(_facts_of(self.net))
        if facts != self._facts:
            self.tape, self._proofs, self._facts = None, 0, facts
            self._hopeful = self.replay and not hooked(self.net)

    def __call__(self, *batch: Tensor) -> tuple[Tensor, ...]:
        """The step's results for this mini-batch; when replayed, in memory that the next call writes over."""
        if self.tape and self.trusted:
            return self.tape(*batch)
        foretold = self._foretold(batch) if self._hopeful else None
        results = self.step(*batch)
        if foretold:
            self._hopeful = all(map(torch.equal, foretold, self._told(results)))
            self._proofs = self._proofs + 1 if self._hopeful else 0
        return results

    def _foretold(self, batch: Sequence[Tensor]) -> list[Tensor] | None:
        """What the tape makes of a mini-batch; then all is put back. None when there can be no tape."""
        before, elsewhere = self._state(), self._elsewhere()
        if self.tape is None:
            self.tape = record(self.step, batch, self.generators)
            self._hopeful = self._innocent(self.tape) and self._elsewhere() == elsewhere
            self._put_back(before, elsewhere)
        if self.tape is None or not self._hopeful:
            return None
        foretold = [tensor.clone() for tensor in self._told(self.tape(*batch))]
        self._put_back(before, elsewhere)
        return foretold

    def _told(self, results: Sequence[Tensor]) -> list[Tensor]:
        """All that is to be the same either way."""
        return [*results, *self.touched(), *self._noise()]

    def _innocent(self, tape: Tape | None) -> bool:
        """Whether recording changed nothing but what can be put back."""
        known = {tensor.untyped_storage().data_ptr() for tensor in self.touched()}
        strangers = tape is None or {tensor.untyped_storage().data_ptr() for tensor in tape.changed} - known
        return not strangers and list(_facts_of(self.net)) == self._facts

    def _state(self) -> list[Tensor]:
        return [*(tensor.clone() for tensor in self.touched()), *self._noise()]

    def _noise(self) -> list[Tensor]:
        """Where torch's sources of random numbers stand."""
        return [one.get_state() for one in self._sources()]

    def _sources(self) -> Sequence[Generator]:
        devices = torch.cuda.default_generators if torch.cuda.is_available() else ()
        return self.generators or (torch.default_generator, *devices)

    def _elsewhere(self) -> Any:
        """Where Python's and numpy's random numbers stand, if the step may draw from anywhere."""
        if self.generators:
            return None
        name, keys, *rest = np.random.get_state()
        return random.getstate(), (name, np.asarray(keys).tolist(), *rest)

    def _put_back(self, state: Sequence[Tensor], elsewhere: Any) -> None:
        touched = self.touched()
        for tensor, old in zip(touched, state, strict=False):
            tensor.copy_(old)
        for generator, old in zip(self._sources(), state[len(touched) :], strict=True):
            generator.set_state(old)
        if elsewhere is not None:
            random.setstate(elsewhere[0])
            np.random.set_state(elsewhere[1])


def _facts_of(net: nn.Module) -> Iterator[Any]:
    """What a forward pass may hang on besides the numbers in tensors: every attribute of every module."""
    for module in net.modules():
        yield from ((name, _fact(value)) for name, value in vars(module).items())


def _fact(value: Any) -> Any:
    """Something that differs when `value` does; of an object, which one it is."""
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, Tensor):
        return value.data_ptr(), value.shape, value.stride(), value.requires_grad
    if isinstance(value, dict):
        return [(name, _fact(one)) for name, one in value.items()]
    return [_fact(one) for one in value] if isinstance(value, (list, tuple, set)) else id(value)


def hooked(net: nn.Module) -> bool:
    """Whether somebody listens to its passes."""
    listened = any(getattr(module, name) for module in net.modules() for name in HOOKS)
    tensors = chain(net.parameters(), net.buffers())
    everywhere = _has_any_global_hook()
    return everywhere or listened or any(one._backward_hooks for one in tensors)
