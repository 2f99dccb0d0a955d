"""A net on trial: a copy in training mode that learns for a while and is thrown away."""

import copy
import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from preceptor.plan import TrainingPlan
from preceptor.training.loop import Loss
from preceptor.training.optimisers import OPTIMISERS
from preceptor.training.parameters import FlatParameters


class Trial:
    """A copy of `net` under `plan`'s optimiser, whose mini-batches are drawn by `seed`.

    The net itself stays as it was; noise is drawn from the usual generator, so fork it around a trial.
    """

    def __init__(
        self,
        net: nn.Module,
        inputs: Sequence[Tensor],
        goal: Tensor,
        loss: Loss,
        plan: TrainingPlan,
        seed: int = 0,
    ) -> None:
        self.net = copy.deepcopy(net).train()
        self.inputs, self.goal, self.loss = inputs, goal, loss
        self.size = min(plan.batch_size or 256, len(goal))
        self.flat = FlatParameters(self.net)
        self.optimiser = OPTIMISERS[plan.optimiser](self.flat, weight_decay=plan.weight_decay)
        self._draw = Generator().manual_seed(seed)

    def batch(self) -> Tensor:
        """Row numbers (B,) of the next mini-batch, drawn anew each time."""
        return torch.randperm(len(self.goal), generator=self._draw)[: self.size].to(self.goal.device)

    def gradient(self, rows: Tensor) -> float:
        """Put the gradient on these rows into `flat.gradients`; their loss."""
        self.flat.gradients.zero_()
        value = self.loss(self.net(*(part[rows] for part in self.inputs)), self.goal[rows])
        torch.autograd.backward(value)
        return float(value.detach())

    def step(self, rate: float) -> float:
        """One step of the optimiser at this rate; the loss before it. Where that is no number, no step."""
        value = self.gradient(self.batch())
        if math.isfinite(value):
            self.optimiser.step(rate)
        return value
