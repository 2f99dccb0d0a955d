"""The pixel cache: pictures decoded once, kept in memory-mapped files, found by their content.

    shelf = open_shelf()                              # in $PRECEPTOR_CACHE or the user's cache folder
    with Writing(shelf) as writing:
        writing.add(key, picture)
    shelf.find(key)                                   # a Picture, its pixels memory-mapped; None if not there

A file holds the pixels of many pictures, then an index sorted by key, then how long both are and their
checksums. It is written beside and renamed, so it is wholly there or not at all; one that is damaged is
removed and its pictures are decoded anew. Beyond `ROOM` bytes the files longest unused make way.
"""

import math
import os
import struct
import sys
import tempfile
import threading
import time
import zlib
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np

from preceptor.data.pictures.decoding import Picture
from preceptor.errors import Mistake

ROOM, PACK = 16 << 30, 1 << 30
"""Bytes of all files together, and of one: a run that is killed has lost no more than one file."""

ABANDONED = 24 * 3600
"""Seconds after which a file that nobody finished is swept away."""

SPOT = np.dtype([("key", "S16"), ("at", "<u8"), ("shape", "<u4", 3), ("size", "<u4", 2)])
MAGIC = b"pixels02"
_END = struct.Struct("<QIIQ8s")  # pixels' bytes, their checksum, the index's, how many pictures, MAGIC


def cache_folder() -> Path:
    """Where decoded pictures are kept: $PRECEPTOR_CACHE, else the system's place for caches."""
    if chosen := os.environ.get("PRECEPTOR_CACHE"):
        return Path(chosen) / "pictures"
    if sys.platform == "win32":
        place = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        place = Path.home() / "Library" / "Caches"
    else:
        place = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return place / "preceptor" / "pictures"


class Pack:
    """One file of pictures, opened; its pixels are held against their checksum when first needed."""

    def __init__(self, path: Path, index: np.ndarray, size: int, checksum: int):
        self.path, self.size, self.checksum = path, size, checksum
        self.keys, self.at = index["key"].tolist(), index["at"].tolist()
        self.shapes, self.sizes = index["shape"].tolist(), index["size"].tolist()
        self._pixels: np.ndarray | None = None

    @classmethod
    def opened(cls, path: Path) -> Self | None:
        """The file at `path`, or None when its end or its index is damaged."""
        with path.open("rb") as file:
            length = file.seek(0, os.SEEK_END)
            file.seek(max(0, length - _END.size))
            end = file.read()
            size, checksum, of_index, count, magic = _END.unpack(end) if len(end) == _END.size else (0,) * 5
            if magic != MAGIC or size + count * SPOT.itemsize + _END.size != length:
                return None
            file.seek(size)
            raw = file.read(count * SPOT.itemsize)
        return cls(path, np.frombuffer(raw, SPOT), size, checksum) if zlib.crc32(raw) == of_index else None

    @property
    def in_use(self) -> bool:
        """Whether this process has looked at any of its pictures."""
        return self._pixels is not None

    @property
    def sound(self) -> bool:
        """Whether the pixels are those that were written; read through once, then known."""
        if self._pixels is None:
            pixels = np.asarray(np.memmap(self.path, np.uint8, "r", shape=(self.size,)))
            if zlib.crc32(pixels.data) != self.checksum:
                return False
            self._pixels = pixels
            with suppress(OSError):  # in a cache that may only be read nothing is ever swept away
                os.utime(self.path)
        return True

    def picture(self, place: int) -> Picture:
        """One picture, its pixels a view of the file; only of a sound one."""
        assert self._pixels is not None
        first, shape = self.at[place], self.shapes[place]
        pixels = self._pixels[first : first + math.prod(shape)].reshape(shape)
        return Picture(pixels, tuple(self.sizes[place]))


