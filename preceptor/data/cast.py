"""Rows of text to a Table: every column read as it looks or as a schema says, misfits accounted for.

    table = cast_rows(read_delimited(path))

A sample says how each column is to be read, its whole length confirms it.
"""

import numpy as np
import polars as pl

from preceptor.data.column import Cast, Reading, cast, confirmed, reading_by, reading_of, settled
from preceptor.data.numbers import plain_numbers, whole
from preceptor.data.rows import Rows
from preceptor.data.table import Account, Misfit, Schema, Table

SAMPLE = 2_000
TOLD = 5
TYPES: dict[type[pl.DataType], str] = {
    pl.Int64: "number",
    pl.Float64: "number",
    pl.Boolean: "boolean",
    pl.Date: "date",
    pl.Datetime: "datetime",
    pl.String: "text",
    pl.Binary: "picture",
}


def cast_rows(rows: Rows, schema: Schema | None = None, limit: int | None = None) -> Table:
    """The Table of the (first `limit`) rows; the text of each column is released as soon as it is cast."""
    lines = np.concatenate(rows.lines)[:limit]
    readings = _readings(rows, schema)
    notes = list(rows.notes)
    columns: dict[str, pl.Series] = {}
    misfits, counts = list(rows.misfits), dict(rows.misfit_counts)
    for name in rows.names:
        texts = rows.pop(name)[:limit]
        if schema and name in schema.types:
            done = _given(texts, readings[name])
        else:
            done = (
                confirmed(texts, readings[name]) if texts.dtype == pl.String else Cast(readings[name], texts)
            )
        columns[name], readings[name] = done.values.rechunk(), done.reading
        notes += [f"Column {name!r} {done.note}."] if done.note else []
        if count := done.misfits.len():
            counts[name] = count
            misfits += [Misfit(name, int(lines[row]), texts[row]) for row in done.misfits[:TOLD]]
    account = Account(
        lines.size, dict(rows.left_out), tuple(rows.dropped), tuple(misfits), counts, tuple(notes)
    )
    return Table(pl.DataFrame(columns), lines, rows.source, _schema(readings, rows), account)


def _given(values: pl.Series, reading: Reading) -> Cast:
    """A column as a schema has it; values of another type are taken by what they look like as text."""
    if values.dtype == pl.String:
        return cast(values, reading)
    return Cast(reading, values) if _type(values) == reading.type else cast(_as_text(values), reading)


def _readings(rows: Rows, schema: Schema | None) -> dict[str, Reading]:
    """A reading for each column: by the schema, else by the type it has, else by a sample of its text."""
    every = max(1, rows.height // SAMPLE)
    sample = pl.concat([block.gather_every(every) for block in rows.blocks])
    plain = plain_numbers(sample)
    sniffed, given = {}, {}
    for column in sample.get_columns():
        asked = schema.types.get(column.name) if schema else None
        if column.dtype != pl.String and asked in (None, _type(column)):
            given[column.name] = Reading(_type(column))
        elif schema and asked:
            given[column.name] = reading_by(schema, column.name, _as_text(column))
        else:
            sniffed[column.name] = Reading("number") if column.name in plain else reading_of(column)
    readings = settled(sniffed) | given
    return {name: readings[name] for name in rows.names}


def _type(column: pl.Series) -> str:
    return TYPES[column.dtype.base_type()]


def _as_text(column: pl.Series) -> pl.Series:
    """Typed values as a file would hold them: 41.0, which a missing value made of 41, as 41."""
    return (whole(column) if column.dtype == pl.Float64 else column).cast(pl.String)


def _schema(readings: dict[str, Reading], rows: Rows) -> Schema:
    def differing(attribute: str, usual: str) -> dict[str, str]:
        found = {name: getattr(reading, attribute) for name, reading in readings.items()}
        return {name: value for name, value in found.items() if value != usual}

    return Schema(
        {name: reading.type for name, reading in readings.items()},
        decimals=differing("mark", "."),
        units=differing("unit", ""),
        date_formats=differing("format", ""),
        pictures=dict(rows.caps),
        header=rows.header,
    )
