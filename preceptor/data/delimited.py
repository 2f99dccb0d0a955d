"""Delimited text to rows: sniffed first, then block by block, and never a cell in another's column.

    rows = read_delimited(Path("houses.csv"))

The rows of a block are found and measured all at once; polars parts them into cells. From the first
quote on that stands where none belongs, Python's csv module, slower and surer, does both.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from preceptor.data.encoding import in_its_encoding, lines_in, text_blocks
from preceptor.data.opening import BLOCK, file_empty
from preceptor.data.room import ensure_room, unpacked_size
from preceptor.data.rows import Rows, rows_under
from preceptor.data.sniff import Dialect, dialect_of, folded
from preceptor.data.table import Schema
from preceptor.errors import Mistake

SAMPLE = 1 << 18
SAMPLE_ROWS = 2_000
BATCH = 20_000
LONGEST_ROW = 1 << 26
NEWLINE = 10
END = "\0end\0"
# A first line by which spreadsheets tell one another the delimiter.
HINT = re.compile(rb'"?sep=([,;:|^~\t])"?\n', re.IGNORECASE)


def read_delimited(path: Path, schema: Schema | None = None, limit: int | None = None) -> Rows:
    """The rows of a delimited text file, at least `limit` of them if it has as many."""
    return in_its_encoding(path, lambda encoding: _rows(path, encoding, schema, limit))


def parted(dialect: Dialect, lines: Iterable[str], line: int, source: str) -> Iterator[tuple[list[str], int]]:
    """Each row's cells and the line it begins on, by the csv module; `line` is that of the first."""
    begins = line
    try:
        for row, ends in dialect.rows(chain(lines, [END])):
            if row == [END]:
                return
            if row and row[-1].endswith(END):
                raise _unclosed(source, begins)
            yield row, begins
            begins = line + ends
    except csv.Error as error:
        raise _unclosed(source, begins) from error


