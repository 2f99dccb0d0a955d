"""What a figure is, the colours that all of them share, and how one becomes SVG.

    figure = learning_curves(history)
    figure.chart()                       # an Altair chart, for a notebook
    drawn(figure, width=640)             # SVG text in the light theme's colours
    themed(drawn(figure, width=640))     # the same, its colours left to the page's style sheet

A colour means one thing everywhere: see `LIGHT`. The hues are those of Okabe and Ito ("Color
universal design", 2008), told apart by colour-blind readers, darkened where thin lines need it.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import altair as alt
import numpy as np
import polars as pl
import vl_convert

from preceptor.figures.words import Interval, known, shortened

LIGHT = {
    "ours": "#0072b2",  # what preceptor answers
    "rival": "#85256b",  # the best of the rivals
    "other": "#727c89",  # what is neither: other rivals, the dumb predictor, rows left out
    "train": "#00875f",  # rows the net learns from
    "validation": "#b87a00",  # rows that choose between nets
    "wrong": "#cf5a00",  # errors, and where they are worse than elsewhere
    "ink": "#1d2733",  # text, and the truth
    "soft": "#5c6774",  # labels
    "line": "#e2e6eb",  # grids
    "paper": "#fefefe",
}
DARK = {
    "ours": "#5bb8ee",
    "rival": "#e08fc0",
    "other": "#7d8896",
    "train": "#3ccf9f",
    "validation": "#efb43a",
    "wrong": "#ff8b45",
    "ink": "#e9edf1",
    "soft": "#a5afba",
    "line": "#2c343d",
    "paper": "#13171c",
}
FONT = (
    "Arial, Liberation Sans, Helvetica, sans-serif"  # of one width on every system, so labels fit as measured
)
WIDE, NARROW = 660, 340


@dataclass(frozen=True)
class Figure:
    """A picture, what it shows, and its numbers.

    `title` says what is seen ("Errors grow with price"), `reading` how to read it. `draw` makes the
    chart at a width in pixels. `table` holds the same numbers.
    """

    name: str
    title: str
    reading: str
    draw: Callable[[int], alt.LayerChart]
    table: pl.DataFrame

    def chart(self, width: int = WIDE) -> alt.LayerChart:
        """The Altair chart, `width` pixels wide in all, in the house's style."""
        chart = self.draw(width)
        chart["width"] = width  # set in place, for `properties` would copy the chart and its data
        chart["autosize"] = alt.AutoSizeParams(type="fit", contains="padding")
        chart["padding"] = {"left": 2, "top": 6, "right": 8, "bottom": 2}
        chart["config"] = _style()
        return chart


@cache
def _style() -> alt.Config:
    text: dict[str, Any] = {
        "labelColor": LIGHT["soft"],
        "titleColor": LIGHT["soft"],
        "labelFontSize": 13,
        "titleFontSize": 13,
    }
    axis: dict[str, Any] = {
        "gridColor": LIGHT["line"],
        "domain": False,
        "ticks": False,
        "labelPadding": 6,
        **text,
    }
    return alt.Config(
        font=FONT,
        background=LIGHT["paper"],
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(titleFontWeight="normal", titlePadding=8, labelLimit=0, **axis),
        legend=alt.LegendConfig(
            title=None, symbolStrokeWidth=3, symbolOpacity=1, padding=4, labelLimit=0, **text
        ),
        text=alt.MarkConfig(font=FONT, fontSize=13, color=LIGHT["ink"]),
    )


def x(title: str, values: Iterable[float] = (), *, field: str = "x", **scale: Any) -> alt.X:
    """A horizontal numeric axis whose tick labels suit `values`; `scale` as in `altair.Scale`."""
    axis = _ticks(values, labelSeparation=10, titleAnchor="end")
    return alt.X(field=field, type="quantitative", title=title, axis=axis, scale=_scale(scale))


def y(
    title: str, values: Iterable[float] = (), *, field: str = "y", ticks: Iterable[float] = (), **scale: Any
) -> alt.Y:
    """A vertical numeric axis whose title lies above it, where it can be read without turning.

    `ticks` are the values to mark, where the usual ones would not do.
    """
    above: dict[str, Any] = {
        "titleAngle": 0,
        "titleAlign": "left",
        "titleAnchor": "start",
        "titleX": 0,
        "titleY": -14,
    }
    axis = _ticks(values, **above, **({"values": list(ticks)} if ticks else {}))
    return alt.Y(field=field, type="quantitative", title=title, axis=axis, scale=_scale(scale))


PERCENT = (math.inf,)  # given for `values`: the axis counts shares of one


