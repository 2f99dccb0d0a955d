"""Pictures: folders, tables, Parquet and idx files of them; each decoded once, found by its content.

    keys = pl.Series("picture", [found.key for found in keep(paths, cap_for(len(paths)))])
    pixels(keys)[0]                                   # (H, W, C) uint8, C = 1 grey or 3

In a Table a column of pictures is Binary: each value is a key of 16 letters, made from the content of a
file and the cap to which it is shrunk. So equal pictures have equal keys, and a key gives the same pixels
in every run.
"""

import base64
import hashlib
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from preceptor.data.pictures import decoding
from preceptor.data.pictures.decoding import Picture, Unreadable
from preceptor.data.pictures.shelf import Shelf, Writing, open_shelf
from preceptor.errors import Mistake

__all__ = ["CAPS", "Kept", "Original", "cap_for", "keep", "pixels", "sizes"]

CAPS, CACHED = (256, 192, 128, 96, 64, 32), 8 << 30
"""How long a shorter side may be, and about how many bytes the pictures of one source may take."""

AT_A_TIME, EACH, THREADS = 256, 16, 2
HEAVIEST = 1 << 28
"""Bytes; a longer file is no picture that could be decoded here."""

NOTHING = np.empty((0, 0, 1), np.uint8)
NO_FILE, FORBIDDEN = "no such file", "file that may not be read"
Original = Path | bytes | np.ndarray | Image.Image
"""A picture as it comes: a file, the bytes of one, uint8 pixels (H, W[, 1 or 3]), or opened by Pillow."""


@dataclass(frozen=True)
class Kept:
    """What became of an original: its `key`, or None and `why` in a few words."""

    key: bytes | None
    why: str = ""


def cap_for(count: int) -> int:
    """The cap, in pixels, at which `count` colour photos of 4 : 3 stay below `CACHED` bytes; at least 32."""
    return next((cap for cap in CAPS if count * cap * cap * 4 <= CACHED), CAPS[-1])


def keep(originals: Iterable[Original], cap: int) -> Iterator[Kept]:
    """Bring every original into the pixel cache, in order; what is there already is not decoded again.

    Few originals are in memory at a time. Raises Mistake when the cache cannot be written.
    """
    shelf, rest = open_shelf(), iter(originals)
    with ThreadPoolExecutor(THREADS) as pool, Writing(shelf) as writing, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of what it mends; what it cannot mend is told here
        while batch := list(islice(rest, AT_A_TIME)):
            parts = [batch[first : first + EACH] for first in range(0, len(batch), EACH)]
            for part in pool.map(lambda part: [_prepared(one, cap, shelf) for one in part], parts):
                for kept, picture in part:
                    if kept.key is not None and picture is not None:
                        writing.add(kept.key, picture)
                    yield kept


def pixels(keys: pl.Series) -> list[np.ndarray]:
    """(H, W, C) uint8 for each key, memory-mapped; null gives an array of no pixels, (0, 0, 1).

    Raises Mistake when a picture is no longer in the cache.
    """
    return [NOTHING if picture is None else picture.pixels for picture in _found(keys)]


def sizes(keys: pl.Series) -> np.ndarray:
    """(N, 3) height and width of each picture before it was shrunk, and its channels; zeros for null.

    Raises Mistake when a picture is no longer in the cache.
    """
    rows = [(0, 0, 0) if one is None else (*one.size, one.pixels.shape[2]) for one in _found(keys)]
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def _found(keys: pl.Series) -> list[Picture | None]:
    """Each picture, None where there is no key."""
    shelf, given = open_shelf(), keys.to_list()
    found = [None if key is None else shelf.find(key) for key in given]
    gone = sum(picture is None for picture in found) - given.count(None)
    if gone:
        raise Mistake(
            "pictures-gone",
            f"{gone:,} of {len(keys):,} pictures are no longer in the cache.",
            where=str(shelf.folder),
            why="The folder was emptied, or other pictures needed its room.",
            todo="Read the data again, for example with preceptor show DATA.",
        )
    return found


def _prepared(original: Original, cap: int, shelf: Shelf) -> tuple[Kept, Picture | None]:
    """The key of an original; and the picture, unless it is on the shelf."""
    try:
        content = _content(original)
        key = _key(content, cap)
        if shelf.find(key) is not None:
            return Kept(key), None
        if isinstance(content, bytes):
            return Kept(key), decoding.decoded(content, cap)
        return Kept(key), decoding.from_array(content, cap)
    except Unreadable as error:
        return Kept(None, error.why), None


def _content(original: Original) -> bytes | np.ndarray:
    """The bytes of a file, or pixels that are decoded already."""
    if isinstance(original, Image.Image):
        return decoding.array_of(original, max(original.size))
    if isinstance(original, Path):
        try:
            with original.open("rb") as file:
                head = file.read(64)
                if why := decoding.foreign(head):
                    raise Unreadable(why)
                rest = file.read(HEAVIEST)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise Unreadable(NO_FILE) from error
        except (OSError, ValueError) as error:
            raise Unreadable(FORBIDDEN) from error
        original = head + rest
        if len(original) > HEAVIEST:
            raise Unreadable(decoding.TOO_LARGE)
    if isinstance(original, np.ndarray) and not decoding.is_picture(original):
        raise Unreadable(decoding.NO_PIXELS)
    return original


def _key(content: bytes | np.ndarray, cap: int) -> bytes:
    """16 letters for 96 bits: among a million pictures two different ones meet once in 10^17 sources."""
    told = (cap,) if isinstance(content, bytes) else (cap, *content.shape)
    digest = hashlib.blake2b(f"{told}".encode(), digest_size=12)
    digest.update(content if isinstance(content, bytes) else content.tobytes())
    return base64.urlsafe_b64encode(digest.digest())
