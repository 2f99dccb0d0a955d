"""The run itself: where its rows went and where its time went."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import polars as pl

from preceptor.figures.figure import LIGHT, NARROW, Figure, hue, layered, reach, rows_of, spoken, written, x
from preceptor.figures.words import count, duration, known, plural

SHADES = {"train": "train", "validation": "validation", "sealed": "ink", "left out": "other"}


def rows_account(parts: Mapping[str, int], folds: int = 1) -> Figure | None:
    """Every row that was read and where it went; `parts` are among train, validation, sealed, left out.

    With several `folds` training and validation rows change places so many times.
    """
    parts = {name: parts[name] for name in SHADES if parts.get(name, 0) > 0}
    total = sum(parts.values())
    if len(parts) < 2:
        return None
    out = parts.get("left out", 0)
    table = pl.DataFrame(
        {"part": list(parts), "rows": list(parts.values()), "share": [n / total for n in parts.values()]}
    )
    return Figure(
        name="rows",
        title=f"Of {plural(total, 'row')}, {count(out)} had to be left out" if out else "Every row was used",
        reading="The net learns from the training rows; the validation rows choose between models; the "
        "sealed rows were touched by nothing but the exam that gives the score."
        + (f" Training and validation rows changed places {folds} times." if folds > 1 else ""),
        draw=lambda width: _strip(parts, width),
        table=table,
    )


def _strip(parts: Mapping[str, int], width: int) -> alt.LayerChart:
    total, reached, rows = sum(parts.values()), 0, []
    for name, many in parts.items():
        wide = many / total * width > 6.6 * max(len(name), len(count(many)))
        text = {"name": name if wide else "", "many": count(many) if wide else ""}
        middle = reached + many / 2
        says = f"{name}: {plural(many, 'row')}"
        rows.append(
            {"x": reached, "x2": reached + many, "middle": middle, "part": name, "says": says, **text}
        )
        reached += many
    data = pl.DataFrame(rows)
    shade = hue("part", {part: LIGHT[name] for part, name in SHADES.items()})
    bare = alt.X(field="x", type="quantitative", axis=None, scale=alt.Scale(nice=False, domain=[0, total]))
    centre = alt.X(
        field="middle", type="quantitative", axis=None, scale=alt.Scale(nice=False, domain=[0, total])
    )
    base = alt.Chart(data)
    bars = base.mark_rect(y=22, y2=48, opacity=0.85, stroke=LIGHT["paper"], strokeWidth=2)
    text = base.mark_text(aria=False, fontSize=13).encode(centre)
    name = text.encode(written("name"), shade, y=alt.value(10))
    many = text.encode(written("many"), y=alt.value(62))
    strip = bars.encode(bare, alt.X2(field="x2"), shade, description=spoken())
    return layered(strip, name, many, height=70)


def timeline(stages: Mapping[str, float]) -> Figure | None:
    """The stages of the run one after another, each as long as it took; None with fewer than two."""
    stages = {name: seconds for name, seconds in stages.items() if known(seconds) and seconds >= 0}
    total = sum(stages.values())
    if len(stages) < 2 or total <= 0:
        return None
    longest = max(stages, key=lambda name: stages[name])
    table = pl.DataFrame(
        {
            "stage": list(stages),
            "seconds": list(stages.values()),
            "share": [seconds / total for seconds in stages.values()],
        }
    )
    return Figure(
        name="timeline",
        title=f"The longest stage was “{longest}”: {duration(stages[longest])} of {duration(total)}",
        reading="The stages in the order in which they were done, each as long as it took.",
        draw=lambda width: _gantt(stages, width),
        table=table,
    )


def _gantt(stages: Mapping[str, float], width: int) -> alt.LayerChart:
    data = _laid_out(stages, late=0.75 if width > NARROW else 0.6)
    _, end = reach(data["x2"])
    unit, scale = ("minutes", 60.0) if end >= 180 else ("seconds", 1.0)
    data = data.with_columns(pl.col("x", "x2") / scale)
    title = f"{unit} since the start"
    across, until = (x(title, [end / scale], field=field, zero=True, nice=False) for field in ("x", "x2"))
    base = rows_of(data, stages, width)
    bars = base.mark_bar(color=LIGHT["ours"], opacity=0.85)
    label: dict[str, Any] = {"aria": False, "color": LIGHT["soft"]}
    return layered(
        bars.encode(across, alt.X2(field="x2"), description=spoken()),
        base.mark_text(align="left", dx=6, **label).encode(until, written("after")),
        base.mark_text(align="right", dx=-6, **label).encode(across, written("before")),
        height=25 * data.height + 40,
    )


def _laid_out(stages: Mapping[str, float], late: float) -> pl.DataFrame:
    """Each stage's start and end; its time is written behind the bar, or before one that ends late."""
    took = np.array(list(stages.values()), dtype=float)
    ends = took.cumsum()
    told, behind = [duration(float(seconds)) for seconds in took], ends <= late * ends[-1]
    return pl.DataFrame(
        {
            "x": ends - took,
            "x2": ends,
            "after": [text if place else "" for text, place in zip(told, behind, strict=True)],
            "before": ["" if place else text for text, place in zip(told, behind, strict=True)],
            "says": [f"{name}: {text}" for name, text in zip(stages, told, strict=True)],
        }
    )
