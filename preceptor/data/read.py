"""Any file or frame becomes a Table: sniffed, read as text, cast column by column, all accounted for.

    table = read("houses.csv")
    table.frame, table.schema, table.account
    later = read("more.csv", schema=table.schema)             # the same types again

Missing are, in any case of letters: nothing, NA, N/A, #N/A, NaN, NULL, ?; in columns that are no text
also None, nil, - and a point alone (in a column of words they may be an answer). Blanks around a
value do not count. Numbers are read as in `preceptor.data.numbers`, dates as in `preceptor.data.dates`.
Yes and no stay words, so that answers come back in them; only true and false are booleans.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from preceptor.data.cast import TYPES, cast_rows
from preceptor.data.delimited import read_delimited
from preceptor.data.documents import read_excel, read_json
from preceptor.data.folder import Listing, list_folder, refuse_empty
from preceptor.data.frames import read_frame, read_parquet
from preceptor.data.opening import ZIP, head, is_folder, located
from preceptor.data.pictures.columns import with_pictures
from preceptor.data.pictures.folder import are_pictures, read_pictures
from preceptor.data.pictures.idx import is_idx, read_idx
from preceptor.data.rows import Rows
from preceptor.data.table import Schema, Table
from preceptor.data.texts import TEXT, are_texts, holds_labelled_lines, read_labelled_lines, read_texts
from preceptor.errors import Mistake

PARQUET, OLD_EXCEL, EXCEL = b"PAR1", b"\xd0\xcf\x11\xe0", b"[Content_Types].xml"


def read(source: Any, *, schema: Schema | None = None, rows: int | None = None) -> Table:
    """The table in a file, in a folder of pictures or texts by class, or in a pandas, polars or Arrow frame.

    With a `schema`, its columns are read as it says and others as they look; and where it has pictures, one
    picture is a table. With `rows`, no more than the first so many. Raises Mistake for whatever is no table,
    with the place and what to do.
    """
    if not isinstance(source, str | os.PathLike):
        return with_pictures(cast_rows(read_frame(source, schema, rows), schema, rows), Path(), schema)
    path = located(source)
    if path.is_dir():
        return _folder(path, schema, rows)
    if is_idx(path):
        return read_idx(path, schema, rows)
    if schema and schema.pictures and are_pictures([path.name]):
        return read_pictures(Listing(path.parent, [path.name], None), schema)
    if (schema is None or TEXT in schema.types) and holds_labelled_lines(path):
        return read_labelled_lines(path, rows)
    return with_pictures(cast_rows(_rows(path, schema, rows), schema, rows), path.parent, schema)


def fingerprint(table: Table) -> str:
    """SHA-256 over names, types and values, the same in every run and for every source of the same table."""
    digest = hashlib.sha256()
    for column in table.frame.get_columns():
        digest.update(
            f"{column.name}\0{TYPES.get(column.dtype.base_type(), 'text')}\0{len(column)}\0".encode()
        )
        digest.update(np.packbits(column.is_null().to_numpy()).tobytes())
        if column.dtype in (pl.String, pl.Binary):
            column = column.cast(pl.String)  # the keys of pictures are letters
            digest.update(column.str.len_bytes().fill_null(0).to_numpy().tobytes())
            digest.update(column.str.join("").item().encode())
        else:
            plain = column.to_physical().cast(pl.Float64).fill_null(0.0)
            digest.update(plain.to_numpy().tobytes())
    return digest.hexdigest()


def _folder(path: Path, schema: Schema | None, rows: int | None) -> Table:
    """A folder of files by class; one that holds tables instead is refused."""
    listing = list_folder(path)
    if not listing.names:
        raise refuse_empty(listing, "files")
    if are_pictures(listing.names):
        return read_pictures(listing, schema, rows)
    if are_texts(listing):
        return read_texts(listing, schema, rows)
    raise is_folder(path)


def _rows(path: Path, schema: Schema | None, limit: int | None) -> Rows:
    form = form_of(path)
    if form == "parquet":
        return read_parquet(path, schema, limit)
    if form == "excel":
        return read_excel(path, schema, limit)
    return read_json(path, limit) if form == "json" else read_delimited(path, schema, limit)


def form_of(path: Path) -> str:
    """How a file of rows is written: "parquet", "excel", "json" or "delimited". A web page is a Mistake."""
    with path.open("rb") as file:
        magic = file.read(1 << 16)
    if magic.startswith(PARQUET):
        return "parquet"
    if magic.startswith(OLD_EXCEL) or (magic.startswith(ZIP) and EXCEL in magic):
        return "excel"
    first = head(path, 1024).lstrip(b"\xef\xbb\xbf \t\r\n")
    if first.startswith(b"{") or (first.startswith(b"[") and first[1:].lstrip().startswith(b"{")):
        return "json"
    if first[:9].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise Mistake(
            "file-is-page",
            f"{path.name} is a page for a browser, or XML, and no table.",
            where=str(path),
            todo="Download the file itself: on many sites there is a link named raw or download.",
        )
    return "delimited"
