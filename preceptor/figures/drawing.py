"""Four plain ways to draw a handful of numbers: bars, dots by layer, lines over steps, a strip of places.

bars("Wrong answers cost less", reading, "loss", [Bar("right ones", 2.3), Bar("wrong ones", -1.0, "wrong")])
lines("The loss leaps", reading, ("step", "loss"), [Line("training", [(1, 2.3), (2, 9.1)], "train")], mark=2)
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import altair as alt
import polars as pl

from preceptor.figures.figure import (
    LIGHT,
    Figure,
    hue,
    layered,
    reach,
    rows_of,
    spoken,
    tick_format,
    written,
    x,
    y,
)
from preceptor.figures.learning import decades, level
from preceptor.figures.words import known, number

BEYOND, LEFT_OUT = 2.0, 10.0
"""A bar that diverged reaches so many times as far as the longest of the others; so far, one that is cut."""
PIXELS_TO_TELL = 62
"""The room behind the longest bar for its number."""
MOST_LAYERS = 24
LEGEND = alt.Legend(orient="top", direction="horizontal", offset=22)
SHARE_OF_DUMB = "loss (1: always the same answer)"
"""The axis of losses that are told as shares of the constant answer's."""
DASHED = "1 (dashed) is what always the same answer has, 0 is perfect."
Points = Sequence[Sequence[float | None]]
Drawer = Callable[..., Figure | None]
"""Draws a figure from pieces of evidence, given by name."""


def brief(value: float) -> str:
    """A number to two digits: what was tried once, on a few rows, carries no more."""
    value = float(f"{value:.2g}")
    power = math.floor(math.log10(abs(value))) if value else 0
    return number(value, grain=10.0 ** min(power - 1, 0))


def percent(value: float) -> str:
    """A share of one in percent, to two digits."""
    return f"{brief(100 * value)}\u00a0%"


class Bar(NamedTuple):
    """One named value and its colour, a key of `LIGHT`; None, or a number out of bounds, is "diverged"."""

    name: str
    value: float | None
    shade: str = "other"


class Line(NamedTuple):
    """A curve through (x, y) pairs, those without a number left out, and its colour, a key of `LIGHT`."""

    name: str
    points: Points
    shade: str


def bars(
    title: str,
    reading: str,
    axis: str,
    rows: Sequence[Bar],
    *,
    line: float | None = None,
    say: Callable[[float], str] = brief,
    cut: bool = False,
) -> Figure:
    """A bar a row with its value said behind it; `line` is dashed across, `say` puts a value into words.

    With `cut`, a bar that dwarfs all others ends early, with an arrow behind its number.
    """
    values = [row.value if known(row.value) and abs(row.value) < 1e6 else math.inf for row in rows]
    limit = _limit([*values, line] if line is not None else values, cut)
    data = pl.DataFrame(
        {
            "shown": [min(value, limit) for value in values],
            "told": [_told(value, limit, say) for value in values],
            "shade": [row.shade for row in rows],
        }
    )
    table = pl.DataFrame({"": [row.name for row in rows], axis: [v if known(v) else None for v in values]})
    return Figure("bars", title, reading, lambda width: _bars(data, rows, axis, line, width), table)


def _limit(values: Sequence[float], cut: bool) -> float:
    """How far the axis goes."""
    finite = sorted(value for value in values if math.isfinite(value)) or [1.0]
    if len(finite) < len(values):
        return BEYOND * finite[-1]
    return min(finite[-1], LEFT_OUT * finite[-2]) if cut and len(finite) > 1 else finite[-1]


def _told(value: float, limit: float, say: Callable[[float], str]) -> str:
    if not known(value):
        return "diverged"
    return f"{say(value)} →" if value > limit else say(value)


def _bars(
    data: pl.DataFrame,
    rows: Sequence[Bar],
    axis: str,
    line: float | None,
    width: int,
) -> alt.LayerChart:
    room = 1 + PIXELS_TO_TELL / max(0.55 * width - PIXELS_TO_TELL, 1.0)
    longest = max([*data["shown"], line or 0.0]) or 1.0
    domain = [min(0.0, *data["shown"]), room * longest]
    says = [f"{row.name}: {told}" for row, told in zip(rows, data["told"], strict=True)]
    base = rows_of(data.with_columns(pl.Series("says", says)), [row.name for row in rows], width)
    plain = alt.Axis(labels=False, grid=False, titleAnchor="end")  # each bar tells its own number
    scale = alt.Scale(domain=domain, nice=False)
    across = alt.X(field="shown", type="quantitative", title=axis, axis=plain, scale=scale)
    shades = hue("shade", {shade: LIGHT[shade] for shade in dict.fromkeys(row.shade for row in rows)})
    told = base.mark_text(align="left", dx=6, aria=False).encode(across, written("told"))
    halo = base.mark_text(align="left", dx=6, aria=False, stroke=LIGHT["paper"], strokeWidth=5)
    layers = [base.mark_bar(opacity=0.85).encode(across, shades, description=spoken())]
    layers += [_dashed(pl.DataFrame({"shown": [line]}), across, "ink")] if line is not None else []
    layers += [halo.encode(across, written("told")), told]
    return layered(*layers, height=30 * len(rows) + 28)


def dots(
    title: str,
    reading: str,
    axis: str,
    layers: Mapping[str, float],
    *,
    marked: str | None = None,
    band: tuple[float, float] | None = None,
) -> Figure:
    """A dot for each layer, from the first to the last, on an axis of orders of magnitude.

    `marked` is set apart; the grey `band` is what is usual. Of many layers some are left out.
    """
    step = math.ceil(len(layers) / MOST_LAYERS)
    kept = [pair for n, pair in enumerate(layers.items()) if n % step == 0 or pair[0] == marked]
    table = pl.DataFrame(kept, ["layer", axis], orient="row")
    return Figure("dots", title, reading, lambda width: _dots(dict(kept), axis, marked, band, width), table)


