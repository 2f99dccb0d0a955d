"""Looking without training: what the columns are, what is wrong, one row there and back.

for line in show("houses.csv", Plan(target="price")):
    print(line)
"""

from collections.abc import Iterator
from typing import Any

import polars as pl

from preceptor.data.read import read
from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.kinds.recognise import Recognised, recognise
from preceptor.kinds.registry import kind_named
from preceptor.look import look_at
from preceptor.plan import Plan

MOST_CELLS = 40


def show(source: Any, plan: Plan) -> Iterator[str]:
    """Lines to print. Without a target the columns are shown all the same, and no traps are looked for."""
    table = read(source)
    account = table.account
    yield f"{table.source} · {account.read:,} rows, {table.frame.width} columns"
    yield from (f"  left out  {count:,} rows: {why}" for why, count in account.left_out.items())
    yield from (f"  note      {note}" for note in account.notes)
    if plan.target is None:
        yield from _columns(recognise(table.frame, None, plan.kinds), table)
        yield ""
        yield f"Name the column to predict to see more: --target {table.frame.columns[-1]}"
        return
    look = look_at(table, plan)
    yield from _columns(look.recognised, look.table)
    yield from _findings(look.findings)


def _columns(recognised: dict[str, Recognised], table: Table) -> Iterator[str]:
    """A line a column: kind, reason, and the first row's value, encoded and decoded again."""
    yield ""
    widest = max(len(_cut(name)) for name in recognised)
    yield f"  {'column':<{widest}}  {'kind':<9}  first row, encoded, and decoded again"
    for name, seen in recognised.items():
        yield f"  {_cut(name):<{widest}}  {seen.kind:<9}  {_there_and_back(seen, table.frame[name])}"
        yield f"  {'':<{widest}}  {'':<9}  {seen.why}{'; left out' if seen.ignored else ''}"


def _there_and_back(seen: Recognised, column: pl.Series) -> str:
    """`NEAR BAY -> [4] -> NEAR BAY`"""
    value = column.head(1)
    if seen.ignored:
        return _cut(str(value.item()))
    kind = kind_named(seen.kind)(seen.column).fit(column)
    encoded = kind.encode(value)
    shown = ", ".join(f"{number:.3g}" for number in encoded[0, :6].tolist())
    more = ", ..." if encoded.shape[1] > 6 else ""
    return f"{_cut(str(value.item()))} -> [{shown}{more}] -> {_cut(str(kind.decode(encoded).item()))}"


def _findings(findings: list[Finding]) -> Iterator[str]:
    yield ""
    if not findings:
        yield "  Nothing suspicious was found."
    for finding in findings:
        yield f"  {finding.severity:<8}  {finding.text}"
        yield from (f"            {text}" for text in (finding.done, finding.remedy) if text)
        yield f"            preceptor explain {finding.code}"


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CELLS else text[: MOST_CELLS - 1] + "…"
