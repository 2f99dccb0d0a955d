"""What a section of the report is made of; the page's template draws each block by its `shape`.

say("It leans most on {column}.", column=name("latitude"))     # escaped, the name set apart
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import polars as pl
from markupsafe import Markup

from preceptor.figures.figure import Figure

PLAIN = Markup("")


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
class Card:
    """A finding with what its code is called, its picture, and what else it could be."""

    finding: Mapping[str, object]
    title: str = ""
    also: str = ""
    figure: Figure | None = None


@dataclass(frozen=True)
class Cards:
    """Findings, each with what was seen, what was done, and what to try."""

    cards: Sequence[Card]
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


@dataclass(frozen=True)
class Tile:
    """A small picture: its data URI, what it shows in words, and what stands below it."""

    source: str
    says: str
    caption: Markup = PLAIN

    @property
    def exact(self) -> bool:
        """Whether every pixel counts: a tiny picture is shown with its pixels as squares."""
        return self.source.startswith("data:image/png")


@dataclass(frozen=True)
class Strip:
    """Pictures side by side under a heading of their own; `apart` sets the first one apart."""

    tiles: Sequence[Tile]
    heading: Markup = PLAIN
    apart: bool = False


@dataclass(frozen=True)
class Gallery:
    """Strips of pictures under a title that says what they show; `size` is "small", "large" or "whole"."""

    title: str
    strips: Sequence[Strip]
    reading: str
    size: str = "large"
    legend: bool = False
    shape: ClassVar[str] = "gallery"


@dataclass(frozen=True)
class Crossing:
    """A confusion matrix with a picture in each cell: `cells` maps (true, answered) to (rows, tile)."""

    title: str
    names: Sequence[str]
    cells: Mapping[tuple[str, str], tuple[int, Tile]]
    reading: str
    table: pl.DataFrame
    shape: ClassVar[str] = "crossing"


@dataclass(frozen=True)
class Passage:
    """A piece of text with what is told of it; `inner` ones belong to the one before."""

    caption: Markup
    words: Markup
    inner: bool = False


@dataclass(frozen=True)
class Passages:
    """Texts under a title that says what they show; `legend` explains the shades of words."""

    title: str
    passages: Sequence[Passage]
    reading: str
    legend: Sequence[str] = ()
    table: pl.DataFrame | None = None
    shape: ClassVar[str] = "passages"


Block = Text | Picture | Grid | Cards | Marks | Commands | Fold | Gallery | Crossing | Passages


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
