"""What probes saw: valley of the learning rate, price of a batch, use of more rows, landscape, remedies."""

import math
from typing import TYPE_CHECKING

import altair as alt
import numpy as np
import polars as pl

from preceptor.figures.figure import LIGHT, Figure, depth, hue, layered, spoken, x, y
from preceptor.figures.words import number, plural

if TYPE_CHECKING:  # pictures are drawn without torch
    from preceptor.probes import BatchSizes, Landscape, LearningCurve, RateRange

TALL = 11
"""A figure is as tall as the root of its width times this."""


def rate_range(found: "RateRange") -> Figure:
    """The loss while the learning rate climbs, and where the short runs ended."""
    return Figure(
        name="learning-rate-range",
        title=f"A learning rate of {number(found.rate)} learns fastest",
        reading="The rate climbs from left to right while a copy of the net trains. Left of the valley it "
        "hardly moves, right of it it breaks. The dots are short runs at one rate; the lowest one decides.",
        draw=lambda width: _rates(found, width),
        table=found.points,
    )


def _rates(found: "RateRange", width: int) -> alt.LayerChart:
    points, runs = found.points, found.runs.filter(pl.col("loss").is_finite())
    top = 1.3 * float(points["smooth"][0])
    across = x("learning rate", field="rate", type="log")
    low = min(float(points["smooth"].to_numpy().min()), *runs["loss"].to_list(), 0.9 * top)
    up = y("loss", [low, top], field="loss", domain=[low, top], clamp=True)
    smooth = y("loss", [low, top], field="smooth", domain=[low, top], clamp=True)
    dots = alt.Chart(runs).mark_circle(size=90, color=LIGHT["ours"], opacity=1, aria=False)
    return layered(
        alt.Chart(points).mark_circle(size=14, color=LIGHT["other"], aria=False).encode(across, up),
        alt.Chart(points).mark_line(color=LIGHT["train"], strokeWidth=2.5, aria=False).encode(across, smooth),
        dots.encode(across, up),
        height=TALL * math.sqrt(width),
    )


def batch_sizes(found: "BatchSizes") -> Figure:
    """Rows a second against the size of a mini-batch; above each point, the memory it keeps."""
    return Figure(
        name="batch-sizes",
        title=f"{plural(found.size, 'row')} at once are a good choice",
        reading="A larger batch handles more rows a second until the machine is full, and keeps more "
        "memory (above each point). Beyond the noise scale, where there is one, a larger batch hardly "
        "makes a better step.",
        draw=lambda width: _sizes(found.table, width),
        table=found.table,
    )


def _sizes(table: pl.DataFrame, width: int) -> alt.LayerChart:
    told = table.with_columns(
        pl.col("megabytes").map_elements(lambda mb: f"{mb:.2g} MB", pl.String).alias("memory")
    )
    across = x("rows at once", field="size", type="log", base=2)
    fastest = 1.15 * float(table["rows_a_second"].to_numpy().max())
    up = y("rows a second", [fastest], field="rows_a_second", domain=[0, fastest])
    base = alt.Chart(told).encode(across, up)
    return layered(
        base.mark_line(color=LIGHT["train"], strokeWidth=2.5, aria=False),
        base.mark_circle(size=70, color=LIGHT["train"], opacity=1, aria=False),
        base.mark_text(dy=-14, color=LIGHT["soft"]).encode(alt.Text("memory", type="nominal")),
        height=TALL * math.sqrt(width),
    )


def data_curve(curve: "LearningCurve", axis: str) -> Figure:
    """The error against the number of rows learnt from, and where the fitted law puts twice as many."""
    share = 1 - curve.doubled / curve.now if curve.now else 0.0
    more = f"would take about {100 * share:.0f} % off the error" if curve.helps else "would change little"
    return Figure(
        name="data-curve",
        title=f"Twice as many rows {more}",
        reading="Each dot is a net taught on so many rows drawn by lot; the line joins their medians, the "
        "ring is what the fitted law expects from twice the rows.",
        draw=lambda width: _rows(curve, axis, width),
        table=curve.points,
    )