def _rows(path: Path, encoding: str, schema: Schema | None, limit: int | None) -> Rows:
    opened = sniffed(path, encoding, schema)
    rows, first = opened.tokeniser.rows, opened.first
    if limit is None:
        size = unpacked_size(path, first)
        ensure_room(size * first.count(b"\n") // len(first), len(rows.names), path.name, text=size)
    for _ in opened.tokeniser.steps(opened.blocks):
        if limit is not None and rows.height >= limit:
            break
    rows.close()
    return rows


def sniffed(path: Path, encoding: str, schema: Schema | None = None, size: int = BLOCK) -> "Sniffed":
    """The file opened, its dialect and names known by its first block; it is read `size` bytes at a time."""
    blocks = text_blocks(path, encoding, min(size, SAMPLE), size)
    first = next(blocks, b"\n")
    hint = HINT.match(first)
    above, first = (1, first[hint.end() :]) if hint else (0, first)
    dialect = Dialect(hint[1].decode()) if hint else dialect_of(_text_of(first))
    if dialect.delimiter == " ":
        first, blocks = folded(first), map(folded, blocks)
    sample, skip = _sample(dialect, _text_of(first), path)
    rows = rows_under(sample, path.name, schema)
    skip = skip if rows.header else 0
    tokeniser = Tokeniser(dialect, rows, above + skip + 1)
    return Sniffed(tokeniser, first, chain([_without_lines(first, skip)], blocks))


def _sample(dialect: Dialect, text: str, path: Path) -> tuple[list[list[str]], int]:
    """The first rows, to sniff on, and how many lines the first of them and what is above it take."""
    rows: list[list[str]] = []
    skip = 0
    try:
        for row, line in islice(dialect.rows(io.StringIO(text, newline="\n")), SAMPLE_ROWS):
            rows += [row] if row else []
            skip = skip if len(rows) > 1 else line
    except csv.Error as error:
        if not rows:
            raise _unclosed(path.name, 1) from error
    if not rows:
        raise file_empty(path)
    return rows, skip


def _text_of(block: bytes) -> str:
    """The sample to sniff on: whole lines, unless the first is longer than a sample."""
    cut = block.rfind(b"\n", 0, SAMPLE) + 1
    return block[: cut or SAMPLE].decode("utf-8", "ignore")


def _without_lines(block: bytes, count: int) -> bytes:
    cut = 0
    for _ in range(count):
        cut = block.find(b"\n", cut) + 1
    return block[cut:]


class Tokeniser:
    """Parts blocks of text into rows of cells; `line` is the number of the next line."""

    def __init__(self, dialect: Dialect, rows: Rows, line: int):
        self.dialect, self.rows, self.line = dialect, rows, line

    def steps(self, blocks: Iterator[bytes]) -> Iterator[None]:
        """Take block after block; between two, whoever looks on may stop, or put other `rows` to fill."""
        rest = b""
        for block in blocks:
            rest += block
            taken = self._take_regular(rest)
            if taken is None:
                yield from self._take_carefully(lines_in(chain([rest], blocks)))
                return
            rest = rest[taken:]
            yield
        yield from self._take_carefully(lines_in(iter([rest])))

    def _take_regular(self, text: bytes) -> int | None:
        """Take the whole rows of `text`; returns their size in bytes, or None for irregular quotes."""
        buffer = np.frombuffer(text, np.uint8)
        newlines = np.flatnonzero(buffer == NEWLINE)
        quotes = self._quotes(text, buffer)
        ends = _outside(quotes, newlines)
        if self.dialect.escape or (not ends.size and len(text) > LONGEST_ROW):
            return None
        size = int(ends[-1]) + 1 if ends.size else 0
        quotes = quotes[: np.searchsorted(quotes, size)]
        if not self._are_regular(quotes, buffer):
            return None
        starts = np.concatenate(([0], ends + 1))[:-1]
        delimiters = _outside(quotes, np.flatnonzero(buffer[:size] == ord(self.dialect.delimiter)))
        widths = np.diff(np.searchsorted(delimiters, ends), prepend=0) + 1
        lines = self.line + np.searchsorted(newlines, starts)
        good = (widths == len(self.rows.names)) & (ends > starts)
        block = self._cells(_kept(text[:size], starts, ends, good))
        if block.height != np.count_nonzero(good):
            return None
        self.rows.add_block(block, lines[good])
        for place in np.flatnonzero(~good):
            row = text[starts[place] : ends[place]].decode()
            self.rows.drop_cells(int(lines[place]), next(parted(self.dialect, [row + "\n"], 1, ""))[0])
        self.line += int(np.searchsorted(newlines, size))
        return size

    def _quotes(self, text: bytes, buffer: np.ndarray) -> np.ndarray:
        mark = (self.dialect.quote or "").encode()
        return np.flatnonzero(buffer == ord(mark)) if mark and mark in text else np.empty(0, np.int64)

    def _are_regular(self, quotes: np.ndarray, buffer: np.ndarray) -> bool:
        """Does every cell in quotes begin and end with one, and is each quote within it doubled?"""
        borders = (NEWLINE, ord(self.dialect.delimiter))
        before = np.where(quotes > 0, buffer[quotes - 1], NEWLINE)
        doubled = np.diff(quotes, append=-1) == 1
        closes = np.isin(buffer[quotes[1::2] + 1], borders) | doubled[1::2]
        opens = np.isin(before[0::2], borders) | np.roll(doubled, 1)[0::2]
        return bool(closes.all() and opens.all())

    def _cells(self, text: bytes) -> pl.DataFrame:
        return pl.read_csv(
            text,
            has_header=False,
            schema=dict.fromkeys(self.rows.names, pl.String),
            separator=self.dialect.delimiter,
            quote_char=self.dialect.quote,
            raise_if_empty=False,
        )

    def _take_carefully(self, lines: Iterator[str]) -> Iterator[None]:
        rows = parted(self.dialect, lines, self.line, self.rows.source)
        while batch := list(islice(rows, BATCH)):
            self.rows.add([row for row, _ in batch], [line for _, line in batch])
            yield


class Sniffed(NamedTuple):
    """A delimited file opened: what takes its rows, its first block, and the blocks that hold the rows."""

    tokeniser: Tokeniser
    first: bytes
    blocks: Iterator[bytes]


def _outside(quotes: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Those of the sorted places that are not between an opening and a closing quote."""
    return places[np.searchsorted(quotes, places) % 2 == 0] if quotes.size else places


def _kept(text: bytes, starts: np.ndarray, ends: np.ndarray, good: np.ndarray) -> bytes:
    """The text without the rows that are not good."""
    if good.all():
        return text
    edges = np.flatnonzero(np.diff(good, prepend=False, append=False))
    return b"".join(text[starts[begin] : ends[end - 1] + 1] for begin, end in edges.reshape(-1, 2))


def _unclosed(source: str, line: int) -> Mistake:
    return Mistake(
        "quote-unclosed",
        "A cell begins with a quote that is not closed again.",
        where=f"{source}, line {line}",
        why="The rest of the file, or more than 131,072 letters of it, would be one cell.",
        todo='Close the quote, or double it ("") where it belongs to the text.',
    )
