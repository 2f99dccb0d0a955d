"""The page: verdict, six questions, pictures and folds, in one file that needs nothing else.

    write_page(Path("runs/houses-1"))

Pictures are drawn as SVG, in a wide and a narrow size of which the style sheet shows one; their colours
are the style sheet's too, so that one drawing serves light, dark and paper.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment, PackageLoader

from preceptor.explanations import explanations
from preceptor.figures.figure import DARK, LIGHT, NARROW, WIDE, Figure, drawn, themed
from preceptor.figures.words import number, shortened
from preceptor.report.blocks import Block, Cards, Fold, Grid, Picture, Section
from preceptor.report.correct import how_to_correct
from preceptor.report.cost import what_it_cost
from preceptor.report.fails import when_it_fails
from preceptor.report.good import how_good
from preceptor.report.head import facts, lede
from preceptor.report.record import Record
from preceptor.report.trust import when_to_trust
from preceptor.report.verdict import Verdict
from preceptor.report.why import why_so
from preceptor.storage import write_atomically

MOST_ROWS = 60
Sketches = dict[str, tuple[str, str]]
"""Each figure by name as SVG, wide and narrow."""


def write_page(folder: Path) -> Path:
    """Write `report.html` and `figures/*.svg` into the run's folder; return the page's path."""
    record = Record.read(folder)
    sections = questions(record)
    svgs = sketched(sections)
    (folder / "figures").mkdir(exist_ok=True)
    for name, (wide, _) in svgs.items():
        (folder / "figures" / f"{name}.svg").write_text(wide, encoding="utf-8")
    path = folder / "report.html"
    write_atomically(path, page(record, sections, svgs).encode())
    return path


def questions(record: Record) -> list[Section]:
    """The six questions, answered."""
    verdict = Verdict(record)
    return [
        how_good(record, verdict),
        why_so(record, verdict),
        when_it_fails(record, verdict),
        when_to_trust(record, verdict),
        how_to_correct(record),
        what_it_cost(record),
    ]


def page(record: Record, sections: list[Section], svgs: Sketches) -> str:
    """The whole page as HTML."""
    verdict = Verdict(record)
    return filled(
        "report.html",
        sections,
        svgs,
        str(record.last("start").get("version") or ""),
        record=record,
        verdict=verdict,
        lede=lede(record, verdict),
        facts=facts(record, verdict),
        start=record.last("start"),
    )


def filled(template: str, sections: list[Section], svgs: Sketches, version: str, **told: Any) -> str:
    """A page in the house's style: its sections, and whatever else its head tells."""
    themes = {name: tuple(themed(svg) for svg in sizes) for name, sizes in svgs.items()}
    told |= {"sections": sections, "svgs": themes, "version": version, "light": LIGHT, "dark": DARK}
    return _environment().get_template(template).render(**told)


def notebook(folder: Path) -> str:
    """The verdict and the six answers for a notebook's cell, without pictures."""
    record = Record.read(folder)
    template = _environment().get_template("notebook.html")
    verdict = Verdict(record)
    return template.render(
        record=record, verdict=verdict, lede=lede(record, verdict), sections=questions(record)
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("preceptor.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"grid": grid_of, "shortened": shortened}
    environment.globals["explanations"] = explanations()
    return environment


def sketched(sections: Sequence[Section]) -> Sketches:
    """Every figure of the sections by its name, drawn wide and narrow."""
    figures = _within([block for section in sections for block in section.blocks])
    return {figure.name: (drawn(figure, WIDE), drawn(figure, NARROW)) for figure in figures}


def _within(blocks: Sequence[Block]) -> Iterator[Figure]:
    for block in blocks:
        if isinstance(block, Picture):
            yield block.figure
        elif isinstance(block, Fold):
            yield from _within(block.blocks)
        elif isinstance(block, Cards):
            yield from (card.figure for card in block.cards if card.figure)


def grid_of(table: pl.DataFrame) -> Grid:
    """A figure's numbers as a table of text; a long table is cut, and says so."""
    rows = [[_cell(value) for value in row] for row in table.head(MOST_ROWS).iter_rows()]
    cut = f"The first {MOST_ROWS} of {table.height:,} rows." if table.height > MOST_ROWS else ""
    return Grid(cut, table.columns, rows)


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return number(value)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
