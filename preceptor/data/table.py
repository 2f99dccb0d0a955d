"""A table and the account of every row that went into it."""

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from preceptor.errors import Mistake, nearest


@dataclass(frozen=True)
class Dropped:
    """A row that was left out: its line in the source (1-based, None when unknown) and why."""

    line: int | None
    why: str


@dataclass(frozen=True)
class Misfit:
    """A value that did not fit its column's type and counts as missing."""

    column: str
    line: int
    text: str


@dataclass(frozen=True)
class Account:
    """Every row of the source: `read` = rows of the table; the source has `read` + `left_out` rows.

    `dropped` lists the first of the rows left out, `left_out` counts all of them by reason;
    `misfits` lists the first values per column that could not be cast, `misfit_counts` all.
    `notes` are plain sentences on what was not certain: names made up, an order of day and month.
    """

    read: int
    left_out: dict[str, int] = field(default_factory=dict)
    dropped: tuple[Dropped, ...] = ()
    misfits: tuple[Misfit, ...] = ()
    misfit_counts: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Schema:
    """How a source's text becomes values: enough to read a second file the same way. JSON values only.

    `types` maps each column to "number", "boolean", "date", "datetime", "text" or "picture";
    `decimals` maps number columns to their decimal mark where it is no point; `units` to the sign
    ("$", "%") that stands beside the numbers; `date_formats` maps date columns to a strptime format;
    `pictures` maps picture columns to the cap in pixels at which they are kept (`preceptor.data.pictures`);
    `header` is False when the first line was a row already and the names are made up.
    """

    types: dict[str, str]
    decimals: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    date_formats: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, int] = field(default_factory=dict)
    header: bool = True


@dataclass(frozen=True)
class Table:
    """Typed columns, one row an example: Float64, Int64, Boolean, Date, Datetime, String, Binary (pictures).

    `lines` gives each row's line in the source file (1-based; row numbers for frames), `names` the file
    that a row is, where rows are files. `source` is what a person calls it: the file's name, or "frame".
    `answer` is the column that the source itself says is the answer (the folder that a file is in), and
    `sealed` the part of the source that it itself keeps for the test.
    """

    frame: pl.DataFrame
    lines: np.ndarray
    source: str
    schema: Schema
    account: Account
    names: pl.Series | None = None
    answer: str | None = None
    sealed: str | None = None

    def take(self, rows: np.ndarray) -> "Table":
        """The given rows (indices), in that order; the account stays that of the whole source."""
        names = None if self.names is None else self.names[rows]
        return replace(self, frame=self.frame[rows], lines=self.lines[rows], names=names)

    def titles(self, rows: np.ndarray) -> list[str]:
        """What to call the given rows: their files, else their lines."""
        if self.names is not None:
            return [str(name) for name in self.names[rows]]
        return [f"line {line}" for line in self.lines[rows]]

    def named(self, column: str) -> str:
        """`column`, when there is such a one. Raises Mistake with the nearest names."""
        columns = self.frame.columns
        if column in columns:
            return column
        raise Mistake(
            "column-absent",
            f"There is no column {column!r}.",
            where=self.source,
            why=f"The columns are: {', '.join(columns[:30])}{' ...' if len(columns) > 30 else ''}.",
            todo=nearest(column, columns),
        )

    def __len__(self) -> int:
        return self.frame.height