def _rows(curve: "LearningCurve", axis: str, width: int) -> alt.LayerChart:
    points = curve.points
    middle = points.group_by("rows").agg(pl.col("error").median()).sort("rows")
    most = int(points["rows"].to_numpy().max())
    ahead = pl.DataFrame({"rows": [most, 2 * most], "error": [curve.now, curve.doubled]})
    across = x("rows learnt from", field="rows", type="log")
    ends = [min(0.9 * curve.doubled, *middle["error"]), 1.1 * float(middle["error"].to_numpy().max())]
    up = y(axis, ends, field="error", domain=ends, clamp=True)
    dashed = alt.Chart(ahead).mark_line(color=LIGHT["ours"], strokeDash=[5, 4], aria=False)
    ring = alt.Chart(ahead.tail(1)).mark_point(size=110, color=LIGHT["ours"], strokeWidth=2.5, aria=False)
    return layered(
        alt.Chart(points).mark_circle(size=40, color=LIGHT["other"], aria=False).encode(across, up),
        alt.Chart(middle)
        .mark_line(color=LIGHT["validation"], strokeWidth=2.5, aria=False)
        .encode(across, up),
        dashed.encode(across, up),
        ring.encode(across, up),
        height=TALL * math.sqrt(width),
    )


def landscape_drawn(found: "Landscape") -> Figure:
    """The loss around the weights as a map: the darker, the higher."""
    sharp = found.rise > abs(found.centre)
    return Figure(
        name="loss-landscape",
        title="The minimum is a narrow valley" if sharp else "The minimum is a wide plain",
        reading="The net's weights are the centre; right and up lead away from them in two random "
        f"directions, as far as {number(found.reach)} times each filter's own length. Dark is a high loss. "
        "In a wide plain small changes of the weights, and of the data, change little.",
        draw=lambda width: _map(found, width),
        table=found.points,
    )


def _map(found: "Landscape", width: int) -> alt.LayerChart:
    losses = found.points["loss"].fill_nan(None).to_numpy()
    high, low = np.nanmax(losses), np.nanmin(losses)
    shade = np.sqrt(np.clip((np.nan_to_num(losses, nan=high) - low) / max(high - low, 1e-12), 0, 1))
    step = 2 * found.reach / (math.isqrt(len(losses)) - 1)
    data = found.points.with_columns(
        pl.Series("shade", shade),
        (pl.col("first") + step).alias("right"),
        (pl.col("second") + step).alias("above"),
        pl.col("loss").map_elements(lambda loss: f"loss {number(loss)}", pl.String).alias("says"),
    ).with_columns(pl.col("first", "right", "second", "above") - step / 2)
    edge = found.reach + step / 2
    across = x("along one direction", field="first", domain=[-edge, edge], nice=False)
    up = y("along another", field="second", domain=[-edge, edge], nice=False)
    squares = (
        alt.Chart(data)
        .mark_rect(color=LIGHT["wrong"])
        .encode(across, up, alt.X2("right"), alt.Y2("above"), depth(0.03, 1.0), spoken())
    )
    centre = alt.Chart(pl.DataFrame({"first": [0.0], "second": [0.0]}))
    cross = centre.mark_point(shape="cross", size=90, color=LIGHT["ink"], filled=True, aria=False)
    return layered(squares, cross.encode(across, up), height=0.62 * width)


def before_and_after(title: str, before: list[float], after: list[float], axis: str) -> Figure | None:
    """The validation score of the net as it was and with the remedy, epoch by epoch."""
    rows = [
        (side, epoch, score)
        for side, scores in (("before", before), ("after", after))
        for epoch, score in enumerate(scores, start=1)
        if math.isfinite(score)
    ]
    if len(rows) < 4:
        return None
    data = pl.DataFrame(rows, ["side", "epoch", "score"], orient="row")
    return Figure(
        name="remedy",
        title=title,
        reading="The same fold, the same rows held out; only what the remedy changed is different.",
        draw=lambda width: _sides(data, axis, width),
        table=data,
    )


def _sides(data: pl.DataFrame, axis: str, width: int) -> alt.LayerChart:
    shades = {"before": LIGHT["other"], "after": LIGHT["ours"]}
    middle = np.quantile(data["score"].to_numpy(), [0.02, 0.98])
    up = y(axis, middle, field="score", domain=[float(end) for end in middle], clamp=True)
    legend = alt.Legend(orient="top", direction="horizontal", offset=22)
    across = x("epoch", data["epoch"], field="epoch", nice=False)
    lines = alt.Chart(data).mark_line(strokeWidth=2.5, aria=False)
    return layered(lines.encode(across, up, hue("side", shades, legend)), height=TALL * math.sqrt(width))
