"""From a path to bytes: is it there, is it a file, is it packed.

    path = located("houses.csv.gz")
    for block in raw_blocks(path): ...                    # the bytes of houses.csv

What a file is, its first bytes say; its name is never trusted.
"""

import gzip
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import zstandard

from preceptor.errors import Mistake, nearest

BLOCK = 8 << 20
GZIP, ZIP, ZSTD = b"\x1f\x8b", b"PK", b"\x28\xb5\x2f\xfd"
DAMAGE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, zstandard.ZstdError, RuntimeError, ValueError)


def located(source: str | os.PathLike[str]) -> Path:
    """The path of a folder, or of a file that may be read and is not empty; else a Mistake."""
    path = Path(source)
    try:
        if path.is_dir():
            return path
        if not path.exists():
            raise _missing(path)
        if path.stat().st_size == 0 and path.is_file():
            raise file_empty(path)
        with path.open("rb"):
            return path
    except PermissionError as error:
        raise Mistake(
            "file-unreadable",
            f"The file {path.name!r} may not be read.",
            where=str(path),
            why="Its permissions do not allow it to you.",
            todo=f"Allow it, for example: chmod u+r '{path}'.",
        ) from error
    except (OSError, ValueError) as error:
        what = "That is not the path of a file."
        raise Mistake("file-missing", what, where=str(path), why=str(error)) from error


def raw_blocks(path: Path, size: int = BLOCK) -> Iterator[bytes]:
    """The file's bytes in blocks of about `size`, unpacked if it is packed. A damaged file is a Mistake."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
            file.seek(0)
            if magic.startswith(ZSTD):
                yield from _zstd_blocks(file, size)
            elif magic.startswith(GZIP):
                yield from _blocks(gzip.GzipFile(fileobj=file), size)
            elif magic.startswith(ZIP):
                yield from _zip_blocks(path, size)
            else:
                yield from _blocks(file, size)
    except DAMAGE as error:
        raise damaged(path, error) from error


def head(path: Path, size: int = 1 << 20) -> bytes:
    """The first bytes of the (unpacked) file."""
    first = bytearray()
    for block in raw_blocks(path, size):
        first += block
        if len(first) >= size:
            break
    if not first.strip():
        raise file_empty(path)
    return bytes(first[:size])


def _blocks(file: IO[bytes] | gzip.GzipFile, size: int) -> Iterator[bytes]:
    while block := file.read(size):
        yield block


def _zstd_blocks(file: IO[bytes], size: int) -> Iterator[bytes]:
    """Frame after frame; a file that ends inside one is cut off, which the library does not say."""
    frame = zstandard.ZstdDecompressor().decompressobj()
    while raw := file.read(1 + size // 8):
        while raw:
            if frame.eof:
                frame = zstandard.ZstdDecompressor().decompressobj()
            yield frame.decompress(raw)
            raw = frame.unused_data
    if not frame.eof:
        raise EOFError("The file ends in the middle of a compressed frame.")


def _zip_blocks(path: Path, size: int) -> Iterator[bytes]:
    """The one file inside a zip archive; what operating systems add to it does not count."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.startswith("__MACOSX/")]
        names = [name for name in names if Path(name).name[:1] != "." and not name.endswith("/")]
        if len(names) == 1:
            with archive.open(names[0]) as file:
                yield from _blocks(file, size)
            return
    raise Mistake(
        "zip-not-one-file",
        f"The archive {path.name!r} holds {len(names)} files, and a table is one.",
        where=str(path),
        why=f"It holds: {few(names)}." if names else "It holds none.",
        todo="Unpack it and give the file with the rows.",
    )


def _missing(path: Path) -> Mistake:
    folder = path.parent
    if not folder.is_dir():
        return Mistake("file-missing", f"There is no folder '{folder}'.", where=str(path))
    names = _names_in(folder)
    held = f"The folder has: {few(names)}." if names else "The folder is empty."
    what = f"There is no file {path.name!r} in '{folder}'."
    return Mistake("file-missing", what, where=str(path), todo=nearest(path.name, names) or held)


def is_folder(path: Path) -> Mistake:
    """What to say of a folder that holds neither pictures nor anything else that would be rows."""
    names = _names_in(path)
    return Mistake(
        "file-is-folder",
        f"'{path}' is a folder, and a table is a file.",
        why=f"It holds: {few(names)}." if names else "It is empty.",
        todo=f"Give the file, for example '{path / names[0]}'." if names else "Give a file.",
    )


def _names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))


def few(names: Iterable[str], most: int = 6) -> str:
    """The first of many names, for a sentence."""
    names = list(names)
    return ", ".join(names[:most]) + (" ..." if len(names) > most else "")


def file_empty(path: Path) -> Mistake:
    """What to say of a file with nothing in it."""
    return Mistake("file-empty", f"The file {path.name!r} is empty.", where=str(path))


def damaged(path: Path, error: Exception) -> Mistake:
    """What to say of a file that breaks off or contradicts itself."""
    return Mistake(
        "file-damaged",
        f"The file {path.name!r} cannot be read to its end.",
        where=str(path),
        why=(str(error) or type(error).__name__).splitlines()[0],
        todo="Fetch or copy the file again; if it is locked with a password, unlock it first.",
    )
