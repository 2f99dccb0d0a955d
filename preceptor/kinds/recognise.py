"""What each column is: its kind, or why it is left out.

    recognised = recognise(table.frame, target="price", overrides={"zip": "category"})
    recognised["zip"].kind                            # "category"

Every kind says how well it fits a column, and the surest wins. A column that cannot teach anything is
left out of the inputs: "missing" (no value at all), "constant" (one value), "identifier" (a key).
"""

import re
from dataclasses import dataclass

import polars as pl

from preceptor.errors import Mistake, nearest
from preceptor.kinds.kind import Target
from preceptor.kinds.registry import kind_named, kind_names
from preceptor.kinds.values import as_type, distinct, levels, present

FEW_ROWS = 20
"""In fewer rows anything may be unique by accident, so nothing is taken for a key."""

KEY_NAME = re.compile(r"^$|^unnamed|(^|[^a-z])(id|key|uuid|guid|index|row|serial|nr|no)([^a-z]|$)", re.I)
_INNER_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True)
class Recognised:
    """What a column is. `kind` names a kind, or "missing", "constant", "identifier" if `ignored`."""

    column: str
    kind: str
    confidence: float
    why: str
    ignored: bool = False


def recognise(frame: pl.DataFrame, target: str | None, overrides: dict[str, str]) -> dict[str, Recognised]:
    """What each column of `frame` is, in its order; the target is never ignored.

    `overrides` maps columns to kinds and is obeyed. Raises Mistake when it names an unknown column or
    kind, a kind that the column's values rule out, or one that cannot be asked for.
    """
    for name in overrides:
        if name not in frame.columns:
            known = ", ".join(frame.columns[:20])
            raise Mistake(
                "kind-of-no-column",
                f"There is no column {name!r} to be of kind {overrides[name]!r}.",
                why=f"The columns are: {known}.",
                todo=nearest(name, frame.columns),
            )
    return {
        column.name: _overridden(column, overrides[column.name], as_target=column.name == target)
        if column.name in overrides
        else _recognised(column, as_target=column.name == target)
        for column in frame
    }


def _overridden(column: pl.Series, name: str, *, as_target: bool) -> Recognised:
    kind = kind_named(name)
    if as_target and not issubclass(kind, Target):
        targets = [other for other in kind_names() if issubclass(kind_named(other), Target)]
        raise Mistake(
            "kind-not-a-target",
            f"A column of kind {name!r} can be an input, but cannot be asked for.",
            where=f"column {column.name!r}",
            todo="Kinds that can be asked for: " + ", ".join(targets) + ".",
        )
    guess = kind.recognise(column, as_target=as_target)
    if not guess.confidence and column.null_count() < len(column):
        raise Mistake(
            "kind-impossible",
            f"The column {column.name!r} cannot be of kind {name!r}.",
            where=f"column {column.name!r}",
            why=guess.why[:1].upper() + guess.why[1:] + ".",
            todo=f"Leave --kind {column.name}={name} out, or choose another kind.",
        )
    return Recognised(column.name, name, 1.0, "as you said")


def _recognised(column: pl.Series, *, as_target: bool) -> Recognised:
    guesses = {name: kind_named(name).recognise(column, as_target=as_target) for name in kind_names()}
    surest = max(guesses, key=lambda name: guesses[name].confidence)
    ignored = {} if as_target else _reasons_to_ignore(column, surest)
    for reason, why in ignored.items():
        if why:
            return Recognised(column.name, reason, 1.0, why, ignored=True)
    return Recognised(column.name, surest, guesses[surest].confidence, guesses[surest].why)


def _reasons_to_ignore(column: pl.Series, kind: str) -> dict[str, str]:
    """Each reason to leave an input out, with its evidence; empty evidence where it does not hold."""
    same = levels(column, 1)
    only = same is not None and len(same) == 1 and len(present(column)) == len(column)
    return {
        "missing": "" if len(present(column)) else "there is no value at all",
        "constant": f"every value is {same.item()!r}" if same is not None and only else "",
        "identifier": _key(column, kind),
    }


def _key(column: pl.Series, kind: str) -> str:
    """Why the column is a key that names rows and says nothing about them; empty if it is not.

    Whole numbers are a key when all differ and they either count the rows from 0 or 1, in any order,
    or are named as a key is. Text is a key when it is a label, almost always another one.
    """
    rows = len(present(column))
    if rows < FEW_ROWS or kind not in ("number", "category"):
        return ""
    if column.dtype == pl.String:
        different = distinct(column) if kind == "category" else 0
        return f"{different:,} different labels in {rows:,} rows" if different > 0.95 * rows else ""
    if distinct(column.head(1_000)) < min(rows, 1_000):
        return ""
    whole = as_type(column, "Int64")
    if whole.null_count() or distinct(whole) < rows:
        return ""
    low, high = whole.to_numpy().min(), whole.to_numpy().max()
    if low in (0, 1) and high - low + 1 == rows:
        return f"counts the rows from {low} to {high:,}"
    named = KEY_NAME.search(_INNER_CAPITAL.sub("_", column.name))
    return "named as a key is, and every value is another one" if named else ""
