"""Pictures on which there is nothing to see: one colour all over."""

import numpy as np
import polars as pl

from preceptor.data.pictures import pixels
from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.inspection.sampling import thinned
from preceptor.inspection.wording import percent, several

ROWS, EVEN, HARMFUL = 5_000, 2.0, 0.01
"""How many pictures are looked at; the deviation of their values (0 to 255) below which nothing is seen."""


def picture_blanks(table: Table, roles: Roles) -> list[Finding]:
    """Pictures whose pixels are all but equal, by a sample; a warning for more than one in a hundred."""
    numbered = table.frame.select(roles.pictures).with_row_index("")
    return [finding for name in roles.pictures for finding in _blanks(numbered, name, table)]


def _blanks(numbered: pl.DataFrame, name: str, table: Table) -> list[Finding]:
    some = thinned(numbered.select("", name).drop_nulls(), ROWS)
    spreads = np.array([float(values[::2, ::2].std(axis=(0, 1)).max()) for values in pixels(some[name])])
    rows = some[""].to_numpy()[spreads < EVEN]
    if not len(rows):
        return []
    share, examples = len(rows) / len(some), table.titles(rows[:5])
    return [
        Finding(
            "pictures-blank",
            "warning" if share > HARMFUL else "note",
            f"On {len(rows):,} of {len(some):,} pictures of '{name}' ({percent(share)}) there is nothing to "
            f"see, such as {several(examples)}.",
            column=name,
            evidence={"blank": len(rows), "looked_at": len(some), "examples": examples},
            done="kept",
            remedy="Look at them: an export may have failed, or their values may lie in a very narrow range.",
        )
    ]
