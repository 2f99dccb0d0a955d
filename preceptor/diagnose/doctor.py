"""Watching a training loop that is the user's own: `preceptor.diagnose` tells how it is used.

The watch reads; it never writes. At every step it keeps the detached loss, and at the first ones and then
each eighth one norm of the gradients. Now and then it takes a look: the net's weights are copied into a
mirror, and everything that must be computed is computed there. Looks are dense at first and then further and
further apart, and one is put off while looking has cost more than its share of the clock.
"""

import time
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from preceptor.diagnose.before import BEFORE
from preceptor.diagnose.case import Case, Loss, Stepper, rows_of
from preceptor.diagnose.during import DURING
from preceptor.diagnose.look import Glance, both_modes, first_look, look
from preceptor.diagnose.rank import ranked
from preceptor.diagnose.record import Batch, Mark
from preceptor.finding import Finding

OPEN = dict.fromkeys(("underfitting", "overfitting", "no-better-than-chance", "too-few-epochs", "plateau"))
"""What may yet come right; every other alarm stands once it has been given, at the step where it was seen."""
SHARE = 0.01
"""The share of the loop's time (the processor's) that looking may cost; each step adds a few microseconds."""
EIGHTH = 8
"""After the first steps the gradients' norm is taken at each eighth."""
DENSE, WIDER = 4, 1.5
"""So many first steps are due for a look; then each gap is half as long again as the one before."""
LISTENED, KEPT, RECKONED = 12, 256, 3
"""So many first steps the gradients are listened to; so many mini-batches are written down at most;
so many epochs' ends the validation loss is reckoned anew where the net is left in training mode."""


class Doctor:
    """Watches one net in one loop; call it after each step. Made by `watch`."""

    def __init__(self, case: Case):
        self.case = case
        self._before: Glance | None = None
        self._due, self._gap = 1, 1.0
        self._spent, self._dear, self._began = 0.0, 0.0, time.process_time()
        self._static: list[Finding] | None = None
        self._kept: dict[str, Finding] = {}
        self._listener = Listener(case)

    def before(self) -> list[Finding]:
        """Everything that can be named before the first step; the likeliest cause first."""
        if self._static is None:
            found = []
            for symptom in BEFORE:
                found += [finding] if (finding := symptom(self.case)) else []
                if found and found[-1].severity == "error":
                    break
            self._static = found
            if not found or found[-1].severity != "error":
                self._first()
            self._began, self._spent = time.process_time(), 0.0
        return ranked(self._static)

    def _first(self) -> None:
        """Look at the untrained net, twice: what is done for the first time costs more than a look does."""
        self.case.record.looks.append(first_look(self.case))
        began = time.process_time()
        look(self.case, first=True)
        self._dear = time.process_time() - began

    def __call__(self, loss: Tensor | float, *, batch: tuple[Any, Tensor] | None = None) -> None:
        """Note one step: after backward and the optimiser's step, gradients still in place.

        `batch` is the mini-batch (x, y) of the step; without it nothing is said about the loader.
        """
        record, began = self.case.record, time.process_time()
        normed = record.step < LISTENED or record.step % EIGHTH == 0
        value = loss.detach() if isinstance(loss, Tensor) else torch.tensor(float(loss))
        record.add(value, self._norm() if normed else None)
        record.rates.append(max(self.case.rates(), default=0.0))
        record.training.append(self.case.net.training)
        if batch is not None and len(record.batches) < KEPT:
            record.batches.append(_told(record.step, batch))
        self._listener(record.step)
        if record.step >= self._due:
            self._attend(began)

    def _norm(self) -> Tensor | None:
        """The norm of all gradients in place."""
        gradients = [p.grad.detach() for p in self.case.net.parameters() if p.grad is not None]
        return torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients))) if gradients else None

    def _attend(self, began: float) -> None:
        """Take the look that is due, or, a step before it, remember the weights; put it off while it is
        dear.
        """
        record = self.case.record
        if self._spent + self._dear > SHARE * self._clock(began):
            self._before, self._due = None, record.step + max(EIGHTH, int(self._gap))
        elif self._before is None:
            self._before = [p.detach().clone() for p in self.case.net.parameters()]
            self._due = record.step + 1
        else:
            record.looks.append(look(self.case, self._before))
            self._before = None
            self._gap = 1.0 if record.step < DENSE else self._gap * WIDER
            self._due = record.step + int(self._gap)
            self._dear = time.process_time() - began
        self._spent += time.process_time() - began

    def _clock(self, now: float) -> float:
        """The seconds of the loop that looks may take a share of: half of the plan is lent to the first
        ones.
        """
        own = now - self._began - self._spent
        return max(own, 0.5 * (self.case.steps or 0) * own / max(self.case.record.step, 1))

    def validated(
        self,
        train_loss: float | None = None,
        validation_loss: float | None = None,
        metric: float | None = None,
    ) -> None:
        """Note what was measured at the end of an epoch."""
        train, held, score = (
            None if value is None else float(value) for value in (train_loss, validation_loss, metric)
        )
        told = validation_loss is not None and len(self.case.record.marks) < RECKONED
        seen = both_modes(self.case) if told and self.case.net.training else None
        self.case.record.marks.append(Mark(self.case.record.step, train, held, score, seen))

    @property
    def share(self) -> float:
        """The share of the loop's time that looking has cost so far."""
        return self._spent / max(time.process_time() - self._began, 1e-9)

    def findings(self) -> list[Finding]:
        """What is wrong, the likeliest cause first; each cheap trial it needs is made on a copy."""
        began, record = time.process_time(), self.case.record
        static = self.before()
        record.flush()
        if record.step and (record.last is None or record.last.step < record.step):
            record.looks.append(look(self.case))
        seen = [finding for symptom in DURING if (finding := symptom(self.case))] if record.step else []
        self._kept |= {f.code: f for f in seen if f.severity != "note" and f.code not in self._kept | OPEN}
        self._began += time.process_time() - began
        return ranked([*static, *self._kept.values(), *seen])


