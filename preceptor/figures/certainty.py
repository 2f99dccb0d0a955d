"""How well the classes are told apart, and how far "80 % sure" can be believed."""

from typing import Any

import altair as alt
import numpy as np
import polars as pl

from preceptor.figures.figure import LIGHT, PERCENT, Figure, hue, layered, reach, spoken, x, y
from preceptor.figures.words import of_100, quoted, share, shortened


def roc(
    positive: np.ndarray, ours: np.ndarray, rival: np.ndarray | None, names: tuple[str, str]
) -> Figure | None:
    """How many of the class are found at each rate of false alarms, ours beside the best rival's.

    `positive` (N,) is true where the row is of class `names[1]`; the scores are its probabilities.
    """
    if not 0 < positive.sum() < len(positive):
        return None
    curves = {"preceptor": _curve(positive, ours)}
    if rival is not None:
        curves["best rival"] = _curve(positive, rival)
    caught = float(np.interp(0.1, curves["preceptor"][:, 0], curves["preceptor"][:, 1]))
    no, yes = (quoted(shortened(name, 24)) for name in names)
    table = pl.DataFrame({"false alarms": np.linspace(0, 1, 21)}).with_columns(
        *(
            pl.Series(f"found by {name}", np.interp(np.linspace(0, 1, 21), *curve.T))
            for name, curve in curves.items()
        )
    )
    return Figure(
        name="roc",
        title=f"It finds {of_100(caught)} of 100 {yes} when 10 of 100 {no} may be false alarms",
        reading="More can always be found by raising more false alarms; the better predictor's curve runs "
        "nearer to the top left corner. On the dashed line lies who guesses.",
        draw=lambda width: _roc(curves, names, width),
        table=table,
    )


def _curve(positive: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The (false alarms, found) pairs of every threshold, thinned to at most about 150 points."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    hits = np.cumsum(positive[order])[last]
    rates = np.column_stack([(last + 1 - hits) / (~positive).sum(), hits / positive.sum()])
    rates = np.vstack([[0.0, 0.0], rates])
    along = rates.sum(axis=1)
    kept = np.unique(np.searchsorted(along, np.linspace(0, 2, 150)).clip(0, len(rates) - 1))
    return rates[kept]


def _roc(curves: dict[str, np.ndarray], names: tuple[str, str], width: int) -> alt.LayerChart:
    no, yes = (quoted(shortened(name, 20)) for name in names)
    data = pl.DataFrame(
        [
            {"x": float(a), "y": float(b), "n": n, "who": who}
            for who, curve in curves.items()
            for n, (a, b) in enumerate(curve)
        ]
    )
    across = x(f"false alarms, share of the {no}", PERCENT, domain=[0, 1])
    up = y(f"found, share of the {yes}", PERCENT, domain=[0, 1])
    shades = dict(zip(curves, (LIGHT["ours"], LIGHT["rival"]), strict=False))
    colour = hue("who", shades, alt.Legend(orient="bottom-right"))
    lines = (
        alt.Chart(data)
        .mark_line(strokeWidth=2.2, aria=False)
        .encode(across, up, colour, order=alt.Order(field="n", type="quantitative"))
    )
    guess = alt.Chart(pl.DataFrame({"x": [0, 1], "y": [0, 1]})).mark_line(
        color=LIGHT["ink"], strokeDash=[5, 4], strokeWidth=1.2, aria=False
    )
    return layered(guess.encode(across, up), lines, height=min(width, 420))


def reliability(said: np.ndarray, right: np.ndarray) -> Figure | None:
    """How sure it said it was (`said`, probabilities) beside how often it was `right` (booleans)."""
    parts = min(10, len(said) // 30)
    if parts < 2 or np.ptp(said) < 0.02:
        return None
    edges = np.unique(np.quantile(said, np.linspace(0, 1, parts + 1)))
    part = np.clip(np.searchsorted(edges, said, side="right") - 1, 0, len(edges) - 2)
    groups = [part == n for n in range(len(edges) - 1) if (part == n).any()]
    if len(groups) < 2:
        return None
    table = pl.DataFrame(
        [
            {"it said": float(said[g].mean()), "it was right": float(right[g].mean()), "rows": int(g.sum())}
            for g in groups
        ]
    )
    return Figure(
        name="reliability",
        title=_honesty(table),
        reading="The answers in groups by how sure they were. On the dashed line, “80 % sure” is right 80 "
        "times in 100; a dot below it was too sure, above it too modest. The thin lines: what luck may do.",
        draw=lambda width: _reliability(table, width),
        table=table,
    )


def _honesty(table: pl.DataFrame) -> str:
    said, right, rows = table.to_numpy().T
    gap = float(np.average(right - said, weights=rows))
    off = float(np.average(np.abs(right - said), weights=rows))
    if off < 0.03:
        return "When it says it is sure, it is right as often as it says"
    if abs(gap) < 0.5 * off:
        return f"What it says of its own certainty is off by {share(off)} on average"
    return "It is surer than it should be" if gap < 0 else "It is right more often than it says"


def _wilson(part: float, rows: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927)."""
    z = 1.96
    centre = (part + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * np.sqrt(part * (1 - part) / rows + z * z / (4 * rows * rows))
    return float(centre - half), float(centre + half)


def _reliability(table: pl.DataFrame, width: int) -> alt.LayerChart:
    ends = [_wilson(part, rows) for part, rows in zip(table["it was right"], table["rows"], strict=True)]
    data = table.rename({"it said": "x", "it was right": "y"}).with_columns(
        pl.Series("low", [low for low, _ in ends]),
        pl.Series("high", [high for _, high in ends]),
        pl.Series("says", [f"said {share(a)}, was right {share(b)}" for a, b, *_ in table.iter_rows()]),
    )
    low, _ = reach(data["x"], data["low"])
    limits: dict[str, Any] = {"domain": [max(0.0, low - 0.03), 1], "nice": False}
    across, up = (
        x("how sure it said it was", PERCENT, **limits),
        y("how often it was right", PERCENT, **limits),
    )
    line = alt.Chart(pl.DataFrame({"x": limits["domain"], "y": limits["domain"]})).mark_line(
        color=LIGHT["ink"], strokeDash=[5, 4], strokeWidth=1.2, aria=False
    )
    base = alt.Chart(data).encode(across)
    bars = base.mark_rule(color=LIGHT["ours"], strokeWidth=1.5, aria=False).encode(
        y("how often it was right", PERCENT, field="low", **limits), alt.Y2(field="high")
    )
    dots = base.mark_point(color=LIGHT["ours"], filled=True, size=70, opacity=1).encode(
        up, description=spoken()
    )
    return layered(line.encode(across, up), bars, dots, height=min(width, 380))
