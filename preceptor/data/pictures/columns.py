"""Columns of pictures in tables: paths to files, or the bytes of files.

    table = with_pictures(table, Path("shop"), schema)      # a column of paths becomes one of pictures

What cannot be read counts as missing and as a misfit: the row has other columns too.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from preceptor.data.pictures import CAPS, Original, cap_for, keep
from preceptor.data.pictures.folder import ENDINGS
from preceptor.data.rows import Rows
from preceptor.data.table import Misfit, Schema, Table
from preceptor.errors import Mistake

SAMPLE, TOLD = 200, 5
NAMED, THERE = 0.9, 0.5
"""The share of values that end as pictures do, and of those the share that must be there."""


def may_hold_pictures(dtype: pl.DataType) -> bool:
    """Whether a typed column may: bytes, bytes and path as Hugging Face writes them, or Python's objects."""
    if isinstance(dtype, pl.Struct):
        return pl.Field("bytes", pl.Binary) in dtype.fields
    return dtype in (pl.Binary, pl.Object)


def take_pictures(
    rows: Rows, name: str, batches: Iterator[pl.Series], height: int, schema: Schema | None
) -> pl.Series:
    """The keys of a column that comes in batches; or its first batch as it is, if those are no pictures.

    Its cap, and what cannot be read, are told to `rows`.
    """
    first = next(batches)
    if not are_pictures(_originals(first)):
        return first
    cap = (schema.pictures.get(name) if schema else None) or cap_for(height)
    originals = chain.from_iterable(map(_originals, chain([first], batches)))
    column, failed = _kept(name, ((one, _title(one)) for one in originals), cap)
    rows.caps[name] = cap
    rows.misfits += [Misfit(name, row + 1, told) for row, told in [*failed.items()][:TOLD]]
    if failed:
        rows.misfit_counts[name] = len(failed)
    return column


def _kept(
    name: str, given: Iterable[tuple[Original | None, str]], cap: int
) -> tuple[pl.Series, dict[int, str]]:
    """The keys of originals, null where there is none; and by row what could not be read, with the reason."""
    titles: list[str | None] = []

    def present() -> Iterator[Original]:
        for original, title in given:
            titles.append(None if original is None else title)
            if original is not None:
                yield original

    kept = list(keep(present(), cap))
    places = [row for row, title in enumerate(titles) if title is not None]
    keys: list[bytes | None] = [None] * len(titles)
    for row, one in zip(places, kept, strict=True):
        keys[row] = one.key
    failed = {row: f"{titles[row]}: {one.why}" for row, one in zip(places, kept, strict=True) if one.why}
    return pl.Series(name, keys, pl.Binary), failed


def _originals(column: pl.Series) -> list[Any]:
    if isinstance(column.dtype, pl.Struct):
        return column.struct.field("bytes").to_list()
    return column.to_list()


def are_pictures(values: list[Any]) -> bool:
    """Whether any of the first few values that are there can be opened as a picture."""
    some = [one for one in values[:SAMPLE] if one is not None][:5]
    some = [one for one in some if isinstance(one, bytes | np.ndarray | Image.Image)]
    return any(kept.key is not None for kept in keep(some, CAPS[0]))


def _title(original: Original | None) -> str:
    return f"{len(original):,} bytes" if isinstance(original, bytes) else type(original).__name__


def with_pictures(table: Table, folder: Path, schema: Schema | None = None) -> Table:
    """The table with every column of paths to pictures read, relative to `folder` or one folder within it.

    With a `schema` its picture columns are; without, those whose values end as pictures do and are there,
    unless the table brings the pictures themselves. Raises Mistake when none of the pictures that the
    schema expects is there.
    """
    brought = pl.Binary in table.frame.dtypes
    for column in table.frame.select(pl.col(pl.String)).get_columns():
        asked = schema is not None and schema.types.get(column.name) == "picture"
        free = not brought and (schema is None or column.name not in schema.types)
        if asked or (free and _name_pictures(column)):
            place, share = _place_of(column, folder)
            if share >= THERE or (asked and share):
                table = _with_column(table, column, place, schema)
            elif asked:
                raise _absent(column, folder)
            else:
                note = f"Column {column.name!r} names pictures that are not in '{folder}'; it stays text."
                table = _with_notes(table, note)
    return table


def _name_pictures(column: pl.Series) -> bool:
    some = column.drop_nulls()
    some = some.gather_every(max(1, len(some) // SAMPLE)).str.to_lowercase()
    named = some.str.contains("(" + "|".join(ENDINGS).replace(".", r"\.") + ")$").mean()
    return isinstance(named, float) and named >= NAMED


def _place_of(column: pl.Series, folder: Path) -> tuple[Path, float]:
    """The folder or the one within it where most of a sample of the pictures are, and how many are."""
    some = column.drop_nulls()
    paths = some.gather_every(max(1, len(some) // 20)).to_list()
    if not paths:
        return folder, 1.0
    within = sorted(entry for entry in folder.iterdir() if entry.is_dir())
    shares = {
        place: float(np.mean([_is_there(place, path) for path in paths])) for place in (folder, *within)
    }
    best = max(shares, key=lambda place: shares[place])
    return best, shares[best]


def _is_there(place: Path, path: str) -> bool:
    try:
        return (place / path).is_file()
    except (OSError, ValueError):  # too long, or with a zero byte: no path at all
        return False


def _with_column(table: Table, column: pl.Series, place: Path, schema: Schema | None) -> Table:
    name = column.name
    cap = (schema.pictures.get(name) if schema else None) or cap_for(len(column))
    files = ((None if path is None else place / path, path) for path in column.to_list())
    keys, failed = _kept(name, files, cap)
    known = table.schema
    account = table.account
    misfits = [Misfit(name, int(table.lines[row]), text) for row, text in [*failed.items()][:TOLD]]
    counts = {name: len(failed)} if failed else {}
    return replace(
        table,
        frame=table.frame.with_columns(keys),
        schema=replace(known, types={**known.types, name: "picture"}, pictures={**known.pictures, name: cap}),
        account=replace(
            account,
            misfits=(*account.misfits, *misfits),
            misfit_counts={**account.misfit_counts, **counts},
        ),
        names=column.alias("file") if table.names is None else table.names,
    )


def _with_notes(table: Table, note: str) -> Table:
    return replace(table, account=replace(table.account, notes=(*table.account.notes, note)))


def _absent(column: pl.Series, folder: Path) -> Mistake:
    return Mistake(
        "pictures-absent",
        f"None of the pictures that the column {column.name!r} names is there.",
        where=str(folder),
        why=f"The first is {column.drop_nulls()[0]!r}.",
        todo="Paths count from the folder of the table: put the pictures there, or mend the paths.",
    )
