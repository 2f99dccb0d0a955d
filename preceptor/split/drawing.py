"""Which rows are set aside, and which fold each of the others validates.

Rows that belong together (one group, or the same inputs) form a *party*, which is never divided.

Shapes: N rows, P parties; `strata` (N,) are classes, or tenths of a number's range by rank.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.errors import Mistake, nearest
from preceptor.framing import UNTIL
from preceptor.inspection.duplicates import copies

FOLDED_BELOW, TINY_BELOW = 50_000, 300
VALIDATION_SHARE, MOST_VALIDATION = 0.2, 20_000


@dataclass(frozen=True)
class Fold:
    """Row numbers of the open table, ascending; every open row is in exactly one of the two.

    Forecasts that reach from training into validation are in neither.
    """

    train: np.ndarray
    validation: np.ndarray


class Rows(NamedTuple):
    """What drawing goes by: (N,) party numbers, (N,) strata, whether those are classes, (N,) times or None.

    `named` is the column that the user named to split by. `spans` (2, N) are the first and the last moment
    that a forecast asks for.
    """

    parties: np.ndarray
    strata: np.ndarray
    has_classes: bool
    times: np.ndarray | None
    named: str | None
    spans: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> "Rows":
        """The given rows, in that order; parties are numbered afresh."""
        times = None if self.times is None else self.times[rows]
        parties = _renumbered(self.parties[rows])
        spans = None if self.spans is None else self.spans[:, rows]
        return self._replace(parties=parties, strata=self.strata[rows], times=times, spans=spans)

    def reaching(self, border: float) -> np.ndarray:
        """(N,) booleans: forecasts that begin before the moment `border` and end there or later."""
        if self.spans is None:
            return np.zeros(len(self.parties), dtype=bool)
        return (self.spans[0] < border) & (self.spans[1] >= border)


def rows_of(
    table: Table, target: str, task: str, inputs: Sequence[str], group: str | None, time: str | None
) -> Rows:
    """What drawing the rows of `table` goes by; see `split` for the arguments and the Mistakes."""
    times = moments(table, time) if time else None
    spans = None
    if time and UNTIL in table.frame.columns:
        spans = np.stack([moments(table, time), moments(table, UNTIL)])
    if group:
        parties = _numbered(_column(table, group, "--group"))
        if times is not None:
            first = np.full(parties.max() + 1, np.inf)
            np.minimum.at(first, parties, times)
            times = first[parties]
    else:
        parties = np.arange(len(table)) if time else copies(table.frame.select(inputs))
    strata = _strata(table.frame[target], task)
    return Rows(parties, strata, task.endswith("class"), times, group or time, spans)


def moments(table: Table, time: str) -> np.ndarray:
    """(N,) the times of the rows as floats; rows without one count as the oldest."""
    return _times(_column(table, time, "--time"), table.source)


def _column(table: Table, name: str, flag: str) -> pl.Series:
    if name in table.frame.columns:
        return table.frame[name]
    raise Mistake(
        "split-column-absent",
        f"There is no column '{name}' to split by.",
        where=f"{table.source}, {flag} {name}",
        why=f"The columns are: {', '.join(table.frame.columns)}.",
        todo=nearest(name, table.frame.columns),
    )


def _times(column: pl.Series, source: str) -> np.ndarray:
    """(N,) floats in the order of time; rows without a time count as the oldest."""
    if column.dtype == pl.String:
        raise Mistake(
            "time-unordered",
            f"The column '{column.name}' is text, which has no order in time.",
            where=f"{source}, --time {column.name}",
            why=f"It holds values such as {column.drop_nulls().head(3).to_list()}.",
            todo="Name a column of dates or numbers, or write its dates like 2024-12-31.",
        )
    return column.to_physical().cast(pl.Float64).fill_null(-np.inf).to_numpy()


def _strata(answers: pl.Series, task: str) -> np.ndarray:
    if task == "series":
        return np.zeros(len(answers))
    if task == "number":
        ranks = answers.cast(pl.Float64, strict=False).rank().fill_null(0.5)
        return (ranks.to_numpy() - 0.5) * 10 // len(answers)
    return _numbered(answers.cast(pl.String).fill_null(""))


def _numbered(column: pl.Series) -> np.ndarray:
    """(N,) numbers from 0, equal for equal values; every missing value has a number of its own."""
    missing = column.is_null().to_numpy()
    numbers = column.rank("dense").fill_null(0).cast(pl.Int64).to_numpy(writable=True)
    numbers[missing] = numbers.max(initial=0) + 1 + np.arange(missing.sum())
    return _renumbered(numbers)


def _renumbered(numbers: np.ndarray) -> np.ndarray:
    return np.unique(numbers, return_inverse=True)[1]


def set_aside(rows: Rows, wanted: int, rng: np.random.Generator) -> np.ndarray:
    """(N,) booleans: about `wanted` rows, whole parties, the others holding every class.

    Raises Mistake "split-impossible" when that is none of the rows, or all of them.
    """
    aside = _drawn(rows, wanted, rng) if rows.times is None else _latest(rows.times, wanted)
    if rows.has_classes and rows.times is None:
        lost = np.flatnonzero(~np.isin(rows.strata, rows.strata[~aside]))
        one_each = lost[np.unique(rows.strata[lost], return_index=True)[1]]
        aside &= ~np.isin(rows.parties, rows.parties[one_each])
    if aside.all() or not aside.any():
        raise _impossible(rows.named)
    return aside


def _drawn(rows: Rows, wanted: int, rng: np.random.Generator) -> np.ndarray:
    """Systematic sampling: every so-manieth party along the strata, none larger than `wanted`."""
    sizes = np.bincount(rows.parties)
    order = _ordered(rows, rng)
    order = order[sizes[order] <= max(wanted, sizes.min())]
    share = min(wanted / sizes[order].sum(), max(0.5, wanted / len(rows.parties)))
    steps = np.floor(share * np.arange(len(order) + 1) + rng.random())
    chosen = np.zeros(len(sizes), dtype=bool)
    chosen[order[np.diff(steps) > 0]] = True
    if not chosen.any():
        chosen[order[rng.integers(len(order))]] = True
    return chosen[rows.parties]


def _ordered(rows: Rows, rng: np.random.Generator) -> np.ndarray:
    """(P,) parties by stratum, then size; equal ones by lot."""
    sizes = np.bincount(rows.parties)
    return np.lexsort((rng.random(len(sizes)), -sizes, np.bincount(rows.parties, rows.strata) / sizes))


def _latest(times: np.ndarray, wanted: int) -> np.ndarray:
    """The last `wanted` rows or so: rows of one moment are not divided."""
    edge = np.sort(times)[-wanted]
    masks = [mask for mask in (times > edge, times >= edge) if 0 < mask.sum() < len(times)]
    return min(masks, key=lambda mask: abs(mask.sum() - wanted), default=np.zeros(len(times), dtype=bool))


def also_in(sealed: Table, table: Table, inputs: Sequence[str]) -> np.ndarray:
    """(N,) booleans: the rows of `table` that are copies of sealed ones."""
    both = [table.frame.select(inputs), sealed.frame.select(inputs)]
    numbers = copies(pl.concat(both, how="vertical_relaxed"))
    return np.isin(numbers[: len(table)], numbers[len(table) :])


def folds_of(
    rows: Rows, wished: int | None, rng: np.random.Generator, share: float = VALIDATION_SHARE
) -> tuple[Fold, ...]:
    """The folds of the open rows: the `wished` number of them, or as many as their number asks for.

    A single fold validates on `share` of them, within bounds.

    Raises Mistake "folds-and-time" and "split-impossible".
    """
    total = len(rows.parties)
    if rows.times is not None and wished not in (None, 1):
        raise Mistake(
            "folds-and-time",
            f"{wished} folds and a split by time exclude each other.",
            why="In time order the latest open rows validate, once: the past must not be told by the future.",
            todo="Leave out --folds or --time.",
        )
    if len(np.unique(rows.parties)) < 2:
        raise _impossible(rows.named)
    several = 10 if total < TINY_BELOW else 5 if total < FOLDED_BELOW else 1
    if rows.times is not None or (wished or several) == 1:
        validation = [set_aside(rows, max(1, min(round(share * total), MOST_VALIDATION)), rng)]
    else:
        validation = _dealt(rows, wished or several, rng)
    return tuple(_fold(rows, mask) for mask in validation)


def _fold(rows: Rows, validates: np.ndarray) -> Fold:
    learnt = ~validates
    if rows.spans is not None:
        learnt &= ~rows.reaching(rows.spans[0][validates].min())
    return Fold(np.flatnonzero(learnt), np.flatnonzero(validates))


def _dealt(rows: Rows, count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """(N,) booleans a fold: parties dealt out like cards, along the strata."""
    order = _ordered(rows, rng)
    count = min(count, len(order))
    fold = np.empty(len(order), dtype=np.int64)
    fold[order] = np.arange(len(order)) % count
    return [fold[rows.parties] == number for number in range(count)]


def _impossible(named: str | None) -> Mistake:
    return Mistake(
        "split-impossible",
        "The rows cannot be divided into training, validation and test rows.",
        why=f"Too few of them differ in '{named}'." if named else "Too few of them differ from one another.",
        todo="Bring more rows" + (f", or split without '{named}'." if named else "."),
    )
