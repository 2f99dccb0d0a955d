"""Who predicts best: preceptor's answer, its rivals and the dumb predictor on one axis."""

from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import polars as pl

from preceptor.figures.figure import (
    LIGHT,
    NARROW,
    PERCENT,
    Figure,
    hue,
    layered,
    ranged,
    rows_of,
    spoken,
    written,
    x,
)
from preceptor.figures.words import Interval, known

Role = Literal["ours", "rival", "other"]


@dataclass(frozen=True)
class Entry:
    """One predictor's score; `label` is the score as it is said, `role` decides the colour."""

    title: str
    score: float
    interval: Interval | None
    label: str
    role: Role


def contest(
    entries: list[Entry], axis: str, higher_is_better: bool, title: str, rows: str, *, share: bool = False
) -> Figure | None:
    """All scores with their intervals, best first; None where there is nobody to compare with.

    `axis` names the metric with its unit, `rows` the rows the scores were measured on; a `share` is
    shown in percent. A score far
    worse than the rest is drawn at the edge, with its true value beside it.
    """
    entries = sorted((e for e in entries if known(e.score)), key=lambda e: e.score, reverse=higher_is_better)
    if len(entries) < 2:
        return None
    scores = ranged((e.score for e in entries), (e.interval for e in entries))
    table = scores.insert_column(0, pl.Series("predictor", [e.title for e in entries]))
    side = "right" if higher_is_better else "left"
    return Figure(
        name="contest",
        title=title,
        reading=f"Measured on {rows}; further to the {side} is better. A line is the range the score could "
        "take by luck of the draw: where two lines overlap widely, take the two for equal.",
        draw=lambda width: _dots(entries, axis, share, width),
        table=table,
    )


def _limits(entries: list[Entry]) -> tuple[float, float]:
    """The axis: all scores, save one that lies so far off that the others would look alike."""
    ends = [end for entry in entries for end in (entry.interval or (entry.score, entry.score))]
    scores = sorted(entry.score for entry in entries)
    middle, reach = scores[len(scores) // 2], 6 * (scores[-2] - scores[0] if len(scores) > 2 else 0)
    if reach > 0 and max(abs(scores[0] - middle), abs(scores[-1] - middle)) > reach:
        ends = [end for end in ends if abs(end - middle) <= reach]
    margin = (max(ends) - min(ends)) * 0.04 or abs(ends[0]) * 0.04 or 1.0
    return min(ends) - margin, max(ends) + margin


def _clipped(entries: list[Entry], low: float, high: float) -> pl.DataFrame:
    """One row an entry; scores beyond the axis lie at its edge."""
    return ranged((e.score for e in entries), (e.interval for e in entries)).select(
        pl.Series("role", [entry.role for entry in entries]),
        pl.Series("label", [entry.label for entry in entries]),
        pl.Series("says", [f"{entry.title}: {entry.label}" for entry in entries]),
        pl.col("score").clip(low, high).alias("x"),
        pl.col("from").fill_null(pl.col("score")).clip(low, high),
        pl.col("to").fill_null(pl.col("score")).clip(low, high),
    )


def _dots(entries: list[Entry], axis: str, share: bool, width: int) -> alt.LayerChart:
    low, high = _limits(entries)
    room = (high - low) * 9 * max(len(entry.label) for entry in entries) / width  # for the last label
    data = _clipped(entries, low, high)
    colour = hue("role", {role: LIGHT[role] for role in ("ours", "rival", "other")})
    limits: dict[str, Any] = {"domain": [low, high + room], "nice": False}
    across, start, end = (
        x(axis, PERCENT if share else [low, high], field=field, **limits) for field in ("x", "from", "to")
    )
    base = rows_of(data, [entry.title for entry in entries], width).encode(colour)
    bars = base.mark_rule(strokeWidth=3, opacity=0.55, aria=False).encode(start, alt.X2(field="to"))
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(across, description=spoken())
    text = base.mark_text(align="left", dx=12, aria=False, fontSize=12 if width <= NARROW else 13)
    labels = text.encode(end, written("label"))
    return layered(bars, dots, labels, height=26 * data.height + 40)
