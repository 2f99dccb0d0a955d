"""Forecasts beside what came: how they run, and how the error grows with every step ahead.

Shapes: N forecasts of H steps ahead, one series; all values in the series' own units.
"""

import altair as alt
import numpy as np
import polars as pl

from preceptor.figures.figure import LIGHT, Figure, hue, layered, reach, x, y
from preceptor.figures.words import number, plural, quoted, shortened

MOST_STEPS, FEWEST_FORECASTS = 200, 2


def forecasts(starts: np.ndarray, truth: np.ndarray, answer: np.ndarray, name: str) -> Figure | None:
    """The last forecasts that do not overlap, beside what came; `starts` (N,) is each one's first step."""
    rows = _side_by_side(starts, truth.shape[1])
    rows = rows[-max(FEWEST_FORECASTS, MOST_STEPS // truth.shape[1]) :]
    if len(rows) < FEWEST_FORECASTS:
        return None
    explained = 1 - np.mean((truth[rows] - answer[rows]) ** 2) / max(np.var(truth[rows]), 1e-300)
    how = "closely" if explained >= 0.8 else "roughly" if explained >= 0.4 else "hardly"
    table = pl.DataFrame(
        {
            "step": (starts[rows, None] - starts[rows[0]] + np.arange(truth.shape[1])).ravel(),
            "forecast number": np.repeat(np.arange(1, len(rows) + 1), truth.shape[1]),
            "what came": truth[rows].ravel(),
            "forecast": answer[rows].ravel(),
        }
    )
    return Figure(
        name=f"forecasts-{_plain(name)}",
        title=f"The forecasts of {quoted(shortened(name, 40))} {how} follow what came",
        reading=f"Thin: what came; thick: {plural(len(rows), 'forecast')}, one after the other, each made at "
        "its dot, before any of its steps was known.",
        draw=lambda width: _lines(table, shortened(name, 40)),
        table=table,
    )


def one_forecast(
    truth: np.ndarray, answer: np.ndarray, rival: np.ndarray | None, name: str, title: str
) -> Figure:
    """A single forecast (H,) of one series beside what came, and beside the best rival's."""
    lines = {"what came": truth, "preceptor": answer} | ({} if rival is None else {"best rival": rival})
    table = pl.DataFrame({"steps ahead": np.arange(1, len(truth) + 1), **lines})
    return Figure(
        name=_plain(title),
        title=title,
        reading=f"All steps of one forecast of {shortened(name, 40)}, beside what came.",
        draw=lambda width: _single(table, shortened(name, 40)),
        table=table,
    )


def _single(table: pl.DataFrame, name: str) -> alt.LayerChart:
    data = table.rename({"steps ahead": "x"}).unpivot(index="x", variable_name="who", value_name="y")
    shades = {"what came": LIGHT["ink"], "preceptor": LIGHT["ours"], "best rival": LIGHT["rival"]}
    known = {who: shade for who, shade in shades.items() if who in table.columns}
    colour = hue("who", known, alt.Legend(orient="bottom", direction="horizontal"))
    across, up = x("steps ahead", data["x"], nice=False), y(name, reach(data["y"]))
    mark = alt.Chart(data).mark_line(strokeWidth=2, point=table.height <= 30, aria=False)
    return layered(mark.encode(across, up, colour), height=240)


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name)[:40].lower()


def _side_by_side(starts: np.ndarray, steps: int) -> np.ndarray:
    """Rows whose forecasts follow one another without overlap, counted back from the last."""
    rows, free = [], np.inf
    for row in np.argsort(starts, kind="stable")[::-1]:
        if starts[row] + steps <= free:
            rows.append(int(row))
            free = starts[row]
    return np.array(rows[::-1], np.int64)


def _lines(table: pl.DataFrame, name: str) -> alt.LayerChart:
    data = table.rename({"step": "x", "what came": "truth", "forecast": "y", "forecast number": "part"})
    ends = reach(data["truth"], data["y"])
    across = x("steps", data["x"], nice=False)
    shades = {"what came": LIGHT["ink"], "forecast": LIGHT["ours"]}
    truth = data.select("x", "part", pl.col("truth").alias("y"), pl.lit("what came").alias("who"))
    ours = data.select("x", "part", "y", pl.lit("forecast").alias("who"))
    colour = hue("who", shades, alt.Legend(orient="bottom", direction="horizontal"))
    up = y(name, ends)
    came = alt.Chart(truth).mark_line(strokeWidth=1.4, opacity=0.75, aria=False).encode(across, up, colour)
    said = alt.Chart(ours).mark_line(strokeWidth=2.2, aria=False)
    said = said.encode(across, up, colour, alt.Detail(field="part", type="nominal"))
    first = alt.Chart(ours.unique("part", keep="first", maintain_order=True))
    dots = first.mark_point(filled=True, size=26, opacity=1, aria=False).encode(across, up, colour)
    return layered(came, said, dots, height=260)


def error_by_step(ours: np.ndarray, rival: np.ndarray | None, unit: str) -> Figure | None:
    """The typical error (H,) of each step ahead beside the best rival's; None with fewer than two steps."""
    if len(ours) < 2:
        return None
    table = pl.DataFrame({"steps ahead": np.arange(1, len(ours) + 1), "preceptor": ours})
    if rival is not None:
        table = table.with_columns(pl.Series("best rival", rival))
    first, last = (number(float(end), (0, 0.2 * float(end))) for end in (ours[0], ours[-1]))
    grows = ours[-1] > 1.1 * ours[0]
    return Figure(
        name="error-by-step",
        title=f"The error grows from {first} at the first step to {last} at the last"
        if grows
        else "The error is about as large at every step ahead",
        reading="The typical error (RMSE) of forecasts by how many steps ahead they look. Lower is better.",
        draw=lambda width: _by_step(table, unit),
        table=table,
    )


def _by_step(table: pl.DataFrame, unit: str) -> alt.LayerChart:
    data = table.unpivot(index="steps ahead", variable_name="who", value_name="y").rename(
        {"steps ahead": "x"}
    )
    shades = {"preceptor": LIGHT["ours"], "best rival": LIGHT["rival"]}
    known = {who: shade for who, shade in shades.items() if who in table.columns}
    colour = hue("who", known, alt.Legend(orient="bottom-right"))
    up = y(unit, reach(data["y"]), zero=True)
    across = x("steps ahead", data["x"], nice=False)
    lines = alt.Chart(data).mark_line(strokeWidth=2.2, point=table.height <= 30, aria=False)
    return layered(lines.encode(across, up, colour), height=220)
