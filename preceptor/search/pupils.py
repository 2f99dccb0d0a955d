"""Nets under different settings, trained side by side on the folds of a cross-validation.

    def pupils(setting):                         # one net a fold, and how it is marked on the rows held out
        return [Pupil(Training(...), Material(inputs, goal, loss, rows), mark) for rows, mark in folds]

    race(book, lambda settings: Pupils(map(pupils, settings)), trials=60, heat=20, rungs=[2, 7, 20])

A setting's score is the mean over its pupils of the best epoch so far, as a lesson keeps the best epoch. All
pupils of a heat, whatever their fold, learning rate or dropout, are trained together.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from preceptor.search.race import Heat
from preceptor.training.stack import Material
from preceptor.training.state import Training
from preceptor.training.together import train_together


class Pupil:
    """A net in training, what it learns from, and `mark()`: its score on rows held out, as it is now."""

    def __init__(self, training: Training, material: Material, mark: Callable[[], float]) -> None:
        self.training, self.material, self.mark = training, material, mark
        self.curve: list[float] = []

    @property
    def score(self) -> float:
        """The score of the best epoch so far; NaN when there is none."""
        best = self.training.best
        return best.score if best.snapshot else math.nan

    def examine(self) -> None:
        """Mark the epoch just done."""
        if self.training.finite:
            with self.training.evaluating():
                self.curve.append(self.mark())
            self.training.judge(self.curve[-1])


class Pupils(Heat):
    """The pupils of each setting. `over()` says whether the time is; `seen()` hears of every epoch."""

    def __init__(
        self,
        pupils: Iterable[list[Pupil]],
        *,
        over: Callable[[], bool] = lambda: False,
        seen: Callable[[], None] = lambda: None,
    ) -> None:
        self.pupils, self.over, self.seen = list(pupils), over, seen

    @property
    def late(self) -> bool:
        """Whether the time for searching is used up."""
        return self.over()

    def run(self, going: Sequence[int], until: int) -> list[float]:
        """See `Heat`."""
        pupils = [one for place in going for one in self.pupils[place] if not _there(one, until)]
        if pupils:
            self._teach(pupils, until)
        return [float(np.mean([one.score for one in self.pupils[place]])) for place in going]

    def _teach(self, pupils: list[Pupil], until: int) -> None:
        trainings, materials = [one.training for one in pupils], [one.material for one in pupils]
        for epochs in train_together(trainings, materials):
            for pupil, epoch in zip(pupils, epochs, strict=True):
                if epoch:
                    pupil.examine()
            self.seen()
            if self.late or all(_there(one, until) for one in pupils):
                break

    def notes(self, place: int) -> dict[str, Any]:
        """The score after each epoch, the mean over the folds; and each fold's last score."""
        pupils = self.pupils[place]
        self.pupils[place] = []  # what has left the race needs no memory
        curve = [float(np.mean(scores)) for scores in zip(*(one.curve for one in pupils), strict=False)]
        return {"curve": curve, "folds": [one.score for one in pupils]}


def _there(pupil: Pupil, until: int) -> bool:
    """Whether there is nothing left to learn before epoch `until`."""
    return pupil.training.over or pupil.training.epoch >= until
