"""Numbers that stand for "no value": -999, 9999, a lone spike at 0 or -1; and infinities."""

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.inspection.wording import percent, plain

CODES = {sign * float("9" * digits) for digits in range(2, 9) for sign in (1, -1)} | {0.0, -1.0, -9.0}
FEWEST, FEWEST_DISTINCT = 2, 5


class _Spike(NamedTuple):
    """The share of rows at one code; least, first percentile and greatest of all other values."""

    code: float
    rows: int
    share: float
    low: float
    usual: float
    high: float

    @property
    def certain(self) -> bool:
        """Whether nothing could have been measured there."""
        far = abs(self.code) >= 10 * max(abs(self.low), abs(self.high))
        return (self.code <= -99 and (self.low >= 0 or far)) or (self.code >= 999 and far)

    @property
    def suspicious(self) -> bool:
        """Whether the code stands apart from the others, more than the lowest rung of a count would."""
        reach = self.high - self.low
        if self.code == 0:
            return self.share < 0.1 and self.usual > 0.25 * reach
        if self.code in (-1, -9):
            return self.low >= 0 and self.share >= 0.01
        return max(self.low - self.code, self.code - self.high) > 0.5 * reach


def sentinels(table: Table, roles: Roles) -> list[Finding]:
    """Codes for "missing" among numbers; `mend` blanks the certain ones among the inputs."""
    names = [name for name in (roles.target, *roles.inputs) if roles.kinds[name] == "number"]
    found = []
    for column in table.frame.select(pl.col(names).cast(pl.Float64, strict=False).fill_nan(None)):
        column = column.drop_nulls()
        found.extend(_infinite(column))
        for spike in _spikes(column):
            if spike.certain or spike.suspicious:
                found.append(_finding(column.name, spike, roles))
    return found


def _spikes(column: pl.Series) -> Iterator[_Spike]:
    """The column's least and greatest value, where they are codes held by two rows or more."""
    for code in {column.min(), column.max()} & CODES:
        others = column.filter(column != code)
        rows = len(column) - len(others)
        if rows >= FEWEST and others.head(1000).n_unique() >= FEWEST_DISTINCT:
            least, usual, greatest = (float(str(others.quantile(level))) for level in (0, 0.01, 1))
            yield _Spike(float(str(code)), rows, rows / len(column), least, usual, greatest)


def _finding(name: str, spike: _Spike, roles: Roles) -> Finding:
    mended = spike.certain and name != roles.target
    return Finding(
        "missing-as-number",
        "warning" if spike.certain else "note",
        f"{spike.rows:,} values of '{name}' ({percent(spike.share)}) are {plain(spike.code)}, "
        f'{"surely" if spike.certain else "perhaps"} a code for "no value": '
        f"all others lie between {plain(spike.low)} and {plain(spike.high)}.",
        column=name,
        evidence={"value": spike.code, "rows": spike.rows, "low": spike.low, "high": spike.high},
        done="counted as missing" if mended else "kept as a number",
        remedy="" if mended else f'If {plain(spike.code)} means "no value", leave those cells empty.',
        change={"column": name, "missing_value": spike.code} if mended else {},
    )


def _infinite(column: pl.Series) -> list[Finding]:
    rows = int(column.is_infinite().sum())
    if not rows:
        return []
    return [
        Finding(
            "values-infinite",
            "warning",
            f"{rows:,} values of '{column.name}' are infinite.",
            column=column.name,
            evidence={"rows": rows},
            done="kept at the end of the scale",
            remedy="Look for a division by zero where the column was made.",
        )
    ]
