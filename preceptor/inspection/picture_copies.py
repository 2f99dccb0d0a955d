"""Pictures that are nearly the same: shrunk, saved once more, or taken a moment later.

Each picture is summed up by the mean grey of 16 x 16 fields, and each pair of summaries is compared.
"""

import numpy as np
import polars as pl
from PIL import Image

from preceptor.data.pictures import pixels
from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.inspection.sampling import thinned
from preceptor.inspection.wording import percent, several

ROWS, BLOCK, FIELDS = 10_000, 500, 16
NEAR, PLAIN = 4.0, 8.0
"""Of 255: the root mean square by which copies differ at most; the deviation below which all look alike."""


def picture_copies(table: Table, roles: Roles) -> list[Finding]:
    """Pictures that are another picture but for slight changes; equal ones are the duplicates' business."""
    numbered = table.frame.select(roles.pictures).with_row_index("")
    return [finding for name in roles.pictures for finding in _copies(numbered, name, table)]


def _copies(numbered: pl.DataFrame, name: str, table: Table) -> list[Finding]:
    some = numbered.select("", name).drop_nulls().unique(name, keep="first", maintain_order=True)
    some = thinned(some, ROWS)
    pairs = _pairs(np.array([_fields(values) for values in pixels(some[name])]))
    if not pairs:
        return []
    copies, examples = len(pairs), table.titles(some[""].to_numpy()[list(pairs[0])])
    return [
        Finding(
            "pictures-nearly-alike",
            "note",
            f"{copies:,} of {len(some):,} pictures of '{name}' ({percent(copies / len(some))}) are nearly "
            f"the same as another one, such as {several(examples)}.",
            column=name,
            evidence={"copies": copies, "looked_at": len(some), "examples": examples},
            done="kept; only equal pictures are sure to fall on the same side of the split",
            remedy="If they show one thing several times, name it in a column and give --group COLUMN.",
        )
    ]


def _fields(values: np.ndarray) -> np.ndarray:
    """(256,) float32: the mean grey of each field."""
    image = Image.fromarray(values[..., 0] if values.shape[2] == 1 else values).convert("L")
    return np.asarray(image.resize((FIELDS, FIELDS), Image.Resampling.BOX), np.float32).ravel()


def _pairs(fields: np.ndarray) -> list[tuple[int, int]]:
    """Each picture that is nearly an earlier one, as (earlier, later); without contrast none counts."""
    places = np.flatnonzero(fields.std(axis=1) > PLAIN) if len(fields) else np.empty(0, np.int64)
    fields, norms = fields[places], (fields[places] ** 2).sum(axis=1)
    found = []
    for first in range(0, len(places), BLOCK):
        last = min(first + BLOCK, len(places))
        apart = norms[first:last, None] + norms[:last] - 2 * fields[first:last] @ fields[:last].T
        apart[np.triu(np.ones((last - first, last), bool), first)] = np.inf
        near = np.flatnonzero(apart.min(axis=1) < NEAR**2 * FIELDS**2)
        found += [(int(places[apart[row].argmin()]), int(places[first + row])) for row in near]
    return found
