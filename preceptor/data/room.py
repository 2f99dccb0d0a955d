"""Is there room? A table that does not fit into memory is refused before the machine comes to a stand.

ensure_room(10_000_000, 100, "clicks.csv")
"""

import zipfile
import zlib
from pathlib import Path

import psutil

from preceptor.data.opening import GZIP, ZIP, ZSTD
from preceptor.errors import Mistake

# Bytes a cell takes at the peak of reading, measured by benchmarks/reading.py: a view of its text, and
# the value that it becomes while the views of other columns are released.
CELL = 20


def ensure_room(rows: int, columns: int, source: str, *, text: int = 0) -> None:
    """Raise a Mistake when a table of so many rows and columns will not fit into free memory.

    `text` is the number of bytes of text that are held as well while the columns are cast.
    """
    needed, free = rows * columns * CELL + text, psutil.virtual_memory().available
    if needed <= free:
        return
    fitting = int(rows * free / needed * 0.8)
    raise Mistake(
        "file-too-large",
        f"{source} has about {rows:,} rows of {columns} columns, too many for the memory of this machine.",
        where=source,
        why=f"Reading it takes about {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free.",
        todo=f"Give a part of it: about {fitting:,} rows drawn at random would fit, and are usually enough; "
        "or leave out columns that cannot help.",
    )


def unpacked_size(path: Path, first: bytes) -> int:
    """About how many bytes the file has when unpacked; `first` are the first of those."""
    size = path.stat().st_size
    with path.open("rb") as file:
        magic = file.read(4)
    if magic.startswith(ZIP):
        with zipfile.ZipFile(path) as archive:
            return max(member.file_size for member in archive.infolist())
    if magic.startswith((GZIP, ZSTD)):
        return int(size * len(first) / len(zlib.compress(first)))
    return size
