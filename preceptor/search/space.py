"""What a search may choose from: a range or a list of values for each hyper-parameter.

    space = {"rate": Range(1e-4, 1e-1, log=True), "width": Choice((64, 128, 256))}
    grid(space, points=4)                        # 12 settings

A setting is one value for each name.
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Setting = dict[str, Any]


@dataclass(frozen=True)
class Range:
    """All numbers from `low` to `high`: evenly by their size or, with `log`, by their order of magnitude."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def points(self, count: int) -> list[Any]:
        """So many values from end to end, evenly spaced; of whole numbers each once."""
        steps = [step / (count - 1) for step in range(count)] if count > 1 else [0.5]
        low, high = (math.log(end) if self.log else end for end in (self.low, self.high))
        values = [low + step * (high - low) for step in steps]
        values = [min(max(math.exp(v) if self.log else v, self.low), self.high) for v in values]
        return list(dict.fromkeys(map(round, values))) if self.whole else values

    def holds(self, value: Any) -> bool:
        """Whether the value is one of them."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and self.low <= value <= self.high and not (self.whole and value != round(value))


@dataclass(frozen=True)
class Choice:
    """One of a few values: numbers, words, booleans or None."""

    values: tuple[Any, ...]

    def points(self, count: int) -> list[Any]:
        """All of them, however many points a range would have."""
        return list(self.values)

    def holds(self, value: Any) -> bool:
        """Whether the value is one of them."""
        return value in self.values


Space = Mapping[str, Range | Choice]


def grid(space: Space, points: int) -> list[Setting]:
    """Every combination, ranges cut into so many `points`; the last name's value changes fastest."""
    values = [dimension.points(points) for dimension in space.values()]
    return [dict(zip(space, combination, strict=True)) for combination in itertools.product(*values)]
