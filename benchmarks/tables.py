"""What the numbers of a table say: medians, ratios, targets met or missed; as text and as JSON.

Ratios are those of medians, and more than 1 where preceptor, a table's first contestant, is the better one.
"""

from collections.abc import Iterator
from statistics import median
from typing import Any

Table = dict[str, Any]
SHOWN = {"loss": "{:.4f}", "threads": "{}", "peak": "{:.2e}", "same": "{:.2%}", "note": "{}"}
"""Further columns that are printed, and how."""


def middle(row: dict[str, Any]) -> float | None:
    """The median of a contestant's values; None where it is absent."""
    return None if "absent" in row else median(row["values"])


def ratio(table: Table, ours: str, theirs: str) -> float | None:
    """How many times better `ours` is than `theirs`; None where one is absent."""
    mine, other = (middle(_row(table, name)) for name in (ours, theirs))
    if mine is None or other is None:
        return None
    return other / mine if table.get("better", "less") == "less" else mine / other


def _row(table: Table, name: str) -> dict[str, Any]:
    return table["contestants"].get(name, {"absent": "not in this table"})


def judged(table: Table) -> list[dict[str, Any]]:
    """Every target with what was `reached`, its `limit`, and whether it was `met`; None: not judged."""
    return [{**target, **_judged(table, target)} for target in table.get("targets", [])]


def _judged(table: Table, target: dict[str, Any]) -> dict[str, Any]:
    mine = middle(_row(table, target["ours"]))
    if "theirs" in target and "at_least" in target:
        reached = ratio(table, target["ours"], target["theirs"])
        return _verdict(reached, target["at_least"], higher=True)
    if "theirs" in target:
        other = middle(_row(table, target["theirs"]))
        limit = None if other is None else target["within"] * other + target.get("plus", 0.0)
        return _verdict(mine, limit, higher=False)
    higher = "at_least" in target
    return _verdict(mine, target["at_least" if higher else "at_most"], higher=higher)


def _verdict(reached: float | None, limit: float | None, *, higher: bool) -> dict[str, Any]:
    judged = reached is not None and limit is not None
    met = (reached >= limit if higher else reached <= limit) if judged else None
    return {"reached": reached, "limit": limit, "met": met}


def printed(name: str, table: Table) -> str:
    """The table as text: contestants, then targets."""
    return "\n".join(["", f"{name} · {table['title']}", *_rows(table), *_targets(table)])


def _rows(table: Table) -> Iterator[str]:
    rows, unit = table["contestants"], table["unit"]
    width = max(map(len, rows)) + 2
    shown = [column for column in SHOWN if any(column in row for row in rows.values())]
    yield f"{'':<{width}}{f'median, {unit}':>12}{'from - to':>20}{'ratio':>9}" + "".join(
        f"{column:>10}" for column in shown
    )
    first = next(iter(rows))
    for name, row in rows.items():
        if "absent" in row:
            yield f"{name:<{width}}  absent: {row['absent']}"
            continue
        spread = f"{written(min(row['values']))} - {written(max(row['values']))}"
        times = ratio(table, first, name)
        beside = "" if times is None or name == first else f"{times:.2f}x"
        further = "".join(f"{SHOWN[key].format(row[key]) if key in row else '':>10}" for key in shown)
        yield f"{name:<{width}}{written(middle(row) or 0.0):>12}{spread:>20}{beside:>9}{further}"


def _targets(table: Table) -> Iterator[str]:
    marks = {True: "met   ", False: "MISSED", None: "not judged"}
    for target in judged(table):
        yield f"  {marks[target['met']]} {sentence(target, table['unit'])}"


def sentence(target: dict[str, Any], unit: str) -> str:
    """A judged target in words."""
    ours, theirs, reached = target["ours"], target.get("theirs"), target["reached"]
    now = "" if reached is None else written(reached)
    if theirs and "at_least" in target:
        return f"{ours} at least {target['at_least']:g}x better than {theirs}: {now}x"
    if theirs:
        plus = f" + {written(target['plus'])} {unit}" if target.get("plus") else ""
        limit = "" if target["limit"] is None else f" of at most {written(target['limit'])}"
        return f"{ours} within {target['within']:g}x{plus} of {theirs}: {now}{limit} {unit}"
    bound = "at least" if "at_least" in target else "at most"
    return f"{ours} {bound} {written(target['limit'])} {unit}: {now}"


def written(value: float) -> str:
    """Three digits that count."""
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.2e}"
    digits = max(0, 2 - len(f"{abs(value):.0f}") + 1) if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}" if abs(value) >= 0.1 else f"{value:.3g}"
