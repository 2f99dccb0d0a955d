"""Forward and backward, mini-batch after mini-batch: replayed where that is proven to be the same.

    steps = Steps(flat, step)
    steps.open()                                         # before each epoch
    (loss,) = steps(x, y)                                # what step(x, y) gives

The first mini-batches are computed both ways and compared to the last bit: the tape is trusted only when
losses, gradients, buffers and random numbers agree. A net that has hooks, changes its own attributes, or
draws from Python's or numpy's random numbers is left to run as it is written.
"""

import random
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook

from preceptor.training.parameters import FlatParameters
from preceptor.training.tape import Step, Tape, record

PROOFS = 2
"""So many mini-batches are computed both ways."""
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
PLAIN = (bool, int, float, complex, str, bytes, type(None), torch.dtype, torch.device)


class Steps:
    """One step after another: `step(*batch)` writes gradients into those of `flat`, and returns the loss.

    With `replay` off every step is done as it is written.
    """

    def __init__(self, flat: FlatParameters, step: Step, *, replay: bool = True) -> None:
        self.flat, self.step, self.replay = flat, step, replay
        self.tape: Tape | None = None
        self._hopeful, self._proofs, self._facts = False, 0, list[Any]()

    @property
    def trusted(self) -> bool:
        """Whether steps are replayed by now."""
        return self._proofs == PROOFS

    def open(self) -> None:
        """Make ready for an epoch: a net that is no longer as it was recorded is recorded again."""
        facts = list(facts_of(self.flat.net))
        if facts != self._facts:
            self.tape, self._proofs, self._facts = None, 0, facts
            self._hopeful = self.replay and not hooked(self.flat.net)

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
        noise, before = _noise(), [tensor.clone() for tensor in self._touched()]
        if self.tape is None:
            self.tape = record(self.step, batch)
            self._hopeful = self._innocent(self.tape, noise)
            self._put_back(noise, before)
        if self.tape is None or not self._hopeful:
            return None
        foretold = [tensor.clone() for tensor in self._told(self.tape(*batch))]
        self._put_back(noise, before)
        return foretold

    def _touched(self) -> list[Tensor]:
        """All that a step may change."""
        return [self.flat.gradients, *self.flat.live().values()]

    def _told(self, results: Sequence[Tensor]) -> list[Tensor]:
        """All that is to be the same either way."""
        return [*results, *self._touched(), *_noise()[0]]

    def _innocent(self, tape: Tape | None, noise: Any) -> bool:
        """Whether recording changed nothing but what can be put back, and replaying will."""
        known = {tensor.untyped_storage().data_ptr() for tensor in self._touched()}
        strangers = tape is None or {tensor.untyped_storage().data_ptr() for tensor in tape.changed} - known
        changed = _noise()[1:] != noise[1:] or list(facts_of(self.flat.net)) != self._facts
        return not strangers and not changed

    def _put_back(self, noise: Any, before: Sequence[Tensor]) -> None:
        for tensor, old in zip(self._touched(), before, strict=True):
            tensor.copy_(old)
        (processor, *devices), own, numpys = noise
        torch.set_rng_state(processor)
        torch.cuda.set_rng_state_all(devices)
        random.setstate(own)
        np.random.set_state(numpys)


def _noise() -> tuple[list[Tensor], Any, Any]:
    """Where every source of random numbers stands: torch's, Python's and numpy's."""
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    name, keys, *rest = np.random.get_state()
    return [torch.get_rng_state(), *devices], random.getstate(), (name, np.asarray(keys).tolist(), *rest)


def facts_of(net: nn.Module) -> Iterator[Any]:
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
    everywhere = _has_any_global_hook()  # type: ignore[no-untyped-call]
    return everywhere or listened or any(one._backward_hooks for one in tensors)
