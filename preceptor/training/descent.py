"""One step of several trainings at once: what `Training.step` does, for rows of tables.

    descent = Descent(trainings, tables, left)
    descent.count()
    norms = descent.step(rates)                           # rates (K, 1): each one's learning rate

Shapes: K trainings, P numbers in a row.
"""

import copy
import math
from collections.abc import Callable, Sequence, Set
from itertools import groupby

import torch
from torch import Tensor

from preceptor.plan import TrainingPlan
from preceptor.training.state import Training

WIDE = 20_000
"""From so many weights on, a step costs time for its numbers, not for being called."""


class Descent:
    """Moves the weights of K trainings whose vectors are rows of `tables`, but for those that have `left`.

    Small nets of one optimiser at the same step move as one (`as_one`), by operations on tensors alone. Every
    rule moves weights by -η·d, where d knows neither the weights nor η. Asked to move zeros at η = 1 it says
    -d, and each net gets its own η of that. Neighbours of the same momentum are moved by one call.
    """

    def __init__(self, trainings: Sequence[Training], tables: dict[str, Tensor], left: Set[int]) -> None:
        self.trainings, self.left, self.rule = trainings, left, trainings[0].optimiser
        alike = groupby(range(len(trainings)), lambda place: trainings[place].optimiser.betas)
        places = [list(members) for _, members in alike]
        self.rules = [(slice(p[0], p[-1] + 1), copy.copy(trainings[p[0]].optimiser)) for p in places]
        self.weights, self.gradients = tables["weights"], tables["gradients"]
        self.average = tables.get("average")
        self.slots = [tables[f"optimiser.{slot}"] for slot in self.rule.slots]
        self.way, self.steps = torch.zeros_like(self.weights), self.weights.new_zeros(())
        self.groups = trainings[0].flat.groups
        self._l1, self._l2 = self._column(lambda plan: plan.l1), self._column(lambda plan: plan.l2)
        self._decay = self._column(lambda plan: plan.weight_decay)
        self._limit = self._column(lambda plan: plan.clip or math.inf)
        self._ema = self._column(lambda plan: plan.ema)
        together = len({training.optimiser.steps for training in trainings}) == 1
        self.as_one = self.rule.elementwise and together and trainings[0].flat.weights.numel() < WIDE

    def _column(self, choice: Callable[[TrainingPlan], float]) -> Tensor | None:
        """(K, 1) of what the plans say; None where it changes nothing for any of them."""
        values = [choice(training.plan) for training in self.trainings]
        return (
            self.weights.new_tensor(values)[:, None]
            if any(0 < value < math.inf for value in values)
            else None
        )

    def count(self) -> None:
        """Another step begins."""
        for _, rule in self.rules:
            rule.count()
        self.steps.fill_(rule.steps)

    def each(self, rates: Tensor) -> Tensor:
        """What `step` does, training by training."""
        norms = rates.new_zeros(len(rates))
        for place, rate in enumerate(rates.flatten().tolist()):
            if place not in self.left:
                norms[place] = self.trainings[place].step(rate)
        return norms

    def step(self, rates: Tensor) -> Tensor:
        """Move along the gradients now in place; their norms before clipping, (K,)."""
        self._penalise()
        norms = torch.linalg.vector_norm(self.gradients, dim=1, keepdim=True)
        if self._limit is not None:
            self.gradients.div_((norms / self._limit).clamp_(min=1.0))
        self._move(rates)
        if self.average is not None and self._ema is not None:
            kept = torch.minimum(self._ema, self.steps / (self.steps + 9))
            self.average.lerp_(self.weights, 1 - kept)
        return norms[:, 0]

    def _penalise(self) -> None:
        for group, part in self.groups:
            w, g = self.weights[:, part], self.gradients[:, part]
            if group.decay and self._l2 is not None:
                g.addcmul_(w, self._l2)
            if group.decay and self._l1 is not None:
                g.addcmul_(w.sign(), self._l1)

    def _move(self, rates: Tensor) -> None:
        for group, part in self.groups:
            if group.decay and self._decay is not None:
                w = self.weights[:, part]
                if self.rule.decoupled:
                    w.mul_(1 - rates * self._decay * (group.rate * group.decay))
                else:
                    self.gradients[:, part].addcmul_(w, self._decay * group.decay)
        self.way.zero_()
        for rows, rule in self.rules:
            slots = (slot[rows] for slot in self.slots)
            rule.update(self.way[rows], self.gradients[rows], 1.0, *slots)
        for group, part in self.groups:
            if group.rate != 1:
                self.way[:, part].mul_(group.rate)
        self.weights.addcmul_(self.way, rates)
