"""What a training carries from one epoch to the next, and everything that is done between epochs.

    training = Training(net, plan.training, epochs=40, seed=0)
    training.resume(folder)                              # does nothing when there is no checkpoint
    for epoch in train(training, inputs, goal, loss):
        with training.evaluating():
            score = rmse(net(*validation))
        training.judge(score)                            # best weights, patience, plateau
        training.save(folder)
    training.adopt_best()

Who looks at the training, or saves it, never changes what it computes.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from preceptor.finding import Finding
from preceptor.plan import TrainingPlan
from preceptor.training.checkpoint import load, save
from preceptor.training.optimisers import OPTIMISERS, Optimiser
from preceptor.training.parameters import FlatParameters
from preceptor.training.ranks import ALONE, Ranks
from preceptor.training.schedules import Plateau, factor
from preceptor.training.shards import Shards
from preceptor.training.stopping import Best


def optimiser_for(plan: TrainingPlan, flat: FlatParameters) -> Optimiser:
    """The plan's rule over these parameters, with the plan's momentum and weight decay."""
    rule = OPTIMISERS[plan.optimiser]
    return rule(flat, weight_decay=plan.weight_decay, betas=(plan.momentum, rule.betas[1]))


class Training:
    """A net in training: flat weights, optimiser, moving average, best weights, epochs done.

    `epochs` is how many there will be at most, `seed` fixes order and dropout of them all.
    `higher_is_better` is how scores given to `judge` are meant. Where one pass over all rows takes
    too long to wait for, it can be cut into so many `shares`, each of which then is an epoch. `ranks`
    are the processes that train it together.
    `finite` turns False, and the training is over, when a loss or gradient stops being a number; `replayed`
    says whether the last epoch ended on a tape.
    """

    def __init__(
        self,
        net: nn.Module,
        plan: TrainingPlan,
        *,
        epochs: int,
        seed: int,
        higher_is_better: bool = False,
        shares: int = 1,
        ranks: Ranks = ALONE,
    ):
        self.net, self.plan, self.epochs, self.seed, self.shares = net, plan, epochs, seed, shares
        self.ranks = ranks
        self.flat = FlatParameters(net, channels_last=plan.layout == "channels_last")
        self.shards = Shards(ranks, self.flat, plan.optimiser)
        self.optimiser = optimiser_for(plan, self.shards.flat)
        self.average = self.flat.weights.clone() if plan.ema else None
        self.plateau = Plateau()
        self.best = Best(plan.patience, higher_is_better=higher_is_better)
        self.threads = plan.threads or torch.get_num_threads()
        self.batch_size = plan.batch_size or 256
        self.epoch = 0
        self.finite = True
        self.replayed = False
        self._good: Mapping[str, Tensor] = {}
        self._resumed: Mapping[str, Tensor] = {}
        self._penalised = self._decaying()

    def _decaying(self) -> list[tuple[Tensor, Tensor]]:
        """The weights that L1 and L2 pull at, and their gradients."""
        return [
            (self.flat.weights[part], self.flat.gradients[part])
            for group, part in self.flat.groups
            if group.decay and (self.plan.l1 or self.plan.l2)
        ]

    def settle(self, tensors: Mapping[str, Tensor]) -> None:
        """Move, with all values, into tensors named as `carried` names them, and "gradients".

        They may be rows of larger ones that several trainings share; nothing else changes for this one.
        """
        for name, tensor in self.carried().items():
            tensors[name].copy_(tensor)
        self.flat.settle(tensors)
        self.optimiser.settle(
            self.flat, {slot: tensors[f"optimiser.{slot}"] for slot in self.optimiser.state}
        )
        self.average = None if self.average is None else tensors["average"]
        self._penalised = self._decaying()

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do: all epochs done, patience at its end, or diverged."""
        return self.epoch >= self.epochs or self.best.exhausted or not self.finite

    def rate(self, progress: float) -> float:
        """The learning rate at `progress` in [0, 1) of all epochs."""
        rate = self.plan.learning_rate * factor(self.plan.schedule, progress, self.plan.warmup)
        return self.plateau.rate(rate) if self.plan.schedule == "plateau" else rate

    def open_epoch(self, steps: int) -> list[float]:
        """Make ready for an epoch of so many steps; returns the learning rate of each."""
        self.ranks.tell("epoch", plateau=asdict(self.plateau))
        self.net.train()
        self.flat.attach()
        self._good = {name: tensor.clone() for name, tensor in self.carried().items()}
        return [self.rate((self.epoch + (step + 0.5) / steps) / self.epochs) for step in range(steps)]

    def close_epoch(self, finite: bool) -> None:
        """Count the epoch; if its numbers were not finite, go back to before it, and be over."""
        self.finite = finite
        if finite:
            self.epoch += 1
        else:
            self._restore(self._good)

    def step(self, rate: float) -> Tensor:
        """Move the weights along the gradients now in place; their norm before clipping, a scalar."""
        gradients = self.ranks.combine(self.flat.gradients)
        for w, g in self._penalised:
            g.add_(w, alpha=self.plan.l2).add_(w.sign(), alpha=self.plan.l1)
        norm = torch.linalg.vector_norm(gradients)
        if self.plan.clip:
            gradients.div_((norm / self.plan.clip).clamp_(min=1.0))
        self.optimiser.step(rate)
        self.shards.gather(self.flat.weights)
        if self.average is not None:
            # Young, it forgets faster: it started from weights that had learned nothing.
            steps = self.optimiser.steps
            self.average.lerp_(self.flat.weights, 1 - min(self.plan.ema, steps / (steps + 9)))
        return norm

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """The net as it would be shipped now: averaged weights, evaluation mode, no gradients."""
        learning = self.flat.weights.clone()
        self.net.eval()
        if self.average is not None:
            self.flat.weights.copy_(self.average)
        try:
            with torch.no_grad():
                yield
        finally:
            self.flat.weights.copy_(learning)

    def judge(self, score: float) -> bool:
        """Hear the validation score of the epoch just done; True when it is the best so far."""
        self.plateau.see(-self.best.sign * score)
        with self.evaluating():
            return self.best.see(score, self.epoch, self.flat.snapshot())

    def adopt_best(self) -> None:
        """End of training: the net gets the best weights judged, or else the averaged or last ones."""
        if self.best.snapshot:
            self.flat.restore(self.best.snapshot)
        elif self.average is not None:
            self.flat.weights.copy_(self.average)
        self.net.eval()

    def save(self, folder: Path) -> None:
        """Write a checkpoint into `folder`, after an epoch; see `preceptor.training.checkpoint`."""
        best = {f"best.{name}": tensor for name, tensor in self.best.snapshot.items()}
        facts = {
            "epoch": self.epoch,
            "steps": self.optimiser.steps,
            "threads": self.threads,
            "finite": self.finite,
            "best": {name: getattr(self.best, name) for name in ("score", "epoch", "waited")},
            "plateau": asdict(self.plateau),
        }
        save(folder, self._identity(), facts, {**self.shards.whole(self.carried()), **best})

    def resume(self, folder: Path) -> Finding | None:
        """Go on from the newest sound checkpoint in `folder`, if there is one.

        Returns a Finding when a damaged one had to be passed over; raises Mistake when all are
        damaged, or belong to another training.
        """
        found = load(folder, self._identity())
        if found is None:
            return None
        self._restore(self.shards.part(found.tensors))
        self._resumed = found.tensors
        best = {name: tensor for name, tensor in found.tensors.items() if name.startswith("best.")}
        self.best.snapshot = {name.removeprefix("best."): tensor for name, tensor in best.items()}
        vars(self.best).update(found.facts["best"])
        self.plateau = Plateau(**found.facts["plateau"])
        self.epoch, self.optimiser.steps = found.facts["epoch"], found.facts["steps"]
        self.threads, self.finite = found.facts["threads"], found.facts["finite"]
        return found.finding

    def spread(self) -> None:
        """Bring every rank to where the leader is, which may have resumed."""
        self.shards.hand_out(self.carried(), self._resumed)
        self.epoch, self.optimiser.steps = self.ranks.agree(self.epoch, self.optimiser.steps)
        self._resumed = {}

    def carried(self) -> dict[str, Tensor]:
        """Every tensor that the next step depends on, by name."""
        slots = {f"optimiser.{slot}": tensor for slot, tensor in self.optimiser.state.items()}
        average = {} if self.average is None else {"average": self.average}
        return {**self.flat.live(), **slots, **average}

    def _restore(self, tensors: Mapping[str, Tensor]) -> None:
        for name, tensor in self.carried().items():
            tensor.copy_(tensors[name])

    def _identity(self) -> dict[str, Any]:
        """What a checkpoint must share with this training to belong to it."""
        return {
            "plan": self.plan.model_dump(mode="json"),
            "net": {name: tuple(tensor.shape) for name, tensor in self.net.named_parameters()},
            "epochs": self.epochs,
            "seed": self.seed,
            "shares": self.shares,
        }
