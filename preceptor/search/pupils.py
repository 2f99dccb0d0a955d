"""Nets under different settings, trained side by side on folds of the open rows.

    heat = Pupils(desk, folds, terms, settings, until=120.0)
    heat.run([0, 1, 2], until=7)                 # to epoch 7; the mean validation score of each setting

A setting's score is the mean over the folds of the best epoch so far, as the lesson keeps the best epoch.
Nets of one shape, whatever their fold, learning rate or dropout, are one program.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from preceptor.contest import Fold
from preceptor.desk import Desk
from preceptor.net import Net, ensemble_loss, judging_metric, new_net
from preceptor.plan import Plan
from preceptor.search.race import Heat
from preceptor.search.space import Setting
from preceptor.search.tuning import applied
from preceptor.tempo import augmenter, judged
from preceptor.training.loop import train
from preceptor.training.state import Training


class Terms(NamedTuple):
    """What all trials of a search have in common: the way to compute, folds, epochs; and how many trials."""

    threads: int
    precision: str
    folds: int
    epochs: int
    trials: int


class Pupil:
    """One net for one fold under one setting."""

    def __init__(self, plan: Plan, fold: Fold, terms: Terms) -> None:
        seed, target = plan.seed * 1000 + fold.number, fold.problem.target
        way = {"threads": terms.threads, "precision": terms.precision}
        self.fold, self.augment, self.rows = fold, augmenter(plan, fold), judged(fold)
        self.metric, self.loss = judging_metric(target), ensemble_loss(target, plan.training.label_smoothing)
        self.net: Net = new_net(plan.net, fold.problem, fold.inputs, fold.goal, fold.truth, seed)
        self.training = Training(
            self.net.module,
            plan.training.model_copy(update=way),
            epochs=terms.epochs,
            seed=seed,
            higher_is_better=self.metric.higher_is_better,
        )
        self.curve: list[float] = []

    @property
    def shape(self) -> tuple[Any, ...]:
        """What those have in common who can be trained as one program."""
        sizes = [(name, *one.shape) for name, one in self.net.module.state_dict().items()]
        return (self.training.plan.optimiser, self.training.batch_size, *map(str, sizes))

    @property
    def score(self) -> float:
        """The score of the best epoch so far; NaN when there is none."""
        best = self.training.best
        return best.score if best.snapshot else math.nan

    def examine(self) -> None:
        """Hear the validation score of the epoch just done."""
        if self.training.finite:
            with self.training.evaluating():
                outputs = self.net.outputs(self.fold.held_out.take(self.rows))
            truth = self.fold.truth_held_out[self.rows.numpy()]
            self.curve.append(self.metric.function(truth, self.net.scores(outputs), None))
            self.training.judge(self.curve[-1])


class Pupils(Heat):
    """Settings as nets, one a fold; `over` is the second of the ledger's clock at which searching ends."""

    def __init__(
        self, desk: Desk, folds: Sequence[Fold], terms: Terms, settings: list[Setting], over: float
    ) -> None:
        self.desk, self.over = desk, over
        plans = [applied(desk.plan, setting) for setting in settings]
        self.pupils = [[Pupil(plan, fold, terms) for fold in folds[: terms.folds]] for plan in plans]

    @property
    def late(self) -> bool:
        """Whether the search's share of the time is used up."""
        return self.desk.ledger.seconds > self.over

    def run(self, going: Sequence[int], until: int) -> list[float]:
        """See `Heat`."""
        pupils = sorted((one for place in going for one in self.pupils[place]), key=lambda one: one.shape)
        for _, alike in groupby(pupils, key=lambda one: one.shape):
            self._teach(list(alike), until)
        return [float(np.mean([one.score for one in self.pupils[place]])) for place in going]

    def _teach(self, pupils: list[Pupil], until: int) -> None:
        """Train nets of one shape to epoch `until`, examined after each."""
        for pupil in self._side_by_side(pupils, until):
            pupil.examine()
            self.desk.watcher.progress(self.desk.ledger.seconds / self.over, "search", self.desk.seconds_left)

    def _side_by_side(self, pupils: list[Pupil], until: int) -> Iterator[Pupil]:
        for pupil in pupils:
            if pupil.training.epoch >= until:
                continue
            inputs = pupil.fold.inputs.tensors
            for _ in train(
                pupil.training, inputs, pupil.fold.goal, pupil.loss, augment=pupil.augment, watch=False
            ):
                yield pupil
                if pupil.training.epoch >= until or self.late:
                    break

    def notes(self, place: int) -> dict[str, Any]:
        """The score after each epoch, the mean over the folds; and each fold's last score."""
        pupils = self.pupils[place]
        self.pupils[place] = []  # what has left the race needs no memory
        curves = zip(*(one.curve for one in pupils), strict=False)
        return {
            "curve": [float(np.mean(scores)) for scores in curves],
            "folds": [one.score for one in pupils],
        }
