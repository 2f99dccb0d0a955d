"""From rows to numbers: what was named rightly, who cried wolf, when; intervals over programs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.doctor.chosen import place
from benchmarks.doctor.faults import BY_NAME, numbers_of
from benchmarks.doctor.harm import SEEDS, Score, harm
from benchmarks.doctor.jobs import Row

RESAMPLED = 1000
Named = Callable[[Row], list[int]]
"""The catalogue's numbers that somebody names in a run, the likeliest first."""


@dataclass(frozen=True)
class Interval:
    """A number, and 95 % of what it would be with other programs."""

    value: float
    low: float
    high: float
    runs: int

    def __str__(self) -> str:
        return f"{self.value:6.1%} [{self.low:.1%}, {self.high:.1%}] of {self.runs}"


class Evidence:
    """What is known of harm: scores by program, change, level and seed."""

    def __init__(self, scores: Mapping[str, Sequence[float]]):
        self.scores = scores

    def of(self, program: str, change: str, level: int) -> list[Score]:
        """The scores of the five seeds, those that are there."""
        places = [place(program, change, level, seed) for seed in range(SEEDS)]
        return [Score(*self.scores[one]) for one in places if one in self.scores]

    def hurts(self, row: Row) -> bool | None:
        """Whether the row's change hurts its program; None while seeds are missing."""
        well = self.of(row["program"], "", 0)
        ill = self.of(row["program"], row["change"], row["level"])
        return harm(well, ill).hurts if len(well) == len(ill) == SEEDS else None

    def faulty(self, row: Row) -> bool:
        """Whether the row is a fault by construction, or by the test."""
        fault = BY_NAME.get(row["change"])
        return fault is not None and (fault.constructed or bool(self.hurts(row)))

    def healthy(self, row: Row) -> bool:
        """Whether the row is a control that does no harm."""
        return row["change"] not in BY_NAME and (row["change"] == "plain" or self.hurts(row) is False)


def doctor(row: Row) -> list[int]:
    """What preceptor names at the end."""
    return numbers_of(row["alarms"][-1][1])


def rival(name: str) -> Named:
    """What a rival names, in the order in which it speaks."""
    return lambda row: [number for _, number in row["rivals"][name]]


def macro(rows: Sequence[Row], hit: Callable[[Row], bool], group: str = "change") -> Interval:
    """The mean over kinds of the share of runs with a hit, resampled over programs."""
    if not rows:
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    kinds = sorted({row[group] for row in rows}) if group else [""]
    programs = sorted({row["program"] for row in rows})
    hits, counts = np.zeros((2, len(kinds), len(programs)))
    for row in rows:
        at = kinds.index(row[group]) if group else 0, programs.index(row["program"])
        counts[at] += 1
        hits[at] += hit(row)
    random = np.random.default_rng(0)
    draws = random.multinomial(len(programs), np.full(len(programs), 1 / len(programs)), RESAMPLED)
    told, all_of = draws @ hits.T, draws @ counts.T
    shares = np.nanmean(np.where(all_of > 0, told / np.maximum(all_of, 1), np.nan), axis=1)
    low, high = np.nanquantile(shares, [0.025, 0.975])
    return Interval(float(np.mean(hits.sum(1) / counts.sum(1))), float(low), float(high), len(rows))


def right(row: Row, named: Sequence[int], first: int) -> bool:
    """Whether one of the first names is right."""
    return bool(set(named[:first]) & BY_NAME[row["change"]].accepted)


def when(row: Row) -> float | None:
    """The share of the budget from which on the first name was right and stayed so; None if it never was."""
    named: float | None = None
    for share, codes in row["alarms"]:
        if not right(row, numbers_of(codes), 1):
            named = None
        elif named is None:
            named = share
    return named


def alarmed(row: Row) -> bool:
    """Whether the doctor raised an alarm at any time."""
    return any(codes for _, codes in row["alarms"])


def closed(row: Row, evidence: Evidence) -> float | None:
    """The share of the gap that the remedy closed, over its seeds; None where there is no gap."""
    seeds = len(row["scores"])
    well = evidence.of(row["program"], "", 0)[:seeds]
    ill = evidence.of(row["program"], row["change"], row["level"])[:seeds]
    mended = [Score(**one) for one in row["scores"]]
    gaps = []
    for value in (lambda s: max(s.metric, -1.0), lambda s: -s.share):
        means = [float(np.mean([value(score) for score in scores])) for scores in (well, ill, mended)]
        gaps.append((means[0] - means[1], means[2] - means[1]))
    found = harm(well, ill)
    gap, gained = gaps[0] if found.metric >= 0.02 else gaps[1]
    return gained / gap if gap > 0 else None
