"""What a section of the report is made of; the page's template draws each block by its `shape`.

say("It leans most on {column}.", column=name("latitude"))     # escaped, the name set apart
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup

from preceptor.figures.figure import Figure


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    words: str
    shape: ClassVar[str] = "text"


@dataclass(frozen=True)
class Picture:
    """A figure with its title, how to read it, and its numbers folded away."""

    figure: Figure
    shape: ClassVar[str] = "picture"


@dataclass(frozen=True)
class Grid:
    """A table of text; `marked` rows are set apart (what ships, for example)."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    marked: Sequence[int] = ()
    shape: ClassVar[str] = "grid"

    @property
    def numeric(self) -> list[bool]:
        """Which columns hold numbers, and so are set flush right."""
        return [all(_is_number(cell) for cell in column) for column in zip(*self.rows, strict=True)]


def _is_number(cell: str) -> bool:
    return cell[:1] in "–" or cell.lstrip("-−+±<")[:1].isdigit() or cell == "not known"


@dataclass(frozen=True)
class Cards:
    """Findings, each with what was seen, what was done, and what to try."""

    findings: Sequence[dict[str, object]]
    shape: ClassVar[str] = "cards"


@dataclass(frozen=True)
class Marks:
    """A list of things that hold or do not: (holds, what)."""

    items: Sequence[tuple[bool, str]]
    shape: ClassVar[str] = "marks"


@dataclass(frozen=True)
class Commands:
    """What to type: (what it does, the command)."""

    lines: Sequence[tuple[str, str]]
    shape: ClassVar[str] = "commands"


@dataclass(frozen=True)
class Fold:
    """Details, folded away under a title."""

    title: str
    blocks: Sequence["Block"]
    shape: ClassVar[str] = "fold"


Block = Text | Picture | Grid | Cards | Marks | Commands | Fold


@dataclass(frozen=True)
class Section:
    """One of the six questions, and its answer in a sentence or two."""

    key: str
    question: str
    answer: Markup
    blocks: list[Block] = field(default_factory=list)


def pictures(*figures: Figure | None) -> list[Block]:
    """The figures that say something."""
    return [Picture(figure) for figure in figures if figure is not None]
