"""Which setting is tried next: every one of a grid, any one by lot, or one like those that went well.

    asker = Asker(space, how="bayes", seed=0)
    asker.fixed(7, trials), asker.sampler(7)

What is proposed for a trial depends on the seed, its number and the trials before it: a search that was
killed and resumed proposes what it would have proposed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from preceptor.search.space import Range, Setting, Space, grid

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

How = Literal["grid", "random", "bayes"]


class Tried(Protocol):
    """A trial, as far as asking goes."""

    setting: Setting


@dataclass(frozen=True)
class Asker:
    """Proposes settings of `space`.

    `first` is tried before all others. So many trials in a row (`abreast`) have the same value of each
    name in `alike`: that of the first of them. So nets of one shape can be trained side by side.
    A grid cuts ranges into so many `points`. "bayes" is the tree-structured Parzen estimator (Bergstra et
    al., 2011), which treats running trials as bad ones, so that those asked for together differ.
    """

    space: Space
    how: How = "bayes"
    seed: int = 0
    first: Setting | None = None
    abreast: int = 1
    alike: Sequence[str] = ()
    points: int = 5

    @cached_property
    def combinations(self) -> list[Setting]:
        """The settings of the grid."""
        return grid(self.space, self.points)

    def fixed(self, number: int, trials: Mapping[int, Tried]) -> Setting:
        """The values that are not left to the sampler: all of them, some, or none."""
        if self.how == "grid":
            return self.combinations[number]
        if number == 0:
            return self.first or {}
        leader = number - number % self.abreast
        alike = trials[leader].setting if leader < number else {}
        return {name: alike[name] for name in self.alike if name in alike}

    def sampler(self, number: int) -> "BaseSampler":
        """What draws the other values."""
        from optuna.samplers import RandomSampler, TPESampler

        seed = int(np.random.SeedSequence((self.seed, number)).generate_state(1)[0])
        return TPESampler(seed=seed) if self.how == "bayes" else RandomSampler(seed)


def distributions(space: Space) -> Mapping[str, "BaseDistribution"]:
    """The space as Optuna says it."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    def said(dimension: Any) -> "BaseDistribution":
        if not isinstance(dimension, Range):
            return CategoricalDistribution(dimension.values)
        if dimension.whole:
            return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log)
        return FloatDistribution(dimension.low, dimension.high, log=dimension.log)

    return {name: said(dimension) for name, dimension in space.items()}
