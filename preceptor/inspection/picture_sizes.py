"""Pictures of wildly mixed sizes: the small ones have to be blown up, the large ones lose their details."""

import numpy as np
import polars as pl

from preceptor.data.pictures import sizes
from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.inspection.sampling import thinned

ROWS, WIDE, TINY = 20_000, 4.0, 16


def picture_sizes(table: Table, roles: Roles) -> list[Finding]:
    """Where one picture in twenty has a fourth of the side, or less, of another one in twenty."""
    return [finding for name in roles.pictures for finding in _mixed(table.frame[name])]


def _mixed(column: pl.Series) -> list[Finding]:
    found = sizes(thinned(column.drop_nulls().to_frame(), ROWS).to_series())
    if not len(found):
        return []
    sides = np.sqrt(found[:, 0] * found[:, 1])
    small, large = np.quantile(sides, [0.05, 0.95])
    tiny = int((found[:, :2].max(axis=1) < TINY).sum())
    if large < WIDE * small and not 0 < tiny < len(sides):
        return []
    least, most = found[sides.argmin()], found[sides.argmax()]
    also = f"; {tiny:,} have fewer than {TINY} pixels a side" if 0 < tiny < len(sides) else ""
    return [
        Finding(
            "pictures-mixed-sizes",
            "note",
            f"The pictures of '{column.name}' have from {least[1]:,} x {least[0]:,} "
            f"to {most[1]:,} x {most[0]:,} pixels{also}.",
            column=column.name,
            evidence={"smallest": least[:2].tolist(), "largest": most[:2].tolist(), "tiny": tiny},
            done="each is shrunk or enlarged, whole, into a square of one size",
            remedy="Look whether the smallest are thumbnails or icons that got among the others.",
        )
    ]
