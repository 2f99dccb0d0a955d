"""A small network drawn node by node: its values on the way forward, its gradients on the way back."""

from typing import TYPE_CHECKING

import altair as alt
import numpy as np
import polars as pl

from preceptor.figures.figure import LIGHT, Figure, hue, layered, spoken

if TYPE_CHECKING:  # pictures are drawn without torch
    from preceptor.probes import Passes

MOST_UNITS = 12
"""A layer of more nodes than this is no longer a small network's."""
ROW = 84
"""Pixels between two nodes of a layer."""


def backpropagation_drawn(passes: "Passes") -> Figure | None:
    """Every node with its value above and its gradient below; None where a layer has too many nodes."""
    if int(passes.nodes["unit"].to_numpy().max()) >= MOST_UNITS:
        return None
    places = _places(passes.nodes)
    return Figure(
        name="backpropagation",
        title=f"Values go forward, gradients come back: the loss is {passes.loss:.3g}",
        reading="Above each node stands what it says, below it how much the loss would rise if it said one "
        "more. Thick lines are large weights.",
        draw=lambda width: _drawn(places, passes.edges, width),
        table=passes.nodes,
    )


def _places(nodes: pl.DataFrame) -> pl.DataFrame:
    """The nodes with their places on the page, layers in the order of their steps, each one centred."""
    middle = (pl.col("unit").max().over("step") - 2 * pl.col("unit")) / 2
    said = pl.format("{} {}: says {}, hears {}", "operation", "unit", "value", "gradient")
    return nodes.with_columns(
        pl.col("step").cast(pl.Float64).alias("x"),
        middle.alias("y"),
        pl.col("value").map_elements(lambda v: f"{v:.2f}", pl.String).alias("above"),
        pl.col("gradient").map_elements(lambda v: f"{v:+.3f}", pl.String).alias("below"),
        said.alias("says"),
    )


def _lines(places: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """A line for each weight, and one for each number that is only bent on its way."""
    spot = places.select("step", "unit", "x", "y")
    into = spot.rename({"x": "x2", "y": "y2"})
    before = spot.rename({"unit": "source"}).with_columns(pl.col("step") + 1)
    largest = float(np.abs(edges["weight"].to_numpy()).max(initial=1e-12))
    dense = (
        edges.join(into, on=["step", "unit"])
        .join(before, on=["step", "source"])
        .with_columns(
            (0.6 + 3 * pl.col("weight").abs() / largest).alias("thick"),
            pl.when(pl.col("weight") < 0)
            .then(pl.lit("negative weight"))
            .otherwise(pl.lit("positive weight"))
            .alias("sign"),
        )
    )
    bent = (
        into.join(before.rename({"source": "unit"}), on=["step", "unit"])
        .join(edges.select("step").unique(), on="step", how="anti")
        .with_columns(pl.lit(0.8).alias("thick"), pl.lit("activation").alias("sign"))
    )
    columns = ["x", "y", "x2", "y2", "thick", "sign"]
    return pl.concat([dense.select(columns), bent.select(columns)])


def _drawn(places: pl.DataFrame, edges: pl.DataFrame, width: int) -> alt.LayerChart:
    names = places.group_by("step", maintain_order=True).agg(pl.col("operation").first(), pl.col("x").first())
    high, last = float(np.ptp(places["y"].to_numpy())) / 2, float(places["x"].to_numpy().max())
    names = names.with_columns(pl.lit(high + 0.75).alias("y"))
    across = alt.X("x", type="quantitative", axis=None, scale=alt.Scale(domain=[-0.4, last + 0.4]))
    up = alt.Y("y", type="quantitative", axis=None, scale=alt.Scale(domain=[-high - 0.6, high + 0.9]))
    shades = {
        "positive weight": LIGHT["ours"],
        "negative weight": LIGHT["wrong"],
        "activation": LIGHT["other"],
    }
    lines = alt.Chart(_lines(places, edges)).mark_rule(opacity=0.75, aria=False)
    thick = alt.StrokeWidth("thick", type="quantitative", scale=None, legend=None)
    legend = alt.Legend(orient="bottom", symbolType="stroke")
    nodes = alt.Chart(places).encode(across, up)
    return layered(
        lines.encode(across, up, alt.X2("x2"), alt.Y2("y2"), hue("sign", shades, legend), thick),
        nodes.mark_circle(size=420, color=LIGHT["paper"], opacity=1, stroke=LIGHT["ink"]).encode(spoken()),
        nodes.mark_text(dy=-20, fontWeight="bold").encode(alt.Text("above", type="nominal")),
        nodes.mark_text(dy=21, color=LIGHT["soft"]).encode(alt.Text("below", type="nominal")),
        alt.Chart(names)
        .mark_text(color=LIGHT["soft"], fontStyle="italic")
        .encode(across, up, alt.Text("operation", type="nominal")),
        height=ROW * (2 * high + 1.5),
    )
