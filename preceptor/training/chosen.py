"""Which rows of a source are learnt from, when a sample of it says which are held out.

    chosen = Chosen(look, parts)
    learnt = chosen.of(table, left_out)        # the rows of a piece that are neither sealed nor validate

A row is held out when it is one of the sample's rows that validate or are sealed, or the copy of one.
"""

import hashlib
from collections import Counter

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.inspection import blank, repairs
from preceptor.kinds.values import numbers
from preceptor.look import Look
from preceptor.split import Split

HELD_OUT, UNANSWERED = "it is held out, or a copy of a row held out", "it has no answer that the sample knows"
COMMON, FEW_DIFFERENT = 10, 10


class Chosen:
    """The rows held out, by their lines and by a 64-bit hash of what a split must keep together."""

    def __init__(self, look: Look, parts: Split):
        self.roles, self.repairs = look.roles, repairs(look.findings)
        self.together = [look.roles.group] if look.roles.group else list(look.roles.inputs)
        learnt = parts.open.lines[parts.folds[0].train]
        held = ~np.isin(look.table.lines, learnt)
        hashes = self._hashes(look.table).to_numpy()
        self.lines = pl.Series(look.table.lines[held])
        self.hashes = pl.Series(np.unique(hashes[held & self._copies(hashes)]))
        self.classes = look.table.frame[look.roles.target].unique()

    @property
    def digest(self) -> str:
        """What is the same when the same rows are chosen."""
        return hashlib.sha256(self.lines.to_numpy().tobytes() + self.hashes.to_numpy().tobytes()).hexdigest()

    def of(self, table: Table, left_out: Counter[str]) -> Table:
        """The rows of a piece to learn from, mended as the sample was; the others are added to `left_out`."""
        table = blank(table, self.repairs)
        answered = self._answered(table.frame[self.roles.target])
        drawn = pl.Series(table.lines).is_in(self.lines.implode())
        held = (drawn | self._hashes(table).is_in(self.hashes.implode())).to_numpy()
        for why, rows in ((UNANSWERED, ~answered), (HELD_OUT, answered & held)):
            if rows.any():
                left_out[why] += int(rows.sum())
        return table.take(np.flatnonzero(answered & ~held))

    def _hashes(self, table: Table) -> pl.Series:
        """(N,) of the columns that decide; whole numbers and others alike, as pieces may differ in that."""
        columns = table.frame.select(self.together)
        return columns.with_columns(pl.col(pl.Int64).cast(pl.Float64)).hash_rows()

    def _copies(self, hashes: np.ndarray) -> np.ndarray:
        """(N,) booleans: rows whose like must not be learnt from; common combinations are no copies."""
        if self.roles.group:
            return np.ones(len(hashes), dtype=bool)
        _, place, sizes = np.unique(hashes, return_inverse=True, return_counts=True)
        rare = sizes <= max(COMMON, len(hashes) / 100)
        return (rare & (len(sizes) >= FEW_DIFFERENT))[place]

    def _answered(self, answers: pl.Series) -> np.ndarray:
        """(N,) booleans: rows with an answer of the kind that the sample's are."""
        if self.roles.asks_number:
            return np.isfinite(numbers(answers))
        if self.roles.kinds[self.roles.target] == "category":
            known = answers.cast(self.classes.dtype, strict=False)
            return known.is_in(self.classes.drop_nulls().implode()).fill_null(False).to_numpy()
        return answers.is_not_null().to_numpy()
