"""Watching a training loop that is the user's own: `preceptor.diagnose` tells how it is used.

The watch reads; it never writes. A step costs it a few entries in lists. Now and then it takes the norm of
the gradients, and keeps the weights before and after a step, densely at first and then further and further
apart; what such a moment shows is worked out, in a mirror of the net, only when somebody asks. Nothing is
taken or kept while that has cost more than its share of the thread's own time.
"""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from preceptor.diagnose.before import BEFORE
from preceptor.diagnose.case import Case, Loss, Stepper, representative, rows_of
from preceptor.diagnose.during import DURING, WHATEVER_THE_LOSS
from preceptor.diagnose.during.gradients_accumulate import gradients_accumulate
from preceptor.diagnose.during.not_finite import not_finite
from preceptor.diagnose.look import both_modes, first_look, look
from preceptor.diagnose.progress import bounded
from preceptor.diagnose.rank import ranked
from preceptor.diagnose.record import Batch, Heard, Mark, Moment
from preceptor.finding import Finding

OPEN = dict.fromkeys(("underfitting", "overfitting", "no-better-than-chance", "too-few-epochs", "plateau"))
"""What may yet come right; every other alarm stands once it has been given, at the step where it was seen."""
Tell = Callable[[str], object]
SHARE = 0.008
"""The share of the loop's time (the thread's own, to its planned end) that norms and moments may cost."""
LISTENED, NORMED, KEPT, RECKONED = 8, 8, 256, 3
"""So many first steps one parameter's gradients are heard and the rows kept. So many steps have their norm
taken, then one after each sixteenth of the run. So many mini-batches are written down at most; at so many
epochs' ends the validation loss is reckoned anew where the net is left in training mode.
"""
DENSE, WIDER = 4, 1.5
"""So many first steps are due for a moment; then each gap is half as long again as the one before."""
MEMORY, TYPICAL = 2**28, 4096
"""Bytes that moments may hold; numbers in a parameter that is worth hearing and cheap to copy."""


