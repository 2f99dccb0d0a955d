"""A table and the account of every row that went into it."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl


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
    """Every row of the source: `read` = rows of the table + `left_out`.

    `dropped` lists the first of the rows left out, `left_out` counts all of them by reason;
    `misfits` lists the first values per column that could not be cast, `misfit_counts` all.
    """

    read: int
    left_out: dict[str, int] = field(default_factory=dict)
    dropped: tuple[Dropped, ...] = ()
    misfits: tuple[Misfit, ...] = ()
    misfit_counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Schema:
    """How a source's text becomes values: enough to read a second file the same way.

    `types` maps each column to "number", "boolean", "date", "datetime" or "text";
    `decimal` is the decimal mark; `date_formats` maps a date column to its strptime format;
    `missing` lists the texts that mean "no value".
    """

    types: dict[str, str]
    decimal: str = "."
    date_formats: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """Typed columns (Float64, Int64, Boolean, Date, Datetime or String), one row an example.

    `lines` gives each row's line in the source file (1-based; row numbers for frames).
    `source` is what a person calls it: the file's name, or "frame".
    """

    frame: pl.DataFrame
    lines: np.ndarray
    source: str
    schema: Schema
    account: Account

    def take(self, rows: np.ndarray) -> "Table":
        """The given rows (indices), in that order; the account stays that of the whole source."""
        return Table(self.frame[rows], self.lines[rows], self.source, self.schema, self.account)

    def __len__(self) -> int:
        return self.frame.height