def _dots(
    layers: Mapping[str, float],
    axis: str,
    marked: str | None,
    band: tuple[float, float] | None,
    width: int,
) -> alt.LayerChart:
    least = min((value for value in layers.values() if value > 0), default=1.0) / 100
    values = [max(value, least) for value in layers.values()]  # zero lies beyond any power of ten
    ends = [min(values) / 2, max(values) * 2]
    data = pl.DataFrame(
        {
            "x": values,
            "shade": ["wrong" if name == marked else "ours" for name in layers],
            "says": [f"{name}: {number(value)}" for name, value in layers.items()],
        }
    )
    across = _magnitudes(axis, min(ends[0], *(band or ends)), max(ends[1], *(band or ends)))
    shades = hue("shade", {"ours": LIGHT["ours"], "wrong": LIGHT["wrong"]})
    base = rows_of(data, layers, width).mark_circle(size=90, opacity=1)
    drawn = [base.encode(across, shades, description=spoken())]
    if band:
        edges = alt.Chart(pl.DataFrame({"x": [band[0]], "end": [band[1]]}))
        usual = edges.mark_rect(opacity=0.16, color=LIGHT["other"], aria=False)
        drawn.insert(0, usual.encode(across, alt.X2(field="end")))
    return layered(*drawn, height=24 * len(layers) + 44)


def _magnitudes(title: str, low: float, high: float) -> alt.X:
    """A horizontal axis of orders of magnitude."""
    seen = [low] if low < 1e-4 else [low, high]  # one way of writing all, down to the least
    across = x(title, seen, type="log", domain=[low, high], nice=False)
    across["axis"]["values"] = decades(low, high)
    return across


def lines(
    title: str,
    reading: str,
    axes: tuple[str, str],
    curves: Sequence[Line],
    *,
    mark: float | None = None,
    even: bool = False,
) -> Figure | None:
    """Curves over steps or epochs; `mark` is the step set apart. None where nothing has two points.

    Where the values span decades the axis is logarithmic, unless it is to be `even`.
    """
    rows = [
        (curve.name, float(at), float(value))
        for curve in curves
        for at, value in curve.points
        if known(at) and known(value)
    ]
    data = pl.DataFrame(rows, ["curve", "x", "y"], orient="row")
    if data.height < 2 or data["x"].n_unique() < 2:
        return None
    shades = {curve.name: LIGHT[curve.shade] for curve in curves}
    table = data.rename({"curve": "", "x": axes[0], "y": axes[1]})
    return Figure("lines", title, reading, lambda width: _lines(data, axes, shades, mark, even, width), table)


def _lines(
    data: pl.DataFrame,
    axes: tuple[str, str],
    shades: Mapping[str, str],
    mark: float | None,
    even: bool,
    width: int,
) -> alt.LayerChart:
    legend = LEGEND if len(shades) > 1 else None
    up = y(axes[1], data["y"]) if even else level(axes[1], *reach(data["y"]))
    across = x(axes[0], data["x"], nice=False)
    across["axis"]["tickMinStep"] = 1
    points: Any = {"filled": True, "size": 40} if data.height < 16 * len(shades) else False
    line = alt.Chart(data).mark_line(strokeWidth=2.5, aria=False, point=points)
    layers = [line.encode(across, up, hue("curve", shades, legend))]
    layers += [_dashed(pl.DataFrame({"x": [mark]}), across, "wrong")] if mark is not None else []
    return layered(*layers, height=round(math.sqrt(width) * 10))


def _dashed(at: pl.DataFrame, across: alt.X, shade: str) -> alt.Chart:
    """A dashed line from top to bottom."""
    rule = alt.Chart(at).mark_rule(strokeDash=[5, 4], strokeWidth=1.5, color=LIGHT[shade], aria=False)
    return rule.encode(across)


def strip(
    title: str, reading: str, axis: str, places: int, marked: Sequence[int], names: Sequence[str]
) -> Figure:
    """Places side by side, numbered from 0; `marked` ones are set apart. `names` tell (marked, the rest)."""
    apart = set(marked)
    side = [names[0] if place in apart else names[1] for place in range(places)]
    table = pl.DataFrame({axis: range(places), "": side})
    shades = {names[0]: LIGHT["wrong"], names[1]: LIGHT["other"]}
    data = table.rename({axis: "x", "": "side"}).with_columns(
        (pl.col("x") - 0.5).alias("from"), (pl.col("x") + 0.5).alias("to"), row=pl.lit("")
    )
    return Figure("strip", title, reading, lambda width: _strip(data, axis, shades), table)


def _strip(data: pl.DataFrame, axis: str, shades: Mapping[str, str]) -> alt.LayerChart:
    ends = [-0.5, data.height - 0.5]
    written_as: dict[str, Any] = {
        "format": tick_format(ends),
        "tickCount": 5,
        "tickMinStep": 1,
        "grid": False,
    }
    across = alt.X(
        field="from",
        type="quantitative",
        title=axis,
        axis=alt.Axis(titleAnchor="end", **written_as),
        scale=alt.Scale(domain=ends, nice=False),
    )
    up = alt.Y(field="row", type="nominal", axis=None)
    edge: dict[str, Any] = {"stroke": LIGHT["paper"], "strokeWidth": 1 if data.height <= 100 else 0}
    squares = alt.Chart(data).mark_rect(opacity=0.85, aria=False, **edge)
    return layered(squares.encode(across, up, alt.X2(field="to"), hue("side", shades, LEGEND)), height=110)
