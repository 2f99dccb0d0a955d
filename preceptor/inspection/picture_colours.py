"""Grey pictures among colour pictures: a network may take the lack of colour for a sign."""

import polars as pl

from preceptor.data.pictures import sizes
from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.inspection.sampling import thinned
from preceptor.inspection.wording import percent

ROWS, FEW = 20_000, 0.01


def picture_colours(table: Table, roles: Roles) -> list[Finding]:
    """Columns of pictures where both sorts make up more than one in a hundred."""
    return [finding for name in roles.pictures for finding in _mixed(table.frame[name])]


def _mixed(column: pl.Series) -> list[Finding]:
    channels = sizes(thinned(column.drop_nulls().to_frame(), ROWS).to_series())[:, 2]
    grey = float((channels == 1).mean()) if len(channels) else 0.0
    if not FEW < grey < 1 - FEW:
        return []
    return [
        Finding(
            "pictures-grey-and-colour",
            "note",
            f"{percent(grey)} of the pictures of '{column.name}' are grey, the others have colour.",
            column=column.name,
            evidence={"grey_share": grey, "pictures": len(channels)},
            done="grey pictures count as colour pictures without colour",
            remedy="If the grey ones come from another source, look whether the answers differ there.",
        )
    ]
