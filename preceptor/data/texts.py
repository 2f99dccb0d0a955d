"""Texts that are no table yet: folders of them, and files of lines that begin with a label.

    read_texts(list_folder(Path("reviews")))      # reviews/good/1.txt, reviews/bad/1.txt: a file a row
    read_texts(list_folder(Path("rt_polarity")))  # rt-polarity.pos, rt-polarity.neg: a line a row
    read_labelled_lines(Path("train.txt"))        # "1 a stirring , funny film": label, blank, text

Each becomes a table with the columns text and class. Lines end at line feeds, carriage returns or both,
and nowhere else: Unicode's other line ends, such as the byte 0x85 of old files, belong to the text.
"""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from preceptor.data.encoding import encoding_of, in_its_encoding, lines_in, text_blocks
from preceptor.data.folder import TOLD, Listing, refuse_empty, refuse_one_class
from preceptor.data.opening import few, head
from preceptor.data.room import ensure_room
from preceptor.data.rows import BLANK_LINE
from preceptor.data.table import Account, Dropped, Schema, Table
from preceptor.errors import Mistake

TEXT, CLASS = "text", "class"

TABLES = {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx", ".xls", ".xml", ".svg"}
ABOUT = re.compile(r"\W*(readme|licen[cs]e|sources|copying|citation|changelog)\b", re.IGNORECASE)
PACKED = re.compile(r"\.(gz|zst|zip)$", re.IGNORECASE)
"""Files that hold tables or drawings; those that tell of the data; those that are packed."""

LOOKED_AT, MOST_FILES, FEWEST_LINES = 40, 60, 10
"""How many files tell whether a folder is one of texts; up to how many files of at least so many lines on
average, with no folders around them, are taken for classes whose rows are lines."""

LABELLED = re.compile(r"^(__label__\S+|[^\s,;]{1,30}) +")
MARKED = re.compile(r"-?\d{1,3}|__label__\S+")
LINES, MOST_LABELS, OFTEN = 200, 60, 5
"""How many lines are looked at for labels, and how many there may be. Words are labels only if each comes
twice, and five times on average: the first words of sentences never do."""

WHY_NOT = {
    "file-empty": "empty file",
    "file-binary": "file that is no text",
    "text-undecodable": "letters of no known alphabet",
    "line-endless": "line without end",
}
UNREADABLE, ABOUT_DATA, NO_LABEL = "file that cannot be read", "file about the data", "line without a label"


def are_texts(listing: Listing) -> bool:
    """Whether most files, or those of a sample, are plain text, and neither tables nor labelled lines."""
    some = listing.names[:: max(1, len(listing.names) // LOOKED_AT)]
    if listing.classes is None and any(holds_labelled_lines(listing.folder / name) for name in some):
        return False
    return 2 * sum(_is_text(listing.folder / name) for name in some) > len(some)


def holds_labelled_lines(path: Path) -> bool:
    """Whether the file is text of lines that each begin with a label."""
    return is_labelled_lines(_begins(path))


def is_labelled_lines(first: bytes) -> bool:
    """Whether every line that a file begins with has one of a few labels, a blank, and a text.

    In a table all lines have as many commas, or as many blanks; such a file is a table.
    """
    lines = [line.strip() for line in _decoded(first).split("\n")[:-1] if line.strip()][:LINES]
    found = [LABELLED.match(line) for line in lines]
    labels = Counter(match[1] for match in found if match)
    if None in found or not 2 <= len(labels) <= MOST_LABELS:
        return False
    marked = all(MARKED.fullmatch(label) for label in labels) and len(lines) >= 2 * len(labels)
    if not marked and (min(labels.values()) < 2 or len(lines) < OFTEN * len(labels)):
        return False
    counts = {mark: {line.count(mark) for line in lines} for mark in " ,;\t|"}
    return all(len(count) > 1 or count == {0} for count in counts.values())


def read_texts(listing: Listing, schema: Schema | None = None, rows: int | None = None) -> Table:
    """A row for each file that is text, or for each line of files that are classes.

    With a `schema`, as for a test or for new texts, one class or none will do. Raises Mistake when no text
    can be read or, without a schema, when there are not two classes.
    """
    size = sum((listing.folder / name).stat().st_size for name in listing.names)
    ensure_room(len(listing.names), 2, listing.source, text=3 * size)
    about = [name for name in listing.names if listing.classes is None and ABOUT.match(Path(name).name)]
    for name in about:
        listing.drop(name, ABOUT_DATA)
    told = [name for name in listing.names if name not in about]
    files = {name: lines for name in told if (lines := _lines(listing, name))}
    if listing.classes is None and _are_classes(files):
        found = _by_lines(listing, files)
    else:
        found = _by_files(listing, files)
    if not len(found):
        raise refuse_empty(listing, "texts")
    if schema is None:
        refuse_one_class(listing, found[CLASS].to_list() if CLASS in found else None, "texts")
    counts, dropped = dict(listing.left_out), tuple(listing.dropped)
    sealed = str(listing.sealed) if listing.sealed else None
    found = found.head(rows) if rows else found
    account = Account(len(found), counts, dropped, notes=tuple(listing.notes))
    return replace(_table(found, listing.source, account), names=found["file"], sealed=sealed)


def read_labelled_lines(path: Path, rows: int | None = None) -> Table:
    """A row for each line; one without a label is left out."""
    lines = in_its_encoding(path, lambda encoding: [*lines_in(text_blocks(path, encoding))])
    whole = pl.DataFrame({"line": np.arange(1, len(lines) + 1), TEXT: lines}).with_columns(
        pl.col(TEXT).str.strip_chars()
    )
    found = whole.with_columns(
        pl.col(TEXT).str.replace(LABELLED.pattern, ""),
        pl.col(TEXT).str.extract(LABELLED.pattern).str.strip_prefix("__label__").alias(CLASS),
    )
    bare = whole.filter(found[CLASS].is_null() & (whole[TEXT] != ""))["line"]
    counts = {BLANK_LINE: int((whole[TEXT] == "").sum()), NO_LABEL: len(bare)}
    found = found.drop_nulls(CLASS)
    found = found.head(rows) if rows else found
    account = Account(
        len(found),
        {why: count for why, count in counts.items() if count},
        tuple(Dropped(line, NO_LABEL) for line in bare.head(TOLD)),
    )
    return _table(found, path.name, account)


def _table(found: pl.DataFrame, source: str, account: Account) -> Table:
    """The columns text and class; what is written is text, even where it looks like numbers."""
    frame = found.select(name for name in (TEXT, CLASS) if name in found)
    types = dict.fromkeys(frame.columns, "text")
    answer = CLASS if CLASS in frame else None
    return Table(frame, found["line"].to_numpy(), source, Schema(types), account, answer=answer)


def _by_files(listing: Listing, files: dict[str, list[str]]) -> pl.DataFrame:
    """A row for each file: text, file, line (the number of the file) and, where there are any, class."""
    texts = ["".join(lines).strip() for lines in files.values()]
    found = {TEXT: texts, "file": list(files), "line": np.arange(1, len(files) + 1)}
    if listing.classes is not None:
        owners = dict(zip(listing.names, listing.classes, strict=True))
        found[CLASS] = [owners[name] for name in files]
    return pl.DataFrame(found)


def _by_lines(listing: Listing, files: dict[str, list[str]]) -> pl.DataFrame:
    """A row for each line that is not blank; the class is what tells the file's name from the others'."""
    parts = []
    for (name, lines), label in zip(files.items(), _told_apart(list(files)), strict=True):
        whole = pl.DataFrame({TEXT: lines, "line": np.arange(1, len(lines) + 1)})
        place = pl.format(f"{name.replace('{', '(')}, line {{}}", "line")
        parts.append(
            whole.with_columns(
                pl.col(TEXT).str.strip_chars(), place.alias("file"), pl.lit(label).alias(CLASS)
            )
        )
    found = pl.concat(parts)
    blank = found[TEXT] == ""
    if blank.any():
        listing.left_out[BLANK_LINE] += int(blank.sum())
    classes = found[CLASS].unique(maintain_order=True)
    listing.notes.append(
        f"Every line is an example, of the class that its file is named for: {few(classes)}."
    )
    return found.filter(~blank)


def _told_apart(names: list[str]) -> list[str]:
    """What differs between the names of files: rt-polarity.pos and rt-polarity.neg are pos and neg."""
    bare = [PACKED.sub("", Path(name).name) for name in names]
    parts = [re.split(r"[\s._-]+", name) for name in bare]
    if len({len(part) for part in parts}) > 1:
        stems = [Path(name).stem for name in bare]
        return stems if len(set(stems)) == len(stems) else bare
    differing = [place for place in range(len(parts[0])) if len({part[place] for part in parts}) > 1]
    return ["-".join(part[place] for place in differing) or part[0] for part in parts]


def _are_classes(files: dict[str, list[str]]) -> bool:
    """Whether the files are so few and have so many lines that a line must be an example."""
    return 1 < len(files) <= MOST_FILES and sum(map(len, files.values())) >= FEWEST_LINES * len(files)


def _lines(listing: Listing, name: str) -> list[str]:
    """The lines of a file in its encoding; none, and accounted for, where it is not text."""
    path = listing.folder / name
    try:
        lines = in_its_encoding(path, lambda encoding: [*lines_in(text_blocks(path, encoding))])
    except Mistake as refused:
        listing.drop(name, WHY_NOT.get(refused.code, UNREADABLE))
        return []
    if any(line.strip() for line in lines):
        return lines
    listing.drop(name, WHY_NOT["file-empty"])
    return []


def _is_text(path: Path) -> bool:
    """By its first bytes; what is called .txt is meant to be text even where it is empty or broken."""
    suffix = Path(PACKED.sub("", path.name)).suffix.lower()
    return suffix == ".txt" or (suffix not in TABLES and _decoded(_begins(path)).strip() != "")


def _begins(path: Path) -> bytes:
    """The first bytes of a file; none of one that is empty or damaged."""
    try:
        return head(path, 1 << 14)
    except Mistake:
        return b""


def _decoded(first: bytes) -> str:
    """The text that a file begins with; nothing if it is no text."""
    try:
        return first.decode(encoding_of(first), "ignore")
    except Mistake:
        return ""
