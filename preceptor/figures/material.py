"""What pictures and texts are like before anything is learnt: how large, how long."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import polars as pl

from preceptor.figures.figure import LIGHT, Figure, layered, reach, spoken, x, y
from preceptor.figures.words import count, plural, shortened

BINS = 40


def picture_sizes(found: Sequence[Sequence[int]]) -> Figure | None:
    """How wide and high pictures are; `found` holds (width, height, how many). None where all are alike."""
    if len(found) < 2:
        return None
    table = pl.DataFrame(found, schema=["width", "height", "pictures"], orient="row")
    widths, heights, _ = zip(*found, strict=True)
    return Figure(
        name="picture-sizes",
        title=f"Pictures of {count(len(found))} sizes: {min(widths)} to {max(widths)} pixels wide,"
        f" {min(heights)} to {max(heights)} high",
        reading="Each dot is a size, the larger the more pictures have it. A net is shown all of them at one "
        "size, so those far from the others lose most.",
        draw=lambda width: _plane(table, width),
        table=table.sort("pictures", descending=True),
    )


def _plane(table: pl.DataFrame, width: int) -> alt.LayerChart:
    says = [f"{w} × {h}: {plural(n, 'picture')}" for w, h, n in table.iter_rows()]
    data = table.rename({"width": "x", "height": "y"}).with_columns(pl.Series("says", says))
    top = max(data["pictures"].to_list())
    size = alt.Size(field="pictures", type="quantitative", legend=None,
                    scale=alt.Scale(domain=[0, top], range=[20, 500]))  # fmt: skip
    dots = alt.Chart(data).mark_circle(color=LIGHT["ours"], opacity=0.5)
    across, up = x("width in pixels", data["x"], zero=True), y("height in pixels", data["y"], zero=True)
    return layered(dots.encode(across, up, size, description=spoken()), height=min(width, 320))


def text_lengths(words: Sequence[int], column: str) -> Figure | None:
    """How many words texts have; None where all have as many, or there are few texts."""
    counted = np.asarray(words)
    if len(counted) < 20 or np.ptp(counted) == 0:
        return None
    longest = max(int(np.quantile(counted, 0.99)), int(counted.min()) + 1)
    step = max(1, -(-(longest - int(counted.min()) + 1) // BINS))
    edges = np.arange(counted.min(), longest + step + 1, step)
    many, _ = np.histogram(np.clip(counted, None, edges[-1]), edges)
    table = pl.DataFrame({"words from": edges[:-1], "to": edges[1:] - 1, "texts": many})
    middle, most = int(np.median(counted)), int(counted.max())
    return Figure(
        name="text-lengths",
        title=f"Half of the texts in {shortened(column, 30)} have at most {plural(middle, 'word')}, "
        f"the longest has {count(most)}",
        reading="How many texts have how many words. The few longest are counted in the last bar."
        if most > edges[-1]
        else "How many texts have how many words.",
        draw=lambda width: _histogram(table),
        table=table,
    )


def _histogram(table: pl.DataFrame) -> alt.LayerChart:
    says = [f"{low} to {high} words: {plural(n, 'text')}" for low, high, n in table.iter_rows()]
    data = table.rename({"words from": "x", "texts": "y"}).with_columns(
        pl.col("to") + 1, pl.Series("says", says)
    )
    limits: dict[str, Any] = {"zero": True, "domain": [0, reach(data["y"])[1]]}
    bars = alt.Chart(data).mark_rect(color=LIGHT["ink"], opacity=0.35, stroke=LIGHT["paper"], strokeWidth=1)
    across = x("words in a text", reach(data["x"], data["to"]), nice=False)
    up = y("texts", limits["domain"], **limits)
    return layered(
        bars.encode(across, alt.X2(field="to"), up, alt.Y2(datum=0), description=spoken()), height=180
    )