def _scale(given: dict[str, Any]) -> alt.Scale:
    return alt.Scale(**{"zero": False, "nice": True, **given})


def _ticks(seen: Iterable[float], **options: Any) -> alt.Axis:
    written = "~%" if seen is PERCENT else tick_format(seen)
    return alt.Axis(format=written, tickCount=5, labelFlush=False, **options)


def tick_format(values: Iterable[float]) -> str:
    """How the numbers of an axis are written: 50,000, 1.5M, 0.25, 1e-6 (a d3 format)."""
    largest = max((abs(value) for value in values if known(value)), default=1.0)
    if largest >= 1e6:
        return "~s"
    return ",.6~r" if largest >= 1e-3 or largest == 0 else "~e"


def labels(names: Iterable[str], most: int) -> list[str]:
    """Names as axis labels of at most `most` characters, all different even where they read alike.

    They are cut here because Vega's own cut can split a character in two, which then cannot be drawn.
    """
    return [shortened(name, most) + " " * n for n, name in enumerate(names)]


def rows_of(data: pl.DataFrame, names: Iterable[str], width: int) -> alt.Chart:
    """A chart with one named row for each row of `data`, in order, the names on the left."""
    order = labels(names, round(width * 0.062))
    axis = alt.Axis(title=None, grid=False, labelColor=LIGHT["ink"])
    up = alt.Y(field="row", type="nominal", sort=order, axis=axis, scale=alt.Scale(paddingInner=0.3))
    return alt.Chart(data.with_columns(pl.Series("row", order))).encode(up)


def hue(field: str, shades: Mapping[str, str], legend: alt.Legend | None = None) -> alt.Color:
    """The colour of each value of a field."""
    scale = alt.Scale(domain=list(shades), range=list(shades.values()))
    return alt.Color(field=field, type="nominal", legend=legend, scale=scale)


def depth(low: float, high: float, field: str = "shade") -> alt.Opacity:
    """Opacity from `low` to `high` as a field goes from 0 to 1: it darkens on paper, lightens at night."""
    scale = alt.Scale(domain=[0, 1], range=[low, high])
    return alt.Opacity(field=field, type="quantitative", legend=None, scale=scale)


def written(field: str) -> alt.Text:
    """The text that a mark shows."""
    return alt.Text(field=field, type="nominal")


def spoken(field: str = "says") -> alt.Description:
    """What is said of a mark when the pointer rests on it."""
    return alt.Description(field=field, type="nominal")


def layered(*layers: alt.Chart, height: float) -> alt.LayerChart:
    """The layers one above another, on the same axes."""
    return alt.LayerChart(layer=list(layers), height=round(height))


def drawn(figure: Figure, width: int = WIDE) -> str:
    """The figure as SVG text, in the light theme's colours."""
    version = "_".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
    spec = figure.chart(width).to_dict(validate=False)
    return vl_convert.vegalite_to_svg(spec, vl_version=version.replace("_", "."))


_TAG = re.compile(r"<[^>]+>")
_NOISE = re.compile(r' (?:class|role|aria-hidden|aria-roledescription|pointer-events|font-family)="[^"]*"')
_LONG = re.compile(r"(\.\d\d)\d+")
_SPOKEN = re.compile(r'<(\w+)([^>]*?) aria-label="([^"]*)"([^>]*?)/>')
_HEX = {shade.lower(): f"var(--{name})" for name, shade in LIGHT.items()}
_SHADE = re.compile("|".join(_HEX))


def themed(svg: str) -> str:
    """The SVG for a page: colours by the page's style sheet, what was `spoken` as tooltips, no noise."""
    slim = _TAG.sub(lambda tag: _LONG.sub(r"\1", _NOISE.sub("", tag[0])), svg)
    told = _SPOKEN.sub(r"<\1\2\4><title>\3</title></\1>", slim)
    return _TAG.sub(lambda tag: _SHADE.sub(lambda shade: _HEX[shade[0]], tag[0]), told)


def ranged(scores: Iterable[float], intervals: Iterable[Interval | None]) -> pl.DataFrame:
    """Scores with the two ends of their intervals; the ends are null where there is no interval."""
    ends = list(intervals)
    columns = {"score": scores, "from": [e and e[0] for e in ends], "to": [e and e[1] for e in ends]}
    return pl.DataFrame(
        {name: pl.Series(values, dtype=pl.Float64, strict=False) for name, values in columns.items()}
    )


def reach(*columns: pl.Series) -> tuple[float, float]:
    """The least and the greatest of all values."""
    values = np.concatenate([column.to_numpy() for column in columns])
    return float(values.min()), float(values.max())
