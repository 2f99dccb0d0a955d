"""Rows of text: the one form that delimited files, sheets and JSON lines share before the cast.

    rows = Rows(["name", "price"], "houses.csv")
    rows.add([["hut", "3"], ["villa"]], [2, 3])           # line 3 is left out, and said so

What has types already, frames and Parquet files, comes as typed columns by the same way.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import polars as pl

from preceptor.data.opening import few
from preceptor.data.sniff import has_header
from preceptor.data.table import Dropped, Misfit, Schema
from preceptor.errors import Mistake

TOLD = 20
RAGGED_SHARE, RAGGED_FEW = 0.2, 2
BLANK_LINE, RAGGED_ROW = "blank line", "another number of values"


class Rows:
    """Blocks of columns, mostly text, with the line of each row, and an account of what is no row.

    `header` tells whether the names come from the source. A row with another number of cells than
    there are names is left out, never shifted; when there are many, the source is refused.
    `caps` holds the cap of each column of pictures, `misfits` those that could not be decoded.
    """

    def __init__(self, names: Sequence[str], source: str, *, header: bool = True, notes: Sequence[str] = ()):
        self.names, self.source, self.header, self.notes = list(names), source, header, list(notes)
        self.blocks: list[pl.DataFrame] = []
        self.lines: list[np.ndarray] = []
        self.left_out: Counter[str] = Counter()
        self.dropped: list[Dropped] = []
        self.widths: Counter[int] = Counter()
        self.misfits: list[Misfit] = []
        self.misfit_counts: Counter[str] = Counter()
        self.caps: dict[str, int] = {}

    @property
    def height(self) -> int:
        """How many rows were taken so far."""
        return sum(block.height for block in self.blocks)

    def add(self, rows: Sequence[Sequence[str]], lines: Sequence[int]) -> None:
        """Take the rows of the right width; account for the others."""
        width = len(self.names)
        good = [place for place, row in enumerate(rows) if len(row) == width]
        for row, line in zip(rows, lines, strict=True) if len(good) < len(rows) else ():
            if len(row) != width:
                self.drop_cells(line, row)
        if good:
            columns = zip(*(rows[place] for place in good), strict=True)
            cells = dict(zip(self.names, columns, strict=True))
            block = pl.DataFrame(cells, schema=dict.fromkeys(self.names, pl.String))
            self.add_block(block, np.asarray(lines)[good])

    def add_block(self, block: pl.DataFrame, lines: np.ndarray) -> None:
        """Take a block of columns, named as the table's, with the line of each row."""
        if block.height:
            self.blocks.append(block)
            self.lines.append(lines.astype(np.int64, copy=False))

    def drop_cells(self, line: int, cells: Sequence[str]) -> None:
        """Account for a row of another width than the table's; one without a letter is a blank line."""
        lines = 1 + sum(cell.count("\n") for cell in cells)
        if len(cells) < 2 and not "".join(cells).strip():
            return self.drop(line, BLANK_LINE, lines=lines)
        self.widths[len(cells)] += 1
        over = f", over {lines:,} lines" if lines > 1 else ""
        told = f"{len(cells)} values where {len(self.names)} are expected{over}"
        return self.drop(line, RAGGED_ROW, told, lines)

    def drop(self, line: int, why: str, told: str = "", lines: int = 1) -> None:
        """Account for lines that are no row: counted under `why`, the first of them told in full."""
        self.left_out[why] += lines
        if len(self.dropped) < TOLD:
            self.dropped.append(Dropped(line, told or why))

    def close(self) -> None:
        """Raise a Mistake when there is no row, or when too many had another number of values."""
        ragged = self.left_out[RAGGED_ROW]
        if too_many(ragged, self.height):
            raise self._ragged(ragged)
        if not self.height:
            held = "names of columns but" if self.names else "no column and"
            raise Mistake(
                "file-without-rows",
                f"{self.source} has {held} not a single row.",
                where=self.source,
                why=f"The names are: {few(self.names)}." if self.names else "",
            )

    def pop(self, name: str) -> pl.Series:
        """One whole column of text, which is thereby released from the blocks."""
        return pl.concat([block.drop_in_place(name) for block in self.blocks])

    def _ragged(self, ragged: int) -> Mistake:
        width, count = self.widths.most_common(1)[0]
        numbers = [str(row.line) for row in self.dropped if row.why != BLANK_LINE][:5]
        of_all = f"{ragged:,} of {self.height + ragged:,} rows"
        return Mistake(
            "rows-ragged",
            f"{of_all} do not have the {len(self.names)} values that the first line promises.",
            where=f"{self.source}, line {', '.join(numbers)}{' ...' if ragged > len(numbers) else ''}",
            why=f"{count:,} of them have {width}. The columns would be: {few(self.names)}.",
            todo="Look whether the delimiter is unusual, a title stands above the names, or cells that hold "
            "the delimiter are not in quotes.",
        )


def column_names(cells: Sequence[str], source: str) -> tuple[list[str], list[str]]:
    """Names of columns from a line of names, and notes on those made up for empty cells.

    A name between ^ and $ would be a pattern to polars, and loses the ^.

    Raises Mistake for a name that comes twice and for a line that is mostly empty.
    """
    given = [cell.strip() for cell in cells]
    given = [name[1:] if name.startswith("^") and name.endswith("$") else name for name in given]
    empty = [place for place, name in enumerate(given) if not name]
    if 2 * len(empty) > len(given):
        raise Mistake(
            "names-empty",
            f"The first line names {len(given) - len(empty)} of {len(given)} columns.",
            where=f"{source}, line 1",
            why="A line that is mostly empty is rarely the line of names.",
            todo="Remove the title above the table, or give each column a name.",
        )
    names = [name or f"column_{place + 1}" for place, name in enumerate(given)]
    _refuse_twins(names, source)
    notes = [f"Column {place + 1} has no name; it is called {names[place]!r}." for place in empty]
    return names, notes


def rows_under(sample: Sequence[Sequence[str]], source: str, schema: Schema | None = None) -> Rows:
    """Rows to fill, named by the first row of the sample or, where that is no header, by their places.

    A schema knows the names: where one of them stands is a header, whatever it looks like.
    """
    known = schema is not None and any(cell.strip() in schema.types for cell in sample[0])
    if known or ((schema is None or schema.header) and has_header(sample)):
        names, notes = column_names(sample[0], source)
        return Rows(names, source, notes=notes)
    names = [f"column_{place + 1}" for place in range(len(sample[0]))]
    note = f"The first line is a row, not names; the columns are called {few(names, 3)}."
    return Rows(names, source, header=False, notes=[note])


def too_many(left_out: int, height: int) -> bool:
    """Are the rows left out more than a slip? A few always pass, as long as rows remain."""
    return left_out > max(RAGGED_FEW, RAGGED_SHARE * (height + left_out)) or (left_out > 0 and not height)


def _refuse_twins(names: Sequence[str], source: str) -> None:
    """Raise a Mistake when two columns bear one name: which of them is meant could not be told."""
    twins = [name for name, count in Counter(names).items() if count > 1]
    if twins:
        places = [str(place + 1) for place, name in enumerate(names) if name == twins[0]]
        raise Mistake(
            "columns-twice",
            f"The name {twins[0]!r} stands above {len(places)} columns: number {', '.join(places)}.",
            where=source,
            why=f"Names that come more than once: {few(map(repr, twins))}." if len(twins) > 1 else "",
            todo="Give every column a name of its own.",
        )
