"""Folders of pictures, a sub-folder for each class, to a Table.

table = read_pictures(list_folder(Path("photos")))    # columns picture and class, answer = "class"
"""

from collections import Counter

import numpy as np
import polars as pl

from preceptor.data.folder import Listing, refuse_empty, refuse_one_class
from preceptor.data.opening import few
from preceptor.data.pictures import Kept, cap_for, keep
from preceptor.data.table import Account, Schema, Table

PICTURE, CLASS = "picture", "class"
ENDINGS = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".avif", ".jp2",
    ".ppm", ".pgm", ".pbm", ".pcx", ".heic",
)  # fmt: skip
"""How the names of pictures end. Only used to see whether a folder or a column may be about pictures."""


def are_pictures(names: list[str]) -> bool:
    """Whether half of the names, or of a sample of them, end as those of pictures do."""
    some = names[:: max(1, len(names) // 200)]
    return bool(some) and 2 * sum(name.casefold().endswith(ENDINGS) for name in some) >= len(some)


def read_pictures(listing: Listing, schema: Schema | None = None, rows: int | None = None) -> Table:
    """A row for each file that is a picture; the others are accounted for by name.

    With a `schema`, as for a test or for new pictures, the column is named as there, and one class or none
    will do. Raises Mistake when there is no picture or, without a schema, not two classes.
    """
    names = listing.names[:rows]
    column = picture_column(schema)
    cap = schema.pictures[column] if schema and column in schema.pictures else cap_for(len(listing.names))
    kept = list(keep((listing.folder / name for name in names), cap))
    for name, one in zip(names, kept, strict=True):
        if one.key is None:
            listing.drop(name, one.why)
    good = np.flatnonzero([one.key is not None for one in kept])
    if not len(good):
        raise refuse_empty(listing, "pictures")
    classes = listing.classes and [listing.classes[place] for place in good]
    if schema is None:
        refuse_one_class(listing, classes, "pictures")
    _note_empty_classes(listing, classes)
    return _table(listing, column, cap, good, [kept[place] for place in good], classes)


def picture_column(schema: Schema | None) -> str:
    """What to call the pictures of a source without names: as the schema's own, if it has just one."""
    known = list(schema.pictures) if schema else []
    return known[0] if len(known) == 1 else PICTURE


def _table(
    listing: Listing, column: str, cap: int, good: np.ndarray, kept: list[Kept], classes: list[str] | None
) -> Table:
    columns = {column: pl.Series(column, [one.key for one in kept], pl.Binary)}
    if classes is not None:
        columns[CLASS] = pl.Series(CLASS, classes, pl.String)
    types = {column: "picture"} | ({CLASS: "text"} if classes is not None else {})
    return Table(
        pl.DataFrame(columns),
        good + 1,
        listing.source,
        Schema(types, pictures={column: cap}),
        Account(len(good), dict(listing.left_out), tuple(listing.dropped), notes=tuple(listing.notes)),
        names=pl.Series("file", [listing.names[place] for place in good]),
        answer=CLASS if classes is not None else None,
        sealed=str(listing.sealed) if listing.sealed else None,
    )


def _note_empty_classes(listing: Listing, classes: list[str] | None) -> None:
    """A folder of which no file could be read, or that is empty, is a class that nothing is known of."""
    if classes is None:
        return
    found = Counter(classes)
    lost = sorted({*(listing.classes or [])} - {*found})
    if lost:
        listing.notes.append(f"No picture of {few(map(repr, lost))} could be read: no such class is learnt.")
