"""Trials run in heats: all of a heat begin together, and at each rung the better third goes on.

    class Sprint(Heat):
        def run(self, going, until): ...         # train them to epoch `until`; a score for each
    race(book, Sprint, trials=60, abreast=20, rungs=[2, 7, 20])

`search` is the same for a function that gives one final score.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from preceptor.search.asking import Asker, How
from preceptor.search.book import Book, End, Trial
from preceptor.search.halving import keep
from preceptor.search.space import Setting, Space


class Heat(ABC):
    """Settings that are tried side by side. What it has learnt of them stays with it from rung to rung."""

    @abstractmethod
    def run(self, going: Sequence[int], until: int) -> list[float]:
        """Go on with these (by place in the heat) until so many epochs are done; the score of each.

        NaN for one that has diverged.
        """

    def notes(self, place: int) -> dict[str, Any]:
        """What to write down beside the trial when it ends."""
        return {}

    @property
    def late(self) -> bool:
        """Whether the time for searching is over: trials under way stop at the rung they have reached."""
        return False


def race(
    book: Book,
    start: Callable[[list[Setting]], Heat],
    *,
    trials: int,
    heat: int,
    rungs: Sequence[int],
    protected: Collection[int] = (),
    told: Callable[[Trial], None] = lambda trial: None,
) -> None:
    """Run our `trials`, so many in a `heat`; those that an earlier sitting has finished are kept.

    `protected` numbers are never halved. `told` hears of every trial that ends.
    """
    for first in range(0, trials, heat):
        sheet = book.sheet(first, min(first + heat, trials))
        running = [trial for trial in sheet if trial.end == "running"]
        for trial in sheet:
            if trial not in running:
                told(trial)
        if running:
            one = _Race(book, sheet, running, start([trial.setting for trial in running]), protected, told)
            if not all(one.climb(rung, last=rung == rungs[-1]) for rung in rungs):
                return


@dataclass(frozen=True)
class _Race:
    """One heat: the trials on its `sheet`, of which `field` were not finished by an earlier sitting."""

    book: Book
    sheet: list[Trial]
    field: list[Trial]
    heat: Heat
    protected: Collection[int]
    told: Callable[[Trial], None]

    def climb(self, rung: int, *, last: bool) -> bool:
        """Bring those that are left to the rung, where losers leave; False when the time was over before."""
        going = [trial for trial in self.field if trial.end == "running"]
        scores = self.heat.run([self.field.index(trial) for trial in going], rung)
        if self.heat.late:
            for trial in going:
                self._leave(trial, "stopped")
            return False
        for trial, score in zip(going, scores, strict=True):
            self.book.report(trial, rung, score)
        reached = {trial.number: trial.scores[rung] for trial in self.sheet if rung in trial.scores}
        kept = keep(reached, higher_is_better=self.book.higher_is_better, protected=self.protected)
        for trial in going:
            if math.isnan(trial.score):
                self._leave(trial, "diverged")
            elif last or trial.number not in kept:
                self._leave(trial, "complete" if last else "halved")
        return True

    def _leave(self, trial: Trial, end: End) -> None:
        self.book.close(trial, end, **self.heat.notes(self.field.index(trial)))
        self.told(trial)


class _Alone(Heat):
    """Settings tried one after another, by a function that gives the final score of each."""

    def __init__(self, objective: Callable[[Setting], float], settings: list[Setting]) -> None:
        self.objective, self.settings = objective, settings

    def run(self, going: Sequence[int], until: int) -> list[float]:
        return [self.objective(self.settings[place]) for place in going]


def search(
    space: Space,
    objective: Callable[[Setting], float],
    *,
    trials: int | None = None,
    how: How = "bayes",
    seed: int = 0,
    points: int = 5,
    higher_is_better: bool = False,
    storage: str | None = None,
) -> Book:
    """Try settings of `space`; `objective(setting)` is the validation score, NaN where there is none.

    A "grid" has all combinations of so many `points` of each range, or the first `trials` of them; the
    other ways default to 30 trials. With `storage`, such as "sqlite:///search.db", a second call goes on
    where the first was stopped.
    """
    asker = Asker(space, how, seed, points=points)
    book = Book(space, asker, higher_is_better=higher_is_better, url=storage)
    most = len(asker.combinations) if how == "grid" else 30
    count = min(trials or most, most) if how == "grid" else trials or most
    race(book, lambda settings: _Alone(objective, settings), trials=count, heat=1, rungs=[1])
    return book
