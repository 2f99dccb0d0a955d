"""A predicted class beside the true one: who is taken for whom, how sure it is, how rightly.

Every function takes class numbers `truth` and `answer` (N,) that index `classes`.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import polars as pl

from preceptor.figures.figure import (
    LIGHT,
    NARROW,
    PERCENT,
    WIDE,
    Figure,
    depth,
    hue,
    labels,
    layered,
    rows_of,
    spoken,
    written,
    x,
)
from preceptor.figures.words import count, of_100, plural, quoted, share, shortened

MOST = 12
REST = "all others"


def confusion(truth: np.ndarray, answer: np.ndarray, classes: Sequence[str]) -> Figure | None:
    """Who is taken for whom; beyond twelve classes the most frequent ones, the others as one."""
    if len(truth) == 0 or len(classes) < 2:
        return None
    counted = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counted, (truth, answer), 1)
    return Figure(
        name="confusion",
        title=_mistaken(counted, classes),
        reading="Each line holds the rows that truly are of one class: in blue those answered rightly, in "
        "orange those taken for another class. The numbers are rows.",
        draw=lambda width: _matrix(
            *_gathered(counted, list(classes), MOST * min(width, WIDE) // WIDE), width
        ),
        table=_confusion_table(counted, classes),
    )


def _gathered(counted: np.ndarray, classes: list[str], most: int) -> tuple[np.ndarray, list[str]]:
    """The counts of the `most` - 1 most frequent classes, and of all others as one."""
    if len(classes) <= most:
        return counted, classes
    order = np.argsort(-counted.sum(axis=1), kind="stable")[: most - 1]
    group = np.full(len(classes), most - 1)
    group[order] = np.arange(most - 1)
    gathered = np.zeros((most, most), dtype=np.int64)
    np.add.at(gathered, (group[:, None], group[None, :]), counted)
    return gathered, [*(classes[n] for n in order), REST]


def _mistaken(counted: np.ndarray, classes: Sequence[str]) -> str:
    wrong = counted.copy()
    np.fill_diagonal(wrong, 0)
    if not wrong.any():
        return "It never took one class for another"
    true_name, said_name = (
        quoted(shortened(classes[n], 28)) for n in divmod(int(wrong.argmax()), len(wrong))
    )
    return f"Its most frequent mistake: {true_name} taken for {said_name}"


def _confusion_table(counted: np.ndarray, classes: Sequence[str]) -> pl.DataFrame:
    true, said = np.nonzero(counted)
    order = np.argsort(-counted[true, said], kind="stable")
    return pl.DataFrame(
        {
            "truly": [classes[n] for n in true[order]],
            "answered": [classes[n] for n in said[order]],
            "rows": counted[true, said][order],
        }
    )


def _matrix(counted: np.ndarray, names: list[str], width: int) -> alt.LayerChart:
    size = len(names)
    short = labels(names, width // 30)
    base = alt.Chart(_matrix_cells(counted, names, short)).encode(*_matrix_axes(short, width))
    colour = hue("right", {"right": LIGHT["ours"], "wrong": LIGHT["wrong"]})
    cells = base.mark_rect().encode(colour, depth(0.05, 0.6), description=spoken())
    text = base.mark_text(aria=False, fontSize=13 if size <= 8 and width > NARROW else 11)
    return layered(cells, text.encode(written("text")), height=max(40 * min(size, 8), 27 * size) + 70)


def _matrix_cells(counted: np.ndarray, names: list[str], short: list[str]) -> pl.DataFrame:
    """One row a cell; `shade` is the cell's share of the rows of its true class."""
    true, said = np.indices(counted.shape).reshape(2, -1)
    within = counted / np.maximum(counted.sum(axis=1, keepdims=True), 1)
    return pl.DataFrame(
        {
            "row": [short[n] for n in true],
            "x": [short[n] for n in said],
            "right": ["right" if a == b else "wrong" for a, b in zip(true, said, strict=True)],
            "shade": within.ravel(),
            "text": [count(many) if many else "" for many in counted.ravel()],
            "says": [
                f"{names[a]} answered as {names[b]}: {plural(int(counted[a, b]), 'row')}"
                for a, b in zip(true, said, strict=True)
            ],
        }
    )


