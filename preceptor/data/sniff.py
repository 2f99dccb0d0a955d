r"""How a text is written as a table: what parts its cells, what quotes them, has it a line of names?

    dialect = dialect_of("name;price\nhut;3,5\n")            # Dialect(delimiter=";", quote='"', ...)

Every way is tried on the head of the text, and the one under which the rows agree is taken.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

DELIMITERS = ",;\t|^~\x1f\x01 "
NUMBER = re.compile(r"[+-]?(\d[\d.,]*|[.,]\d+)([eE][+-]?\d+)?")
YEAR = re.compile(r"(18|19|20)\d\d")
WHOLE = re.compile(r"\d{1,6}")
BLANKS = re.compile(rb"(?m)^[ \t]+|[ \t]+$|(?<=[ \t])[ \t]+")
CELL = r'(?: *"(?:[^"]|"")*"|[^"\n{delimiter}]*)[\n{delimiter}]'
AGREE = 0.9


@dataclass(frozen=True)
class Dialect:
    """What parts cells, what encloses those that hold it, and what shields a quote inside a cell."""

    delimiter: str = ","
    quote: str | None = '"'
    escape: str | None = None

    def rows(self, lines: Iterable[str]) -> Iterator[tuple[list[str], int]]:
        """Each row's cells and the number of the line it ends on, as Python's csv module reads them."""
        reader = csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote,
            escapechar=self.escape,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            skipinitialspace=self.delimiter != " ",
        )
        for row in reader:
            yield row, reader.line_num


def dialect_of(text: str) -> Dialect:
    """The dialect under which the rows of `text` (its first lines) agree best.

    The first row decides how many cells a row has: a delimiter that the line of names does not
    hold parts nothing. Rows that agree count first, then a quote that explains them, then cells
    that are numbers: "1,5;2,5" is two of them and not three.
    """
    judged = [(merit, dialect) for dialect in _candidates(text) if (merit := _merit(text, dialect))]
    return max(judged, key=lambda pair: pair[0])[1] if judged else _undivided(text)


def folded(raw: bytes) -> bytes:
    """Runs of blanks made one, for tables whose columns are lined up with blanks."""
    return BLANKS.sub(b"", raw.replace(b"\t", b" "))


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Is the first row a line of names? Yes, unless it is certain that it is none.

    Certain are: nothing but numbers in it that are not counted up (0, 1, 2; 1990, 1991); a number
    and a word among its cells that its own column holds again; every word so held; a decimal
    fraction or the same number twice above columns of numbers.
    """
    first, body = [cell.strip() for cell in rows[0]], rows[1:]
    filled = [cell for cell in first if cell]
    numbers = [place for place, cell in enumerate(first) if NUMBER.fullmatch(cell)]
    words = [place for place, cell in enumerate(first) if cell and place not in numbers]
    if not words:
        return not filled or (bool(body) and _counts_up(filled))
    again = [place for place in words if _returns(place, first, body)]
    if again and (numbers or (len(again) == len(words) > 1)):
        return False
    above = [
        first[place] for place in numbers if not YEAR.fullmatch(first[place]) and _is_numeric(place, body)
    ]
    return len(set(above)) == len(above) and not any("." in cell or "," in cell for cell in above)


def _candidates(text: str) -> Iterator[Dialect]:
    for delimiter in DELIMITERS:
        if delimiter in text:
            for quote in _quotes_in(text, delimiter):
                yield Dialect(delimiter, quote)
            if '\\"' in text:
                yield Dialect(delimiter, '"', "\\")


def _undivided(text: str) -> Dialect:
    """One column: nothing parts the first row, so nothing may part the others.

    Unless all of them are parted alike: then a title stands above the table, which will be refused.
    """
    below = text.partition("\n")[2]
    for dialect in _candidates(below):
        merit = _merit(below, dialect)
        if merit and merit[0] >= AGREE and dialect.delimiter != " ":
            return dialect
    absent = next((mark for mark in ",\x1f\x1e\x1d" if mark not in text), ",")
    return Dialect(absent, _quotes_in(text, absent)[-1])


def _quotes_in(text: str, delimiter: str) -> tuple[str | None, ...]:
    """The quotes to try, the likelier first; None for quotes that are letters like any other.

    Apostrophes enclose cells only where most lines have such cells and no double quotes are about.
    """
    if '"' not in text:
        enclosed = len(re.findall(r"(?m)(?<![^\W_])'[^'\n]*'(?![^\W_])", text))
        return ("'",) if enclosed > text.count("\n") else ('"',)
    regular = re.match(f"(?:{CELL.format(delimiter=re.escape(delimiter))})*", text)
    return ('"',) if regular and regular.end() >= AGREE * len(text) else ('"', None)


def _merit(text: str, dialect: Dialect) -> tuple[float, int, float, int] | None:
    """How well the dialect explains the text; None when it parts nothing."""
    aligned = dialect.delimiter == " "
    if aligned:
        text = folded(text.encode()).decode()
    try:
        rows = [row for row, _ in dialect.rows(io.StringIO(text, newline="\n")) if row]
    except csv.Error:
        return None
    width = len(rows[0]) if rows else 0
    if width < 2:
        return None
    agree = sum(len(row) == width for row in rows) / len(rows)
    cells = [cell for row in rows for cell in row if cell]
    numeric = sum(NUMBER.fullmatch(cell.strip()) is not None for cell in cells) / max(1, len(cells))
    if aligned and (agree < AGREE or numeric < 1 / 2):
        return None
    preference = 2 if dialect.quote and not dialect.escape else 1 if dialect.escape else 0
    return round(agree, 2), preference, round(numeric, 1), width


def _counts_up(cells: Sequence[str]) -> bool:
    """Are these numbers names? 0, 1, 2 and 1990, 2000, 2010 are."""
    if len(cells) < 2 or not all(WHOLE.fullmatch(cell) for cell in cells):
        return False
    values = [int(cell) for cell in cells]
    years = all(1800 <= value <= 2100 for value in values) and values == sorted(set(values))
    return years or values == list(range(values[0], values[0] + len(values)))


def _returns(place: int, first: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Does the word stand again in its own column, in a row that is not the first one repeated?"""
    return any(
        place < len(row) and row[place].strip() == first[place] and [cell.strip() for cell in row] != first
        for row in body
    )


def _is_numeric(place: int, body: Sequence[Sequence[str]]) -> bool:
    cells = [row[place].strip() for row in body if place < len(row) and row[place].strip()]
    return bool(cells) and sum(NUMBER.fullmatch(cell) is not None for cell in cells) >= AGREE * len(cells)
