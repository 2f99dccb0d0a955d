"""Classes that can be told by the size of the file's picture, or by its lack of colour, alone.

Such classes mostly come from different sources. A network finds that out at once, and fails on new
pictures, which come from one source.
"""

import numpy as np
import polars as pl

from preceptor.data.pictures import sizes
from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.inspection.sampling import thinned
from preceptor.inspection.wording import several

ROWS, FEWEST, OWN, OTHERS = 20_000, 10, 0.9, 0.1


def picture_leaks(table: Table, roles: Roles) -> list[Finding]:
    """Classes of which nine in ten pictures have one look, as less than one in ten of all others have."""
    if roles.kinds[roles.target] != "category":
        return []
    return [finding for name in roles.pictures for finding in _leaks(table.frame, name, roles)]


def _leaks(frame: pl.DataFrame, name: str, roles: Roles) -> list[Finding]:
    some = thinned(frame.select(name, pl.col(roles.target).cast(pl.String).alias("")).drop_nulls(), ROWS)
    found = sizes(some[name])
    looks = {
        "size": np.array([f"{width:,} x {height:,} pixels" for height, width, _ in found]),
        "colour": np.where(found[:, 2] == 1, "grey", "in colour"),
    }
    classes = some[""].to_numpy()
    told = {what: _own_looks(values, classes) for what, values in looks.items() if len(values)}
    return [_finding(name, what, own) for what, own in told.items() if own]


def _own_looks(looks: np.ndarray, classes: np.ndarray) -> dict[str, str]:
    """The classes that a look of their own gives away, with that look."""
    own = {}
    for name in np.unique(classes) if len(set(classes)) > 1 else ():
        inside = classes == name
        values, counts = np.unique(looks[inside], return_counts=True)
        look = values[counts.argmax()]
        told = counts.max() >= OWN * inside.sum() and (looks[~inside] == look).mean() < OTHERS
        if told and min(inside.sum(), (~inside).sum()) >= FEWEST:
            own[str(name)] = str(look)
    return own


def _finding(column: str, what: str, own: dict[str, str]) -> Finding:
    first = next(iter(own))
    which = f"those of '{first}' are {own[first]}"
    more = f", and so for {several(list(own)[1:])}" if len(own) > 1 else ""
    return Finding(
        "pictures-look-tells",
        "warning",
        f"The {what} of the pictures of '{column}' gives classes away: {which}, and hardly any others "
        f"are{more}.",
        column=column,
        evidence={"by": what, "classes": dict(list(own.items())[:20])},
        done="kept: only you can know where new pictures will come from",
        remedy="Take pictures of all classes from the same source, or bring them all to one size and colour.",
    )
