"""From bytes to text: in which encoding is a file written, and what are its lines.

    in_its_encoding(path, lambda encoding: [*lines_in(text_blocks(path, encoding))])

Nothing is ever replaced or left out: a byte that is no letter is a Mistake.
"""

import codecs
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TypeVar

from preceptor.data.opening import BLOCK, head, raw_blocks
from preceptor.errors import Mistake

T = TypeVar("T")
LONGEST_LINE = 1 << 28
MARKS = [
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
# Bytes below the blank that text may hold: tab, line ends, form feed, separators, end of file.
PLAIN = frozenset(b"\t\n\r\f\x01\x1a\x1c\x1d\x1e\x1f")


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


def text_blocks(path: Path, encoding: str, least: int = BLOCK, size: int = BLOCK) -> Iterator[bytes]:
    """The file as UTF-8, every line end a newline, in blocks of whole lines; `size` bytes are read at a time.

    Blocks have at least so many bytes, but for the last. Raises UnicodeDecodeError.
    """
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    rest = b""
    for block in chain(raw_blocks(path, size), [b""]):
        rest += decoder.decode(block, final=not block).encode()
        cut = rest.rfind(b"\n") + 1
        if cut >= least:
            yield rest[:cut]
            rest = rest[cut:]
        elif not cut and len(rest) > LONGEST_LINE:
            raise _endless(path)
    if rest:
        yield rest if rest.endswith(b"\n") else rest + b"\n"


def lines_in(blocks: Iterable[bytes]) -> Iterator[str]:
    """Line after line of blocks that each end with one."""
    for block in blocks:
        yield from io.StringIO(block.decode(), newline="\n")


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


def _endless(path: Path) -> Mistake:
    return Mistake(
        "line-endless",
        f"A line of {path.name!r} is longer than {LONGEST_LINE >> 20} MB, so it is hardly a row.",
        where=str(path),
        todo="Write one row a line.",
    )