class Doctor:
    """Watches one net in one loop; call it after each step. Made by `watch`."""

    def __init__(self, case: Case, tell: Tell | None = None):
        self.case, self.tell = case, tell
        self._listener, self._parameters = Listener(case), list(case.net.parameters())
        self._next = self._norm_due = self._due = 1
        self._gap, self._before = 1.0, case.start
        self._size = 2 * sum(each.nbytes for each in case.live)
        self._began, self._spent = time.thread_time(), 0.0
        self._static: list[Finding] | None = None
        self._kept: dict[str, Finding] = {}
        self._read, self._settled = 0, set[str]()

    def before(self) -> list[Finding]:
        """Everything that can be named before the first step; the likeliest cause first."""
        if self._static is None:
            began, found = time.thread_time(), list[Finding]()
            for symptom in BEFORE:
                found += [finding] if (finding := symptom(self.case)) else []
                if found and found[-1].severity == "error":
                    break
            else:
                self.case.record.looks.insert(0, first_look(self.case))
            self._static = found
            self._began += time.thread_time() - began
        return ranked(self._static)

    def __call__(self, loss: Tensor | float, *, batch: tuple[Any, Tensor] | None = None) -> None:
        """Note one step: after backward and the optimiser's step, gradients still in place.

        `batch` is the mini-batch (x, y) of the step; without it nothing is said about the loader.
        """
        record = self.case.record
        value = loss.detach() if isinstance(loss, Tensor) else loss
        record.add(value, self.case.rate(), self.case.net.training)
        if batch is not None and len(record.batches) < KEPT:
            rows = rows_of(batch).inputs if record.step <= LISTENED else None
            record.batches.append(Batch(record.step, batch[1], rows))
        if self._listener.hook is not None:
            self._listener(record.step)
        if record.step >= self._next:
            self._attend(record.step)

    def _attend(self, step: int) -> None:
        """Take the norm, or keep the weights, whichever is due; put both off while they are dear."""
        began = time.thread_time()
        own = began - self._began - self._spent
        if self._spent > SHARE * own * max(1.0, (self.case.steps or 0) / step):
            self._next = step + NORMED
            self._before = []
            return
        if step >= self._norm_due:
            self._norm()
            self._norm_due = step + (1 if step < NORMED else max(4, step // (2 * NORMED)))
        if step >= self._due:
            self._keep(step)
        self._next = min(self._norm_due, self._due)
        self._spent += time.thread_time() - began

    @torch.no_grad()
    def _norm(self) -> None:
        gradients = [p.grad for p in self._parameters if p.grad is not None]
        if gradients and not any(gradient.is_sparse for gradient in gradients):
            self.case.record.add_norm(torch._foreach_norm(gradients))

    def _keep(self, step: int) -> None:
        """Keep the weights, or, where those of the step before are not known, remember these."""
        if 2 * self._size > MEMORY:
            self._due = 2**62
            return
        after, moments = self.case.kept(), self.case.record.moments
        if not self._before:
            self._before, self._due = after, step + 1
            return
        moments.append(Moment(step, after, self._before))
        if len(moments) * self._size > MEMORY:
            del moments[-2::-2]
        self._gap = 1.0 if step < DENSE else self._gap * WIDER
        self._before = after if self._gap == 1.0 else []
        self._due = step + int(self._gap)

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
        early = held is not None and len(self.case.record.marks) < RECKONED
        unsure = early and self.case.net.training and 2 * self._size <= MEMORY
        weights = self.case.kept() if unsure else None
        self.case.record.marks.append(Mark(self.case.record.step, train, held, score, weights))
        self._say()

    def _say(self) -> None:
        """At an epoch's end, in a line: what is certain and needs no trial. Each question is settled once."""
        record = self.case.record
        if self.tell is None or not record.step:
            return
        record.flush()
        losses, self._read = record.losses[self._read :], record.step
        if "finite" not in self._settled and not np.isfinite(losses).all():
            self._develop()
            self._settle("finite", not_finite(self.case))
        if "cleared" not in self._settled and self._listener.hook is None:
            self._settle("cleared", gradients_accumulate(self.case))

    def _settle(self, question: str, finding: Finding | None) -> None:
        self._settled.add(question)
        if finding and self.tell:
            self.tell(f"preceptor: {finding.line}")

    @property
    def share(self) -> float:
        """The share of the loop's time that norms and moments have cost so far."""
        return self._spent / max(time.thread_time() - self._began, 1e-9)

    def findings(self) -> list[Finding]:
        """What is wrong, the likeliest cause first; each cheap trial it needs is made on a copy."""
        static, began = self.before(), time.thread_time()
        self._develop()
        asked = () if not self.case.record.step else DURING if bounded(self.case) else WHATEVER_THE_LOSS
        seen = [finding for symptom in asked if (finding := symptom(self.case))]
        self._kept |= {f.code: f for f in seen if f.severity != "note" and f.code not in self._kept | OPEN}
        self._began += time.thread_time() - began
        return ranked([*static, *self._kept.values(), *seen])

    def _develop(self) -> None:
        """Work out what was kept."""
        record = self.case.record
        record.flush()
        record.looks += [look(self.case, moment) for moment in record.moments]
        record.moments.clear()
        if record.last is None or record.last.step < record.step:
            record.looks.append(look(self.case))
        for mark in record.marks:
            if mark.weights is not None:
                mark.seen, mark.weights = both_modes(self.case, mark.weights), None


class Listener:
    """Hears one parameter's own gradient of the first steps, before it is added to what lies in place.

    It keeps copies; `gradients_accumulate` compares them when somebody asks.
    """

    def __init__(self, case: Case):
        self.record = case.record
        able = [p for p in case.net.parameters() if p.requires_grad and p.is_leaf and p.numel()]
        self.parameter = min(able, key=lambda p: abs(math.log(p.numel() / TYPICAL)), default=None)
        self.own: Tensor | None = None
        self.hook: Any = None
        if self.parameter is not None:
            nothing, start = torch.zeros_like(self.parameter), self.parameter.detach().clone()
            self.record.heard.append(Heard(nothing, nothing, start))
            self.hook = self.parameter.register_hook(self._hear)

    def _hear(self, gradient: Tensor) -> None:
        own = gradient.detach()
        self.own = own.clone() if self.own is None else self.own + own

    def __call__(self, step: int) -> None:
        """After a step: keep what was heard; after the last one that matters, stop listening."""
        if self.parameter is not None and self.parameter.grad is not None and self.own is not None:
            placed, after = self.parameter.grad.detach().clone(), self.parameter.detach().clone()
            self.record.heard.append(Heard(self.own, placed, after))
        self.own = None
        if step >= LISTENED:
            self.hook.remove()
            self.hook = None
            if self.parameter is not None and not self.parameter._backward_hooks:
                self.parameter._backward_hooks = None  # else each backward pass goes on asking an empty list


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
    tell: Tell | None = print,
) -> Doctor:
    """Begin to watch `net`, still untrained, in a loop of your own.

    `loss(output, goal)` is a scalar. `probe`, `train` and `validation` are (x, y) or ((x₁, x₂), y): a few
    rows that every look uses, all training rows, and rows held out; what is not given is not judged.
    `steps` is how many optimiser steps are planned; `frozen` names parameters (or the beginnings of their
    names) that are kept still on purpose. What is certain without a trial, numbers that are none or gradients
    that pile up, `tell` is told in one line at the end of the epoch (`validated`). Random state, weights and
    buffers stay as they are, to the bit.
    """
    learnt, held_out = (None if given is None else rows_of(given) for given in (train, validation))
    few = representative(rows_of(probe).few(), learnt)
    case = Case(net, loss, few, optimiser, learnt, held_out, steps, tuple(frozen))
    return Doctor(case, tell)
