"""The picture of the README: how many times faster preceptor is, workload by workload, targets marked.

    write_chart(RESULTS)                                 # docs/benchmarks.svg, from the JSON there

The three fits stand side by side over one list of peers, each with all its logging off. The axis is
logarithmic, so that twice as fast and half as fast lie equally far from one.
"""

import json
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import vl_convert

from benchmarks.roster import LEAN
from benchmarks.tables import ratio
from preceptor.figures.figure import FONT, LIGHT

PICTURE = Path(__file__).parent.parent / "docs" / "benchmarks.svg"
PANELS = {
    "tabular": "Small net on numbers",
    "mlp": "Dense net on pictures",
    "cnn": "Convolutional net on pictures",
}
LIMITS = {"backward by hand": "written by hand, no autograd"}
NOT_DRAWN = {"whole step compiled"}
"""Compiled with more care it is faster (LOG.md), so that its bar would flatter preceptor."""
TITLE = "How many times as long others take for the same training"
READING = (
    "Same net, optimiser, batches and epochs, two cores; peers with all logging off. "
    "Blue line: preceptor. Dark mark: the target set before measuring."
)


def write_chart(results: Path, picture: Path = PICTURE) -> None:
    """Draw what has been measured; without any of the fits there is no picture."""
    rows = [row for name in PANELS for row in _rows(results / f"{name}.json", name)]
    if rows:
        picture.write_text(vl_convert.vegalite_to_svg(_chart(pl.DataFrame(rows)).to_dict()))


def _rows(path: Path, name: str) -> list[dict[str, Any]]:
    """Each contestant once, lean where it comes so: how many times as long it takes, and the target."""
    if not path.is_file():
        return []
    table = json.loads(path.read_text())["tables"][name]
    limits = {one["theirs"]: one.get("at_least") or 1 / one["within"] for one in table["targets"]}
    names = [one for one in table["contestants"] if one + LEAN not in table["contestants"]]
    found = {one: ratio(table, "preceptor", one) for one in names if not one.startswith("preceptor")}
    return [
        {
            "panel": PANELS[name],
            "peer": LIMITS.get(one, one.removesuffix(LEAN)),
            "times": times,
            "target": limits.get(one),
            "label": f"{times:.1f}×",
        }
        for one, times in found.items()
        if times is not None and one not in NOT_DRAWN
    ]


def _chart(rows: pl.DataFrame) -> alt.HConcatChart:
    """A panel for each fit over one list of peers, the slowest first."""
    slowest = rows.group_by("peer").agg(pl.col("times").max()).sort("times", descending=True)
    reach = [min(0.5, rows["times"].min() * 0.9), rows["times"].max() * 1.9]
    panels = [
        _panel(rows.filter(panel=title), title, slowest["peer"].to_list(), reach, first=not number)
        for number, title in enumerate(rows["panel"].unique(maintain_order=True))
    ]
    big = {"fontSize": 17, "fontWeight": "bold", "color": LIGHT["ink"], "font": FONT}
    small = {"subtitleFontSize": 13, "subtitleColor": LIGHT["soft"], "subtitleFont": FONT}
    heading = alt.TitleParams(
        TITLE, subtitle=READING, anchor="start", offset=16, subtitlePadding=6, **big, **small
    )
    return (
        alt.hconcat(*panels, spacing=18, title=heading)
        .configure(background=LIGHT["paper"], font=FONT, padding=14)
        .configure_view(stroke=None)
        .configure_axis(domain=False, ticks=False, labelFontSize=13, gridColor=LIGHT["line"])
    )


def _panel(rows: pl.DataFrame, title: str, order: list[str], reach: list[float], first: bool) -> alt.Chart:
    scale = alt.Scale(type="log", domain=reach, nice=False)
    ticks = alt.Axis(values=[0.5, 1, 2, 5, 10, 20], format="~g", labelColor=LIGHT["soft"], title=None)
    names = alt.Axis(title=None, labelColor=LIGHT["ink"], labels=first, grid=False, labelLimit=260)
    up = alt.Y("peer:N", sort=order, axis=names, scale=alt.Scale(domain=order, paddingInner=0.35))
    edge = pl.max_horizontal("times", "target", one := pl.lit(1.0))  # where the number can stand
    base = alt.Chart(rows.with_columns(one.alias("one"), edge.alias("edge"))).encode(up)
    colour = alt.condition("datum.times >= 1", alt.value(LIGHT["other"]), alt.value(LIGHT["wrong"]))
    bars = base.mark_bar(opacity=0.45, cornerRadius=2).encode(
        alt.X("one:Q", scale=scale, axis=ticks), alt.X2("times"), color=colour
    )
    targets = base.mark_tick(color=LIGHT["ink"], thickness=2, size=17).encode(alt.X("target:Q", scale=scale))
    labels = base.mark_text(align="left", dx=6, fontSize=13, font=FONT, color=LIGHT["ink"]).encode(
        alt.X("edge:Q", scale=scale), alt.Text("label:N")
    )
    line = alt.Chart(pl.DataFrame({"at": [1.0]})).mark_rule(color=LIGHT["ours"], strokeWidth=2.5)
    chart = alt.layer(bars, targets, labels, line.encode(alt.X("at:Q", scale=scale)))
    style = {"color": LIGHT["ink"], "font": FONT, "fontWeight": "normal", "fontSize": 14}
    head = alt.TitleParams(title, anchor="start", frame="group", **style)
    return chart.properties(width=250, height=25 * len(order), title=head)
