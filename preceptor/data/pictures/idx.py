"""idx files, the format of MNIST: many equal pictures in one file, their classes in another beside it.

    table = read_idx(Path("train-images-idx3-ubyte.gz"))    # finds train-labels-idx1-ubyte.gz

A file begins with two zero bytes, the type of its values (8 = uint8) and how many sizes follow, each four
bytes, the most significant first (Y. LeCun, C. Cortes, C. Burges: the MNIST database).
"""

import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl

from preceptor.data.opening import GZIP, ZSTD, damaged, few, head, raw_blocks
from preceptor.data.pictures import cap_for, keep
from preceptor.data.pictures.folder import CLASS, picture_column
from preceptor.data.table import Account, Schema, Table
from preceptor.errors import Mistake

MAGIC = b"\0\0\x08"


def is_idx(path: Path) -> bool:
    """Whether a file, packed or not, holds whole numbers from 0 to 255 in the idx format."""
    with path.open("rb") as file:
        first = file.read(4)
    if first.startswith((GZIP, ZSTD)):
        first = head(path, 4)
    return first[:3] == MAGIC and first[3:4] in (b"\x01", b"\x03", b"\x04")


def read_idx(path: Path, schema: Schema | None = None, rows: int | None = None) -> Table:
    """A row for each picture, with its class where the file of classes lies beside.

    With a `schema`, as for new pictures, the classes may be absent. Raises Mistake when a file is damaged,
    when the classes are missed, or when there are more or fewer of them than pictures.
    """
    sizes = _sizes(path)
    if len(sizes) < 3 or (len(sizes) == 4 and sizes[3] not in (1, 3)):
        raise _no_pictures(path, sizes)
    count, column = min(sizes[0], rows or sizes[0]), picture_column(schema)
    cap = schema.pictures[column] if schema and column in schema.pictures else cap_for(sizes[0])
    keys = [kept.key for kept in keep(islice(_items(path, sizes), count), cap)]
    columns = {column: pl.Series(column, keys, pl.Binary)}
    beside = _labels_beside(path)
    if beside is not None:
        columns[CLASS] = _labels(beside, sizes[0])[:count]
    elif schema is None:
        raise _labels_absent(path)
    types = {name: "picture" if name == column else "text" for name in columns}
    return Table(
        pl.DataFrame(columns),
        np.arange(1, count + 1),
        path.name,
        Schema(types, pictures={column: cap}),
        Account(count),
        answer=CLASS if beside is not None else None,
    )


def _sizes(path: Path) -> tuple[int, ...]:
    first = head(path, 64)
    count = first[3]
    if len(first) < 4 + 4 * count:
        raise damaged(path, EOFError("It ends before its sizes do."))
    sizes = tuple(int.from_bytes(first[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(count))
    if 0 in sizes:
        raise damaged(path, ValueError(f"Its sizes are {few(map(str, sizes))}."))
    return sizes


def _items(path: Path, sizes: tuple[int, ...]) -> Iterator[np.ndarray]:
    """One array after the other; few of them are in memory at a time."""
    each, rest, begin, seen = math.prod(sizes[1:]), b"", 4 + 4 * len(sizes), 0
    for block in raw_blocks(path):
        rest += block
        whole = (len(rest) - begin) // each
        values = np.frombuffer(rest, np.uint8, whole * each, begin).reshape(whole, *sizes[1:])
        yield from values[: sizes[0] - seen]
        seen, rest, begin = seen + whole, rest[begin + whole * each :], 0
    if seen < sizes[0]:
        raise damaged(path, EOFError(f"It promises {sizes[0]:,} items and holds {seen:,}."))


def _labels_beside(path: Path) -> Path | None:
    """The file of classes: named alike, with labels for images, packed or not."""
    name = path.name.replace("images", "labels").replace("idx3", "idx1").replace("idx4", "idx1")
    plain = path.with_name(name.removesuffix(".gz"))
    near = [plain, plain.with_name(plain.name + ".gz")]
    return next((other for other in near if other != path and other.is_file()), None)


def _labels(path: Path, count: int) -> pl.Series:
    sizes = _sizes(path)
    if len(sizes) != 1 or sizes[0] != count:
        raise Mistake(
            "idx-labels-count",
            f"{path.name} does not have one class for each of the {count:,} pictures.",
            where=str(path),
            why=f"Its sizes are {few(map(str, sizes))}.",
            todo="Give the two files that belong together.",
        )
    values = np.fromiter(_items(path, sizes), np.uint8, count)
    return pl.Series(CLASS, values).cast(pl.String)  # names of classes, not amounts


def _labels_absent(path: Path) -> Mistake:
    return Mistake(
        "idx-labels-absent",
        f"Nothing says what the pictures of {path.name} are.",
        where=str(path.parent),
        why="There is no file of classes beside it.",
        todo=f"Put {path.name.replace('images', 'labels').replace('idx3', 'idx1')} into the same folder.",
    )


def _no_pictures(path: Path, sizes: tuple[int, ...]) -> Mistake:
    labels = len(sizes) == 1
    return Mistake(
        "idx-no-pictures",
        f"{path.name} holds {'classes' if labels else 'arrays'}, and no pictures.",
        where=str(path),
        why=f"Its sizes are {few(map(str, sizes))}; pictures have a count, a height and a width.",
        todo="Give the file of pictures; the classes beside it are found." if labels else "",
    )