class Shelf:
    """All files of one cache folder. Several threads and processes may use it at once."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.packs: dict[Path, Pack] = {}
        self.places: dict[bytes, tuple[Pack, int]] = {}
        self._lock = threading.Lock()

    def find(self, key: bytes) -> Picture | None:
        """A picture, or None when it is not there (any more)."""
        with self._lock:
            pack, place = self.places.get(key, (None, 0))
            if pack is not None and not pack.sound:
                self._remove(pack.path)
                pack, place = self.places.get(key, (None, 0))
            return None if pack is None else pack.picture(place)

    def refresh(self) -> None:
        """Open the files that have come since the last time; remove damaged ones."""
        with self._lock:
            for path in sorted(self.folder.glob("*.pixels")):
                if path not in self.packs:
                    with suppress(FileNotFoundError):  # another process has swept it away just now
                        self._take(path, Pack.opened(path))

    def sweep(self) -> None:
        """Make room: files that nobody finished, then those unused for longest."""
        now = time.time()
        for path in self.folder.glob("*.part"):
            with suppress(FileNotFoundError):
                if now - path.stat().st_mtime > ABANDONED:
                    path.unlink()
        with self._lock, suppress(FileNotFoundError):
            files = [(path.stat(), path) for path in self.folder.glob("*.pixels")]
            over = sum(stat.st_size for stat, _ in files) - ROOM
            for stat, path in sorted(files, key=lambda file: file[0].st_mtime)[:-1]:
                if over > 0 and not (path in self.packs and self.packs[path].in_use):
                    self._remove(path)
                    over -= stat.st_size

    def _take(self, path: Path, pack: Pack | None) -> None:
        if pack is None:
            return self._remove(path)
        self.packs[path] = pack
        self.places.update((key, (pack, place)) for place, key in enumerate(pack.keys))
        return None

    def _remove(self, path: Path) -> None:
        self.packs.pop(path, None)
        self.places = {key: spot for key, spot in self.places.items() if spot[0].path != path}
        with suppress(OSError):  # a damaged file that may not be removed is not used either
            path.unlink()


@cache
def _shelf(folder: Path) -> Shelf:
    return Shelf(folder)


def open_shelf() -> Shelf:
    """The cache of this process, with all that is in it by now."""
    shelf = _shelf(cache_folder())
    shelf.refresh()
    return shelf


class Writing:
    """Pictures on their way into the cache. What was added is kept even if the work is broken off."""

    def __init__(self, shelf: Shelf):
        self.shelf = shelf
        self.added: set[bytes] = set()
        self._reset()

    def add(self, key: bytes, picture: Picture) -> None:
        """Write one picture. Raises Mistake when the cache cannot take it."""
        if key in self.added:
            return
        try:
            self._append(key, np.ascontiguousarray(picture.pixels), picture.size)
            if self.size > PACK:
                self.finish()
        except OSError as error:
            raise self._refused(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.finish()
        except OSError as error:
            raise self._refused(error) from error

    def finish(self) -> None:
        """Close the file and give it its name: the pictures are found from now on."""
        if self.file is None:
            return
        index = np.sort(np.array(self.spots, SPOT), order="key")
        raw = index.tobytes()
        end = _END.pack(self.size, self.checksum, zlib.crc32(raw), len(index), MAGIC)
        with self.file as file:
            file.write(raw + end)
            file.flush()
            os.fsync(file.fileno())
        name = f"{zlib.crc32(raw):08x}{self.checksum:08x}-{len(index)}.pixels"
        self.path.replace(self.shelf.folder / name)
        self._reset()
        self.shelf.refresh()
        self.shelf.sweep()

    def _reset(self) -> None:
        self.file: BinaryIO | None = None
        self.path = self.shelf.folder
        self.spots: list[tuple[bytes, int, tuple[int, ...], tuple[int, int]]] = []
        self.size = self.checksum = 0

    def _append(self, key: bytes, pixels: np.ndarray, size: tuple[int, int]) -> None:
        if self.file is None:
            self.shelf.folder.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self.shelf.folder, suffix=".part")
            self.file, self.path = os.fdopen(descriptor, "wb"), Path(name)
        self.file.write(pixels.data)
        self.checksum = zlib.crc32(pixels.data, self.checksum)
        self.spots.append((key, self.size, pixels.shape, size))
        self.added.add(key)
        self.size += pixels.nbytes

    def _refused(self, error: OSError) -> Mistake:
        if self.file is not None:
            with suppress(OSError):  # the failure that matters is the one being told
                self.path.unlink()
            self._reset()
        return Mistake(
            "pictures-uncached",
            "The decoded pictures could not be kept.",
            where=str(self.shelf.folder),
            why=f"The system says: {error.strerror or error}.",
            todo="Free some space there, or let PRECEPTOR_CACHE name another folder.",
        )
