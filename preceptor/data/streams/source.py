"""A source that is read piece by piece, by the same rules as one that is read whole.

    source = open_source("clicks.csv", piece=16 << 20)
    count = source.through(lambda pieces: sum(piece.height for piece in pieces))

Parquet comes in stretches of rows, delimited text in blocks of whole rows, packed or not. Whatever else
can be read is read whole and then handed over in pieces: of pictures a table holds the keys alone. Only
one piece is in memory at a time.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import polars as pl

from preceptor.data.delimited import sniffed
from preceptor.data.encoding import in_its_encoding
from preceptor.data.frames import add_typed
from preceptor.data.opening import damaged, located
from preceptor.data.pictures.columns import may_hold_pictures, take_pictures
from preceptor.data.pictures.idx import is_idx
from preceptor.data.read import fingerprint, form_of, read
from preceptor.data.room import CELL
from preceptor.data.rows import RAGGED_ROW, Rows, column_names
from preceptor.data.table import Schema, Table
from preceptor.data.texts import holds_labelled_lines
from preceptor.errors import Mistake

T = TypeVar("T")
Pieces = Iterator[Rows]

MOST_TEXT, FEWEST_ROWS = 8 << 20, 1_000
"""Bytes of text a piece at most, and rows of Parquet a piece at least."""


class Source(ABC):
    """`name` is what a person calls it; paths of pictures count from `folder`."""

    def __init__(self, name: str, folder: Path):
        self.name, self.folder = name, folder

    @property
    @abstractmethod
    def stamp(self) -> str:
        """What changes when the source does."""

    @abstractmethod
    def through(self, take: Callable[[Pieces], T], schema: Schema | None = None) -> T:
        """What `take` makes of all pieces, each of at least a row, in their order.

        Where a text shows late that its encoding is another, `take` is given all pieces anew. Raises
        Mistake with the place where the source is broken, and when it changes while it is read.
        """


def open_source(source: Any, *, piece: int) -> Source:
    """Whatever `read` takes as a source of pieces of about `piece` bytes in memory."""
    if not isinstance(source, str | os.PathLike):
        return Held(read(source), Path(), piece)
    path = located(source)
    if path.is_dir() or is_idx(path) or holds_labelled_lines(path):
        return Held(read(path), path.parent, piece)
    form = form_of(path)
    if form == "parquet":
        return Parquet(path, piece)
    return Delimited(path, piece) if form == "delimited" else Held(read(path), path.parent, piece)


class Held(Source):
    """A table that is in memory already; what it is encoded as may be far larger."""

    def __init__(self, table: Table, folder: Path, piece: int):
        super().__init__(table.source, folder)
        self.table, self.height = table, _rows_in(piece, table.frame.width)

    @property
    def stamp(self) -> str:
        """The table's fingerprint."""
        return fingerprint(self.table)

    def through(self, take: Callable[[Pieces], T], schema: Schema | None = None) -> T:
        """What `take` makes of all pieces."""
        return take(self._pieces())

    def _pieces(self) -> Pieces:
        table = self.table
        for first in range(0, len(table), self.height):
            rows = Rows(table.frame.columns, table.source)
            rows.caps = dict(table.schema.pictures)
            last = first + self.height
            rows.add_block(table.frame[first:last], table.lines[first:last])
            yield rows


class Parquet(Source):
    """A Parquet file. What it packs together (a row group) is in memory at once as well."""

    def __init__(self, path: Path, piece: int):
        super().__init__(path.name, path.parent)
        self.path, self.piece = path, piece

    @property
    def stamp(self) -> str:
        """The file's size and time of change."""
        return _stamp(self.path)

    def through(self, take: Callable[[Pieces], T], schema: Schema | None = None) -> T:
        """What `take` makes of all pieces. Raises "file-damaged", "stream-broken", "stream-changed"."""
        return take(_unchanged(self.path, self._pieces(schema)))

    def _pieces(self, schema: Schema | None) -> Pieces:
        try:
            scan = pl.scan_parquet(self.path, glob=False)
            types, count = scan.collect_schema(), int(scan.select(pl.len()).collect().item())
        except (pl.exceptions.PolarsError, OSError) as error:
            raise damaged(self.path, error) from error
        height = _rows_in(self.piece, len(types))
        names, notes = column_names(types.names(), self.name)
        for first in range(0, count, height):
            frame = self._stretch(scan, first, min(height, count - first))
            rows = Rows(names, self.name, notes=[] if first else notes)
            columns = [
                take_pictures(rows, name, iter([column]), count, schema)
                if may_hold_pictures(column.dtype)
                else column
                for name, column in zip(names, frame.get_columns(), strict=True)
            ]
            add_typed(rows, columns, np.arange(first, first + frame.height) + 1)
            yield rows

    def _stretch(self, scan: pl.LazyFrame, first: int, height: int) -> pl.DataFrame:
        try:
            return scan.slice(first, height).collect()
        except (pl.exceptions.PolarsError, OSError) as error:
            place = f"{self.path}, row {first + 1:,} to {first + height:,}"
            raise _broken(self.name, place, str(error).splitlines()[0]) from error


class Delimited(Source):
    """A delimited text file, packed or not, sniffed as any other."""

    def __init__(self, path: Path, piece: int):
        super().__init__(path.name, path.parent)
        self.path, self.size = path, min(piece // 2, MOST_TEXT)

    @property
    def stamp(self) -> str:
        """The file's size and time of change."""
        return _stamp(self.path)

    def through(self, take: Callable[[Pieces], T], schema: Schema | None = None) -> T:
        """What `take` makes of all pieces. Raises Mistakes as `read` does, and "stream-changed"."""
        return in_its_encoding(
            self.path, lambda encoding: take(_unchanged(self.path, self._pieces(encoding, schema)))
        )

    def _pieces(self, encoding: str, schema: Schema | None) -> Pieces:
        opened = sniffed(self.path, encoding, schema, self.size)
        tokeniser = opened.tokeniser
        for _ in tokeniser.steps(opened.blocks):
            piece = tokeniser.rows
            if piece.height or piece.left_out[RAGGED_ROW]:
                piece.close()  # refuses a stretch of rows that are mostly ragged
                tokeniser.rows = Rows(piece.names, piece.source, header=piece.header)
                yield piece


def _rows_in(size: int, columns: int) -> int:
    """How many rows of so many columns make a piece of about `size` bytes."""
    return max(FEWEST_ROWS, size // (max(1, columns) * CELL))


def _unchanged(path: Path, pieces: Pieces) -> Pieces:
    """The pieces, as long as the file is the one that it was at the first of them."""
    before = _stamp(path)
    for piece in pieces:
        now = _stamp(path)
        if now != before:
            raise Mistake(
                "stream-changed",
                f"The file {path.name!r} was changed while it was being read.",
                where=f"{path}, about row {piece.lines[0][0]:,}",
                why=f"It was of {before} and is now of {now}.",
                todo="Let whatever writes to it finish, or give a copy; then fit again.",
            )
        yield piece


def _stamp(path: Path) -> str:
    facts = path.stat()
    changed = datetime.fromtimestamp(facts.st_mtime, UTC).isoformat(" ")
    return f"{facts.st_size:,} bytes, {changed}"


def _broken(name: str, where: str, why: str) -> Mistake:
    return Mistake(
        "stream-broken",
        f"A part of {name!r} cannot be read.",
        where=where,
        why=why,
        todo="Fetch or copy the file again. The rows before that place can be read: copy them into another"
        " file to learn from those alone.",
    )
