"""JSON lines and Excel sheets to rows.

rows = read_json(Path("events.jsonl"))
rows = read_excel(Path("budget.xlsx"))        # its first sheet; needs preceptor[excel]
"""

import json
import logging
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from preceptor.data.encoding import in_its_encoding, lines_in, text_blocks
from preceptor.data.frames import TAG_MARK, add_typed
from preceptor.data.opening import damaged, few, file_empty, head
from preceptor.data.room import ensure_room, unpacked_size
from preceptor.data.rows import BLANK_LINE, Rows, column_names, rows_under, too_many
from preceptor.data.table import Schema
from preceptor.errors import Mistake

BATCH = 20_000
NO_OBJECT = "no JSON object"


def read_json(path: Path, limit: int | None = None) -> Rows:
    """The rows of a JSON-lines file, or of one JSON list: an object a row, a key a column.

    A key that is absent is a missing value, a list of words becomes tags, deeper things stay JSON.
    Lines that are no object are left out. Raises Mistake when they are many.
    """
    return in_its_encoding(path, lambda encoding: _json_rows(path, encoding, limit))


def read_excel(path: Path, schema: Schema | None = None, limit: int | None = None) -> Rows:
    """The rows of a workbook's first sheet, without rows and outer columns that have no cell."""
    fastexcel = _fastexcel()
    try:
        book = fastexcel.read_excel(path)
        rows = _sheet_rows(book, path.name, schema, limit)
    except fastexcel.FastExcelError as error:
        raise damaged(path, error) from error
    if rows is None:
        raise file_empty(path)
    if len(book.sheet_names) > 1:
        rows.notes.append(f"Only the first of the sheets was read: {few(book.sheet_names)}.")
    rows.close()
    return rows


def _fastexcel() -> Any:
    try:
        import fastexcel
    except ModuleNotFoundError as error:
        todo = "Install it: pip install 'preceptor[excel]'. Or save the sheet as CSV."
        raise Mistake("package-missing", "To read Excel files, fastexcel is needed.", todo=todo) from error
    # It warns of every column without a cell, in the middle of a calm terminal.
    logging.getLogger("fastexcel").setLevel(logging.ERROR)
    return fastexcel


def _sheet_rows(book: Any, source: str, schema: Schema | None, limit: int | None) -> Rows | None:
    """As text the sheet shows where it begins; but numbers lose digits as text, hence the second look."""
    cells = book.load_sheet(0, header_row=None, skip_rows=0, dtypes="string").to_polars().fill_null("").rows()
    filled = [place for place, row in enumerate(cells) if any(cell.strip() for cell in row)]
    if not filled:
        return None
    width = max(place + 1 for row in filled for place, cell in enumerate(cells[row]) if cell.strip())
    rows = rows_under([cells[row][:width] for row in filled], source, schema)
    body = filled[rows.header :]
    if body:
        typed = book.load_sheet(0, header_row=None, skip_rows=body[0]).to_polars()
        kept = np.array(body[:limit])
        add_typed(rows, typed[kept - body[0]].get_columns()[:width], kept + 1)
    for row in sorted({*range(filled[-1])} - {*filled}):
        rows.drop(row + 1, BLANK_LINE)
    return rows


def _json_rows(path: Path, encoding: str, limit: int | None) -> Rows:
    rows = Rows([], path.name)
    items = _items(path, encoding)
    if limit is None:
        _ensure_room(path)
    while (limit is None or rows.height < limit) and (batch := list(islice(items, BATCH))):
        _take(rows, batch)
    broken = rows.left_out[NO_OBJECT]
    if too_many(broken, rows.height):
        raise Mistake(
            "json-no-rows",
            f"{broken:,} lines of {path.name} are no JSON objects.",
            where=f"{path.name}, line {few(str(row.line) for row in rows.dropped)}",
            todo='Write one object a line, such as {"rooms": 3, "price": 120000}, or one list of them.',
        )
    given = rows.names
    rows.names, _ = column_names(given, path.name)
    rows.blocks = [_aligned(block, given, rows.names) for block in rows.blocks]
    rows.close()
    return rows


def _take(rows: Rows, batch: list[tuple[int, Any]]) -> None:
    """Add the objects of a batch, with columns for the keys that they have."""
    objects = {line: item for line, item in batch if isinstance(item, dict) and item}
    for line, item in batch:
        if line not in objects:
            rows.drop(line, BLANK_LINE if item == "" else NO_OBJECT)
    names = list(dict.fromkeys(name for item in objects.values() for name in item))
    cells = {name: [_text(item.get(name)) for item in objects.values()] for name in names}
    rows.add_block(pl.DataFrame(cells, dict.fromkeys(names, pl.String)), np.array([*objects]))
    rows.names += [name for name in names if name not in rows.names]


def _ensure_room(path: Path) -> None:
    """By the first line, on the guess that the others are as long and have as many keys."""
    first = head(path)
    line = first.partition(b"\n")[0] + b"\n"
    size = unpacked_size(path, first)
    ensure_room(size // len(line), line.count(b'":'), path.name, text=size)


def _items(path: Path, encoding: str) -> Iterator[tuple[int, Any]]:
    """Line by line what it says; "" for a blank line, None for one that is no JSON. Lists item by item."""
    blocks = text_blocks(path, encoding)
    first = next(blocks, b"")
    if first.lstrip().startswith(b"["):
        whole = _parsed(b"".join([first, *blocks]).decode())
        yield from enumerate(whole if isinstance(whole, list) else [None], 1)
        return
    for number, line in enumerate(lines_in(chain([first], blocks)), 1):
        yield number, _parsed(line) if line.strip() else ""


def _parsed(text: str) -> Any:
    """What the JSON says; None, which is no row either, if it is broken."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _text(value: Any) -> str | None:
    """A JSON value as a delimited file would hold it."""
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        value = TAG_MARK.join(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return None if value is None else text.encode("utf-8", "replace").decode()


def _aligned(block: pl.DataFrame, given: list[str], names: list[str]) -> pl.DataFrame:
    """The block with all columns of the file, those that it had not as missing values."""
    absent = [pl.lit(None, pl.String).alias(name) for name in given if name not in block.columns]
    return block.with_columns(absent).select(given).rename(dict(zip(given, names, strict=True)))