def _matrix_axes(short: list[str], width: int) -> tuple[alt.X, alt.Y]:
    """The answers above, turned where they would touch; the truth at the side."""
    widest = max(len(label.rstrip()) for label in short)
    angle = 0 if len(short) * (7 * widest + 10) < 0.8 * width else -40
    above = alt.Axis(title="answered", orient="top", labelAngle=angle, grid=False, labelOverlap=False)
    title: dict[str, Any] = {
        "title": "truly",
        "titleAngle": 0,
        "titleAlign": "right",
        "titleX": -6,
        "titleY": -8,
    }
    side = alt.Axis(grid=False, **title)
    scale = alt.Scale(padding=0.03)
    return (
        alt.X(field="x", type="nominal", sort=short, axis=above, scale=scale),
        alt.Y(field="row", type="nominal", sort=short, axis=side, scale=scale),
    )


def found(rows: Sequence[tuple[str, int, float]], kind: str) -> Figure | None:
    """Of each class (or tag: its `kind`) the share that was recognised, hardest first.

    `rows` holds (name, rows that truly are of it, share of them found); None with fewer than two.
    """
    rows = sorted(rows, key=lambda row: row[2])
    if len(rows) < 2:
        return None
    table = pl.DataFrame(rows, schema=["name", "rows", "share found"], orient="row")
    hardest = quoted(shortened(rows[0][0], 40))
    return Figure(
        name="found",
        title=f"The {kind} it finds least often is {hardest}: {of_100(rows[0][2])} of 100",
        reading=f"Of the rows that truly are of a {kind}, the share that was recognised; the hardest first."
        + (f" The {MOST} hardest of {len(rows)}." if len(rows) > MOST else ""),
        draw=lambda width: _shares(rows[:MOST], width),
        table=table,
    )


def _shares(rows: Sequence[tuple[str, int, float]], width: int) -> alt.LayerChart:
    data = pl.DataFrame(
        [{"x": part, "says": f"{name}: {share(part)} of {plural(many, 'row')}"} for name, many, part in rows]
    )
    across = x("share found", PERCENT, zero=True, domain=[0, 1])
    base = rows_of(data, [name for name, *_ in rows], width).encode(across)
    bars = base.mark_bar(color=LIGHT["ours"], opacity=0.85)
    return layered(bars.encode(description=spoken()), height=24 * len(rows) + 40)


def class_balance(truth: np.ndarray, answer: np.ndarray, classes: Sequence[str]) -> Figure | None:
    """How often each class was true and how often answered; None where none is rare or never answered."""
    if len(truth) == 0 or len(classes) < 2:
        return None
    true, said = (np.bincount(v, minlength=len(classes)) for v in (truth, answer))
    order = np.argsort(-true, kind="stable")
    table = pl.DataFrame(
        {"class": [classes[n] for n in order], "truly": true[order], "answered": said[order]}
    )
    if said.all() and true.min() * len(classes) > 0.3 * len(truth):
        return None
    never = [classes[n] for n in order if true[n] and not said[n]]
    name = quoted(shortened(never[0] if never else classes[order[-1]], 30))
    rarest = f"The rarest class is {name}: {share(float(true.min() / len(truth)))} of the rows"
    title = f"It never answers {name}" if never else rarest
    return Figure(
        name="class-balance",
        title=title,
        reading="Bars: how many sealed rows truly are of each class; dots: how many were answered as such.",
        draw=lambda width: _balance(table.head(MOST), width),
        table=table,
    )


def _balance(table: pl.DataFrame, width: int) -> alt.LayerChart:
    data = table.rename({"truly": "x"}).with_columns(
        pl.format("{}: {} rows, {} answers", "class", "x", "answered").alias("says")
    )
    ends = [0, *data["x"], *data["answered"]]
    base = rows_of(data, data["class"], width)
    bars = base.mark_bar(color=LIGHT["ink"], opacity=0.3)
    dots = base.mark_point(color=LIGHT["ours"], filled=True, size=80, opacity=1, aria=False)
    return layered(
        bars.encode(x("rows", ends, zero=True), description=spoken()),
        dots.encode(x("rows", ends, field="answered", zero=True)),
        height=26 * data.height + 40,
    )
