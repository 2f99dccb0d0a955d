"""Looking without training: what the columns are, what is wrong, one row there and back.

for line in show("houses.csv", Plan(target="price")):
    print(line)
"""

from collections.abc import Iterator
from typing import Any

import polars as pl
from torch import Tensor
from torch.nn import functional

from preceptor.data.read import read
from preceptor.data.table import Table
from preceptor.figures.words import plural
from preceptor.finding import Finding
from preceptor.framing import framed_by
from preceptor.intake import asked
from preceptor.kinds.recognise import Recognised, recognise
from preceptor.kinds.registry import kind_named
from preceptor.look import look_at
from preceptor.plan import Plan

MOST_CELLS = 40
SKETCH, INK = (12, 24), " .:-=+*#%@"
"""Lines and letters of a picture drawn in letters, and the letters from dark to bright."""


def show(source: Any, plan: Plan) -> Iterator[str]:
    """Lines to print. Without a target the columns are shown all the same, and no traps are looked for."""
    table = read(source)
    account = table.account
    plan = asked(plan, table)
    yield f"{table.source} · {account.read:,} rows, {table.frame.width} columns"
    yield from (f"  left out  {plural(count, 'row')}: {why}" for why, count in account.left_out.items())
    yield from (f"  note      {note}" for note in account.notes)
    if plan.target is None:
        yield from _columns(recognise(table.frame, None, plan.kinds), table)
        yield ""
        yield f"Name the column to predict to see more: --target {table.frame.columns[-1]}"
        return
    framed = framed_by(table, plan)
    look = look_at(framed.table, framed.plan)
    yield from _columns(look.recognised, look.table)
    yield from _findings(look.findings)


def _columns(recognised: dict[str, Recognised], table: Table) -> Iterator[str]:
    """A line a column: kind, reason, and the first row's value, encoded and decoded again."""
    yield ""
    widest = max(len(_cut(name)) for name in recognised)
    yield f"  {'column':<{widest}}  {'kind':<9}  first row, encoded, and decoded again"
    for name, seen in recognised.items():
        first, *more = _there_and_back(seen, table)
        yield f"  {_cut(name):<{widest}}  {seen.kind:<9}  {first}"
        yield from (f"  {'':<{widest}}  {'':<9}  {line}" for line in more)
        yield f"  {'':<{widest}}  {'':<9}  {seen.why}{'; left out' if seen.ignored else ''}"


def _there_and_back(seen: Recognised, table: Table) -> list[str]:
    """`NEAR BAY -> [4] -> NEAR BAY`; a picture is drawn in letters, as the net sees it."""
    column = table.frame[seen.column]
    value = column.head(1)
    if seen.ignored:
        return [_cut(str(value.item()))]
    kind = kind_named(seen.kind)(seen.column).fit(column)
    encoded = kind.encode(value)
    if kind.shape.family == "picture":
        called = "a picture" if table.names is None else str(table.names[0])
        sizes = " × ".join(map(str, kind.shape.sizes))
        return [
            f"{_cut(called)} -> {sizes} (colours, height, width), each from 0 to 255",
            *_sketch(encoded[0]),
        ]
    if encoded.ndim == 3:
        encoded = encoded[:, -1]  # of a series, what is known last
        value = pl.Series([f"a series of {' × '.join(map(str, kind.shape.sizes))} (steps, channels)"])
        return [f"{value.item()} -> its last step: {_numbers(encoded)}"]
    return [f"{_cut(str(value.item()))} -> {_numbers(encoded)} -> {_cut(str(kind.decode(encoded).item()))}"]


def _numbers(encoded: Tensor) -> str:
    """The first numbers of the first row."""
    shown = ", ".join(f"{number:.3g}" for number in encoded[0, :6].tolist())
    return f"[{shown}{', ...' if encoded.shape[1] > 6 else ''}]"


def _sketch(picture_CHW: Tensor) -> list[str]:
    """A picture in letters, the brighter the fuller."""
    grey = functional.adaptive_avg_pool2d(picture_CHW.float().mean(dim=0, keepdim=True), SKETCH)[0]
    places = (grey / 256 * len(INK)).long().tolist()
    return ["".join(INK[place] for place in line) for line in places]


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