class Listener:
    """Hears one parameter's own gradient of the first steps, before it is added to what lies in place.

    What lies in place besides is left over from earlier steps: someone forgot zero_grad. `leftovers` of
    the record are ‖g_in_place - g_own‖ / ‖g_own‖ where that rest is the gradient of a step ago.
    """

    def __init__(self, case: Case):
        self.record = case.record
        able = [p for p in case.net.parameters() if p.requires_grad and p.is_leaf]
        self.parameter = max(able, key=lambda p: min(p.numel(), 4096), default=None)
        self.own: Tensor | None = None
        self.last: Tensor | None = None
        self.hook: Any = None
        if self.parameter is not None:
            self.hook = self.parameter.register_hook(self._hear)  # type: ignore[no-untyped-call]

    def _hear(self, gradient: Tensor) -> None:
        own = gradient.detach()
        self.own = own.clone() if self.own is None else self.own + own

    def __call__(self, step: int) -> None:
        """After a step: compare; after the last one that matters, stop listening."""
        if self.hook is None or self.parameter is None:
            return
        placed = self.parameter.grad
        if placed is not None and self.own is not None:
            placed = placed.detach()
            if self.last is not None:
                rest = placed - self.own
                close = torch.linalg.vector_norm(rest - self.last) <= 1e-3 * torch.linalg.vector_norm(
                    self.last
                )
                size = torch.linalg.vector_norm(rest) / torch.linalg.vector_norm(self.own).clamp(min=1e-30)
                self.record.leftovers.append(size * close)
            self.last = placed.clone()
        self.own = None
        if step >= LISTENED:
            self.hook.remove()
            self.hook = None


def _told(step: int, batch: tuple[Any, Tensor]) -> Batch:
    """What is kept of a mini-batch."""
    rows = rows_of(batch)
    return Batch(step, rows.goal.detach(), rows.inputs if step <= LISTENED else None)


def watch(
    net: nn.Module,
    *,
    loss: Loss,
    probe: tuple[Any, Tensor],
    optimiser: Stepper | None = None,
    train: tuple[Any, Tensor] | None = None,
    validation: tuple[Any, Tensor] | None = None,
    steps: int | None = None,
    frozen: Sequence[str] = (),
) -> Doctor:
    """Begin to watch `net`, still untrained, in a loop of your own.

    `loss(output, goal)` is a scalar. `probe`, `train` and `validation` are (x, y) or ((x₁, x₂), y): a few
    rows that every look uses, all training rows, and rows held out; what is not given is not judged.
    `steps` is how many optimiser steps are planned; `frozen` names parameters (or the beginnings of their
    names) that are kept still on purpose. Random state, weights and buffers stay as they are, to the bit.
    """
    learnt, held_out = (None if given is None else rows_of(given) for given in (train, validation))
    return Doctor(Case(net, loss, rows_of(probe).few(), optimiser, learnt, held_out, steps, tuple(frozen)))
