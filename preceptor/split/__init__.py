"""Train, validation, and a sealed test that no later step is handed (textbook P1, P2).

    parts = split(table, target="price", task="number", inputs=["rooms", "age"], seed=0)
    parts.open, parts.folds[0].train, parts.sealed.count

A split is a pure function of the table and the seed. Rows of one group, or with the same inputs, lie on
one side of the seal and of every fold.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.framing import STRETCH
from preceptor.inspection.wording import row_count
from preceptor.split.drawing import (
    VALIDATION_SHARE,
    Fold,
    Rows,
    also_in,
    folds_of,
    moments,
    rows_of,
    set_aside,
)
from preceptor.split.expected import Expected, expected_width
from preceptor.split.sealed import Sealed

__all__ = ["VALIDATION_SHARE", "Expected", "Fold", "Sealed", "Split", "expected_width", "split"]

FEWEST_SEALED, FEW_SEALED, FEW_GROUPS = 5, 20, 5


@dataclass(frozen=True)
class Split:
    """The open table, its folds, and the sealed rows.

    `how` says in words how rows were drawn; `groups` (N,) numbers the groups of the open rows, None where
    the user named none; `repeated` counts the rows left out because a test file holds their like,
    `reaching` the forecasts whose answers reach into the test.
    """

    open: Table
    folds: tuple[Fold, ...]
    sealed: Sealed
    how: str
    groups: np.ndarray | None
    expected: Expected
    findings: tuple[Finding, ...] = ()
    repeated: int = 0
    reaching: int = 0

    @property
    def left_out(self) -> dict[str, int]:
        """How many rows are on no side, by reason."""
        astride = len(self.open) - len(self.folds[0].train) - len(self.folds[0].validation)
        reasons = {
            "it has the inputs of a row of the test file": self.repeated,
            "its answer reaches into the test": self.reaching,
            "its answer reaches from training into validation": astride,
        }
        return {why: count for why, count in reasons.items() if count}


def split(
    table: Table,
    *,
    target: str,
    task: str,
    inputs: Sequence[str],
    group: str | None = None,
    time: str | None = None,
    test_fraction: float = 0.2,
    folds: int | None = None,
    validation: float = VALIDATION_SHARE,
    seed: int = 0,
    sealed_file: Table | None = None,
) -> Split:
    """Set rows aside, seal them, and cut the rest into folds.

    Classes and tags keep their shares and numbers their spread on every side; every class has open rows.
    With `group`, whole groups are drawn; with `time`, the latest rows are sealed and the latest of the rest
    validate; with both, the groups that came last. `sealed_file` is sealed instead, and open rows with the
    inputs of one of its rows are left out. `folds=None` goes by the number of open rows: 10 below 300, 5
    below 50,000 (training sets are then small enough for their size and luck to matter), else 1, of which
    the share `validation` validates. A forecast whose answers reach into the next part is left out; the
    past that it looks back on may lie there.

    Raises Mistake "split-column-absent", "time-unordered", "folds-and-time", "split-impossible".
    """
    rows, rng = rows_of(table, target, task, inputs, group, time), np.random.default_rng(seed)
    if sealed_file is None:
        aside = set_aside(rows, _wanted(len(table), test_fraction), rng)
    else:
        aside = also_in(sealed_file, table, inputs)
    sealed = table.take(np.flatnonzero(aside)) if sealed_file is None else sealed_file
    reaching = ~aside & _reaching(rows, sealed, time)
    kept = np.flatnonzero(~aside & ~reaching)
    cut = folds_of(rows.take(kept), folds, rng, validation)
    groups = rows.take(kept).parties if group else None
    expected = _expected(task, table.frame[target].gather(kept), sealed, group, groups)
    repeated = 0 if sealed_file is None else int(aside.sum())
    findings = tuple(_findings(sealed, expected, None if sealed_file else group, repeated))
    how = f"{_sealing(task, group, time, sealed_file)}; {_folding(cut, len(kept), time)}"
    left_out = repeated, int(reaching.sum())
    return Split(table.take(kept), cut, Sealed(sealed), how, groups, expected, findings, *left_out)


def _reaching(rows: Rows, sealed: Table, time: str | None) -> np.ndarray:
    """(N,) booleans: forecasts that begin before the first sealed one, and end within or after it."""
    if rows.spans is None or time is None or not len(sealed):
        return np.zeros(len(rows.parties), dtype=bool)
    return rows.reaching(float(moments(sealed, time).min()))


def _expected(
    task: str, answers: pl.Series, sealed: Table, group: str | None, groups: np.ndarray | None
) -> Expected:
    """Of forecasts each stretch of time counts as one, for neighbours succeed and fail together."""
    if group == STRETCH and group in sealed.frame.columns:
        return expected_width(task, answers, sealed.frame[group].n_unique())
    return expected_width(task, answers, len(sealed), groups)


def _wanted(rows: int, share: float) -> int:
    return max(round(share * rows), min(FEWEST_SEALED, rows // 2))


def _sealing(task: str, group: str | None, time: str | None, sealed_file: Table | None) -> str:
    if sealed_file:
        return f"sealed: the rows of {sealed_file.source}"
    if time:
        what = "stretches of time" if group == STRETCH else "groups" if group else "rows"
        return f"sealed: the latest {what} by '{time}'"
    if group:
        return f"sealed: whole groups of '{group}', drawn by lot"
    evenly = "evenly over the answers" if task == "number" else "every class in its share"
    return f"sealed: drawn by lot, {evenly}"


def _folding(cut: Sequence[Fold], rows: int, time: str | None) -> str:
    if len(cut) > 1:
        return f"{len(cut)} folds of {rows:,} open rows"
    validation = len(cut[0].validation)
    return f"validation: {f'the latest {validation:,}' if time else f'{validation:,}'} of {rows:,} open rows"


def _findings(table: Table, expected: Expected, group: str | None, repeated: int) -> Iterator[Finding]:
    sealed, parties = len(table), table.frame[group].n_unique() if group else FEW_GROUPS
    if sealed < FEW_SEALED:
        yield Finding(
            "seal-small",
            "warning",
            f"Only {row_count(sealed)} could be sealed: {expected.sentence}.",
            evidence={"sealed": sealed, "halfwidth": expected.halfwidth},
            done="sealed all the same; the interval of the final score says how unsure it is",
            remedy="Bring more rows: four times as many halve the interval.",
        )
    if parties < FEW_GROUPS:
        yield _few_stretches(parties, sealed) if group == STRETCH else _few_groups(parties, sealed)
    if repeated:
        yield Finding(
            "test-file-repeats",
            "warning",
            f"The inputs of {row_count(repeated)} are exactly those of a row of the test file.",
            evidence={"rows": repeated},
            done="left out of training, so that the test stays unseen",
            remedy="Check how the test file was made.",
        )


def _few_groups(groups: int, sealed: int) -> Finding:
    return Finding(
        "seal-few-groups",
        "warning",
        f"Only {groups} groups are sealed: how the score varies between groups can hardly be told.",
        evidence={"groups": groups, "sealed": sealed},
        done="whole groups stay on one side of the seal all the same",
        remedy="Bring rows of more groups, or raise --test-fraction.",
    )


def _few_stretches(stretches: int, sealed: int) -> Finding:
    return Finding(
        "seal-few-stretches",
        "warning",
        f"Only {stretches} stretches of time are sealed: how the score varies in time can hardly be told.",
        evidence={"stretches": stretches, "sealed": sealed},
        done="neighbouring forecasts count as one all the same",
        remedy="Bring a longer series, raise --test-fraction, or forecast fewer steps.",
    )
