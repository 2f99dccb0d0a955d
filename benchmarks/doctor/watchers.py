"""The doctor at somebody's loop, by its public door alone, and what it said when."""

import math
import time
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.doctor.setup import Parts, Setup
from preceptor.diagnose import watch
from preceptor.finding import Finding

ASKED = (0.05, 0.1, 0.25, 0.5)
"""The doctor is asked before the first step, after these shares of the planned steps, and at the end."""
PROBE = 128


class Attended:
    """Hands the doctor what a careful user would, and asks now and then; `asked=()`: only watching."""

    def __init__(self, asked: tuple[float, ...] = ASKED):
        self.asked = asked
        self.told: list[tuple[float, list[dict[str, Any]]]] = []
        self.seconds = 0.0

    def begin(self, setup: Setup, parts: Parts, net: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        """Before the first step."""
        x, y = parts.train
        self.steps, self.step_count = setup.epochs * math.ceil(len(x) / setup.batch), 0
        rows = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))[:PROBE]
        began = time.process_time()
        self.doctor = watch(
            net,
            loss=setup.loss,
            probe=(x[rows], y[rows]),
            optimiser=optimiser,
            train=parts.train,
            validation=parts.held,
            steps=self.steps,
            frozen=setup.frozen,
            tell=None,
        )
        if self.asked:
            self._note(0.0, self.doctor.before(), began)

    def step(self, loss: Tensor, inputs: Tensor, goal: Tensor) -> None:
        """After each step."""
        self.doctor(loss, batch=(inputs, goal))
        self.step_count += 1
        if any(self.step_count == max(1, round(share * self.steps)) for share in self.asked):
            began = time.process_time()
            self._note(self.step_count / self.steps, self.doctor.findings(), began)

    def epoch(self, train_loss: float, held_loss: float, metric: float) -> None:
        """At the end of an epoch; after the last one the doctor is asked again."""
        self.doctor.validated(train_loss, held_loss, metric)
        if self.asked and self.step_count >= self.steps:
            self._note(1.0, self.doctor.findings(), time.process_time())

    def _note(self, share: float, findings: list[Finding], began: float) -> None:
        self.told.append((share, [finding.as_dict() for finding in findings]))
        self.seconds += time.process_time() - began

    def alarms(self) -> list[tuple[float, list[str]]]:
        """By share of the budget, the codes of warnings and errors, the likeliest first."""
        return [
            (share, [one["code"] for one in findings if one["severity"] != "note"])
            for share, findings in self.told
        ]
