r"""From a path to bytes and to text: what is there, is it packed, in which alphabet is it written.

    path = located("houses.csv.gz")
    for text in text_blocks(path, encoding_of(head(path))): ...      # UTF-8 bytes, newlines as \n

What a file is, its first bytes say; its name is never trusted.
"""

import codecs
import gzip
import io
import os
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TypeVar

import zstandard

from preceptor.errors import Mistake, nearest

T = TypeVar("T")
BLOCK = 8 << 20
GZIP, ZIP, ZSTD = b"\x1f\x8b", b"PK", b"\x28\xb5\x2f\xfd"
PACKED = (GZIP, ZIP, ZSTD)
MARKS = [
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
DAMAGE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, zstandard.ZstdError, RuntimeError, ValueError)
# Bytes below the blank that text may hold: tab, line ends, form feed, separators, end of file.
PLAIN = frozenset(b"\t\n\r\f\x01\x1a\x1c\x1d\x1e\x1f")


def located(source: str | os.PathLike[str]) -> Path:
    """The path of a file that is there, is a file, may be read and is not empty; else a Mistake."""
    path = Path(source)
    try:
        if path.is_dir():
            raise _is_folder(path)
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


def raw_blocks(path: Path) -> Iterator[bytes]:
    """The file's bytes in blocks, unpacked if it is packed. A damaged file is a Mistake."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
            file.seek(0)
            if magic.startswith(ZSTD):
                yield from _zstd_blocks(file)
            elif magic.startswith(GZIP):
                yield from _blocks(gzip.GzipFile(fileobj=file))
            elif magic.startswith(ZIP):
                yield from _blocks(_only_member(path))
            else:
                yield from _blocks(file)
    except DAMAGE as error:
        raise damaged(path, error) from error


def head(path: Path, size: int = 1 << 20) -> bytes:
    """The first bytes of the (unpacked) file."""
    first = bytearray()
    for block in raw_blocks(path):
        first += block
        if len(first) >= size:
            break
    if not first.strip():
        raise file_empty(path)
    return bytes(first[:size])


def encoding_of(raw: bytes) -> str:
    """The encoding of a text that begins with `raw`: by its mark, by its zeros, by trial.

    What is not UTF-8 is taken for Windows-1252, the superset of Latin-1 that such files come from.
    Raises Mistake for bytes that are no text, and for UTF-8 with broken places in it.
    """
    for mark, name in MARKS:
        if raw.startswith(mark):
            return name
    if b"\0" in raw:
        return _wide(raw)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(raw)
        name = "utf-8"
    except UnicodeDecodeError as error:
        _refuse_broken(raw, error)
        name = "cp1252"
    if sum(raw.count(byte) for byte in range(32) if byte not in PLAIN) > len(raw) // 100:
        raise _binary(raw)
    return name


def in_its_encoding(path: Path, take: Callable[[str], T]) -> T:
    """What `take` makes of the file, given its encoding.

    A byte that is not UTF-8 may come late; then `take` begins anew with the encoding it shows.
    """
    first = head(path)
    encoding = encoding_of(first)
    try:
        return take(encoding)
    except UnicodeDecodeError as error:
        known = first.decode("utf-8", "ignore").encode()
        second = encoding_of(known + bytes(error.object)) if encoding == "utf-8" else encoding
        if second != encoding:
            return take(second)
        raise Mistake(
            "text-undecodable",
            f"The text of {path.name!r} begins as {encoding} and does not stay so.",
            where=str(path),
            why=error.reason,
            todo="Save the file as UTF-8 in the program it comes from.",
        ) from error


def text_blocks(path: Path, encoding: str) -> Iterator[bytes]:
    """The file as UTF-8 in blocks, every line end a single newline. Raises UnicodeDecodeError."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    for block in raw_blocks(path):
        yield decoder.decode(block).encode()
    yield decoder.decode(b"", final=True).encode()


def _blocks(file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block


def _zstd_blocks(file: IO[bytes]) -> Iterator[bytes]:
    """Frame after frame; a file that ends inside one is cut off, which the library does not say."""
    frame = zstandard.ZstdDecompressor().decompressobj()
    while raw := file.read(BLOCK // 8):
        while raw:
            if frame.eof:
                frame = zstandard.ZstdDecompressor().decompressobj()
            yield frame.decompress(raw)
            raw = frame.unused_data
    if not frame.eof:
        raise EOFError("The file ends in the middle of a compressed frame.")


def _only_member(path: Path) -> IO[bytes]:
    """The one file inside a zip archive; what operating systems add to it does not count."""
    archive = zipfile.ZipFile(path)
    names = [
        name
        for name in archive.namelist()
        if not (name.endswith("/") or name.startswith("__MACOSX/") or Path(name).name.startswith("."))
    ]
    if len(names) == 1:
        return archive.open(names[0])
    raise Mistake(
        "zip-not-one-file",
        f"The archive {path.name!r} holds {len(names)} files, and a table is one.",
        where=str(path),
        why=f"It holds: {few(names)}." if names else "It holds none.",
        todo="Unpack it and give the file with the rows.",
    )


def _wide(raw: bytes) -> str:
    """UTF-16 without a mark shows zeros in every other byte of Western text; other zeros are no text."""
    half = len(raw) // 2
    even, odd = raw[0::2].count(0), raw[1::2].count(0)
    if odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.05 * half:
        return "utf-16-be"
    raise _binary(raw)


def _refuse_broken(raw: bytes, error: UnicodeDecodeError) -> None:
    """UTF-8 with a few broken bytes must not be read as another alphabet: it would turn into 'Ã©'."""
    lenient = raw.decode("utf-8", "replace")
    broken = lenient.count("\ufffd")
    whole = sum(letter > "\x7f" for letter in lenient) - broken
    undefined = any(raw.count(byte) for byte in b"\x81\x8d\x8f\x90\x9d")
    if whole > broken or undefined:
        before = raw[max(0, error.start - 20) : error.start].decode("utf-8", "replace")
        raise Mistake(
            "text-undecodable",
            f"The text has bytes that belong to no alphabet preceptor knows, first after {before!r}.",
            where=f"line {raw[: error.start].count(10) + 1}",
            why=f"Byte {raw[error.start]:#04x} is no UTF-8 there, nor is the whole Windows-1252.",
            todo="Save the file as UTF-8 in the program it comes from.",
        )


def _binary(raw: bytes) -> Mistake:
    return Mistake(
        "file-binary",
        "The file is not text: it holds bytes that no table written as text has.",
        why=f"It begins with {raw[:8]!r}.",
        todo="Give a CSV, TSV, Parquet, JSON-lines or Excel file.",
    )


def _missing(path: Path) -> Mistake:
    folder = path.parent
    if not folder.is_dir():
        return Mistake("file-missing", f"There is no folder '{folder}'.", where=str(path))
    names = _names_in(folder)
    todo = nearest(path.name, names) or (
        f"The folder has: {few(names)}." if names else "The folder is empty."
    )
    what = f"There is no file {path.name!r} in '{folder}'."
    return Mistake("file-missing", what, where=str(path), todo=todo)


def _is_folder(path: Path) -> Mistake:
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
