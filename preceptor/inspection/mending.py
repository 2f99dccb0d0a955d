"""The one repair that inspection makes: codes for "no value" become missing values."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import polars as pl

from preceptor.data.table import Table
from preceptor.finding import Finding

Repairs = Mapping[str, list[float]]


def repairs(findings: Iterable[Finding]) -> dict[str, list[float]]:
    """The values that count as missing, by column: JSON values, to be kept with the model."""
    wanted: dict[str, list[float]] = {}
    for finding in findings:
        if "missing_value" in finding.change:
            wanted.setdefault(finding.change["column"], []).append(finding.change["missing_value"])
    return wanted


def blank(table: Table, values: Repairs) -> Table:
    """The table with those values missing; columns that are absent or no numbers are left alone."""
    frame = table.frame
    known = {name: codes for name, codes in values.items() if name in frame.columns}
    changes = [
        pl.when(pl.col(name).cast(pl.Float64).is_in(codes)).then(None).otherwise(pl.col(name)).alias(name)
        for name, codes in known.items()
        if frame[name].dtype.is_numeric()
    ]
    return replace(table, frame=frame.with_columns(changes))


def mend(table: Table, findings: Iterable[Finding]) -> Table:
    """The table with every repair that `findings` name."""
    return blank(table, repairs(findings))
