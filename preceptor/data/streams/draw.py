"""Rows drawn by lot in one pass over a source, as a Table whose account is that of the whole source.

    sample = draw(source, rows=100_000, seed=0)
    for table in tables(source, sample.schema): ...       # all rows, piece by piece, read as the sample is

Every row is as likely to be drawn as any other, wherever it stands, and which are drawn does not depend
on the size of the pieces (Vitter, 1985, by random keys: the rows of the smallest keys stay).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl

from preceptor.data.cast import TYPES, cast_rows
from preceptor.data.column import Reading, cast
from preceptor.data.pictures.columns import with_pictures
from preceptor.data.rows import TOLD, Rows
from preceptor.data.streams.source import Held, Pieces, Source
from preceptor.data.table import Account, Schema, Table
from preceptor.errors import Mistake


def draw(source: Source, rows: int, seed: int) -> Table:
    """At most `rows` rows of the source, in its order; their schema is how the rest is to be read.

    The account's `read` counts all rows of the source. Raises Mistake for whatever is no table.
    """
    if isinstance(source, Held):
        drawn = np.random.default_rng(seed).permutation(len(source.table))[:rows]
        return source.table.take(np.sort(drawn))
    lot = source.through(lambda pieces: _drawn(pieces, rows, seed))
    if not lot.seen:
        raise Mistake("file-without-rows", f"{source.name} has not a single row.", where=source.name)
    table = with_pictures(cast_rows(lot.rows()), source.folder)
    return replace(table, account=replace(table.account, read=lot.seen))


def tables(pieces: Pieces, source: Source, schema: Schema) -> Iterator[Table]:
    """Each piece as a table, read as `schema` says and not as the piece looks: one hand wrote them all."""
    for piece in pieces:
        yield with_pictures(_typed(piece, schema), source.folder, schema)


def _typed(piece: Rows, schema: Schema) -> Table:
    lines, columns = np.concatenate(piece.lines), {}
    for name in piece.names:
        values, kind = piece.pop(name), schema.types[name]
        if values.dtype == pl.String or TYPES[values.dtype.base_type()] != kind:
            marks = schema.decimals.get(name, "."), schema.units.get(name, "")
            reading = Reading(kind, *marks, schema.date_formats.get(name, ""))
            values = cast(values.cast(pl.String), reading).values
        columns[name] = values
    return Table(pl.DataFrame(columns), lines, piece.source, schema, Account(lines.size))


class Lot:
    """The rows drawn so far from those `seen`, and what was told of all of them."""

    def __init__(self, most: int, seed: int):
        self.most, self.random = most, np.random.default_rng(seed)
        self.seen, self.border = 0, 1.0
        self.frame, self.lines, self.keys = pl.DataFrame(), np.empty(0, np.int64), np.empty(0)
        self.told: Rows | None = None

    def add(self, piece: Rows) -> None:
        """Let every row of the piece draw a key; those below the border of the smallest stay."""
        keys = self.random.random(piece.height)
        places = np.flatnonzero(keys < self.border)
        frame, lines = pl.concat(piece.blocks), np.concatenate(piece.lines)
        both = [self.frame, frame[places]] if self.seen else [frame[places]]
        self.frame = pl.concat(both, how="vertical_relaxed")
        self.lines, self.keys = np.append(self.lines, lines[places]), np.append(self.keys, keys[places])
        self.seen += piece.height
        self._hear(piece)
        if len(self.keys) > 2 * self.most:
            self._thin()

    def rows(self) -> Rows:
        """The rows drawn, to be cast; with the account of all."""
        self._thin()
        assert self.told is not None
        self.told.add_block(self.frame, self.lines)
        return self.told

    def _thin(self) -> None:
        if len(self.keys) > self.most:
            kept = np.sort(np.argpartition(self.keys, self.most)[: self.most])
            self.border = float(np.partition(self.keys, self.most)[self.most])
            self.frame, self.lines, self.keys = self.frame[kept], self.lines[kept], self.keys[kept]

    def _hear(self, piece: Rows) -> None:
        """Add up what the pieces tell of rows that are none."""
        if self.told is None:
            self.told = Rows(piece.names, piece.source, header=piece.header)
        told = self.told
        told.notes += [note for note in piece.notes if note not in told.notes]
        told.left_out.update(piece.left_out)
        told.misfit_counts = Counter(told.misfit_counts) + Counter(piece.misfit_counts)
        told.dropped = [*told.dropped, *piece.dropped][:TOLD]
        told.misfits = [*told.misfits, *piece.misfits][:TOLD]
        told.caps.update(piece.caps)


def _drawn(pieces: Pieces, rows: int, seed: int) -> Lot:
    lot = Lot(rows, seed)
    for piece in pieces:
        lot.add(piece)
    return lot
