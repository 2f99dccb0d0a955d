"""How hyper-parameters were chosen: who went how far, what the best agree on, and what mattered."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import polars as pl

from preceptor.figures.figure import (
    LIGHT,
    PERCENT,
    Figure,
    hue,
    labels,
    layered,
    rows_of,
    spoken,
    written,
    x,
    y,
)
from preceptor.figures.words import known, listed, number, plural, share

ROLES = {"chosen": LIGHT["ours"], "all epochs": LIGHT["validation"], "dropped": LIGHT["other"]}
FADED = {"chosen": 1.0, "all epochs": 0.8, "dropped": 0.35}
THICK = {"chosen": 3.0, "all epochs": 1.8, "dropped": 1.2}
MANY_DECADES = 30.0
"""Values that span more than so many times the least are spaced by their orders of magnitude."""
IN_SIGHT = 4.0
"""The axis goes so many times as far as those that passed the first rung: bad settings begin far off."""
PIXELS_FOR_ENDS = 62
"""The room beside a row for its least and its greatest value."""


@dataclass(frozen=True)
class Attempt:
    """One trial: its setting by name in words, its score, the score after each epoch, and its role."""

    number: int
    setting: Mapping[str, Any]
    score: float
    curve: Sequence[float]
    role: str


def trial_curves(
    attempts: Sequence[Attempt], axis: str, *, higher_is_better: bool, share: bool = False
) -> Figure | None:
    """The validation score of every trial over its epochs; None where there is no race to be seen."""
    rows = [
        {"trial": one.number, "role": one.role, "x": epoch, "y": float(score)}
        for one in attempts
        for epoch, score in enumerate(one.curve, start=1)
        if known(score)
    ]
    if len(attempts) < 2 or len({row["x"] for row in rows}) < 2:
        return None
    data, gone = pl.DataFrame(rows), sum(one.role == "dropped" for one in attempts)
    return Figure(
        name="trial-curves",
        title=f"{gone} of {plural(len(attempts), 'setting')} were dropped on the way",
        reading="Each line is one setting. After a few epochs only the better third goes on; the others end "
        "where their line ends. A line that begins badly and is dropped might have come out ahead: that is "
        "the price of trying many.",
        draw=lambda width: _curves(data, axis, higher_is_better, share, width),
        table=data.rename({"x": "epoch", "y": "score"}),
    )


def _curves(data: pl.DataFrame, axis: str, higher: bool, share: bool, width: int) -> alt.LayerChart:
    ends = _in_sight(data, higher)
    legend = alt.Legend(orient="bottom-right" if higher else "top-right")
    up = y(axis, PERCENT if share else ends, domain=list(ends), nice=False)
    across = x("epoch", data["x"], nice=False)
    lines = _lines(data, clip=True).encode(across, up, hue("role", ROLES, legend))
    return layered(lines, height=round(math.sqrt(width) * 11))


def _in_sight(data: pl.DataFrame, higher: bool) -> tuple[float, float]:
    """The ends of the axis: from the best score to well beyond those that passed the first rung."""
    sign = -1.0 if higher else 1.0
    last = data.sort("x").group_by("trial").last().select("x", pl.col("y") * sign)
    passed = last.filter(pl.col("x") > pl.col("x").min())
    best = float((sign * data["y"]).to_numpy().min())
    worst = max(float(np.max(passed["y"].to_numpy(), initial=-math.inf)), float(last["y"].to_numpy().min()))
    reached = min(best + IN_SIGHT * (worst - best), float((sign * data["y"]).to_numpy().max()))
    low, high = sorted((sign * best, sign * reached))
    return low, high


def _lines(data: pl.DataFrame, **options: Any) -> alt.Chart:
    """A line for each trial, as bright and thick as its role."""
    looks = {"faded": FADED, "thick": THICK}
    data = data.with_columns(
        pl.col("role").replace_strict(look, return_dtype=pl.Float64).alias(name)
        for name, look in looks.items()
    )
    return (
        alt.Chart(data)
        .mark_line(aria=False, **options)
        .encode(
            alt.Opacity(field="faded", type="quantitative", legend=None, scale=None),
            alt.StrokeWidth(field="thick", type="quantitative", legend=None, scale=None),
            detail=alt.Detail(field="trial", type="nominal"),
        )
    )


def parallel_coordinates(
    attempts: Sequence[Attempt], measure: str, *, higher_is_better: bool
) -> Figure | None:
    """Every setting as a line through its values, its score at the foot; None where nothing varies.

    `measure` names the score.
    """
    scored = [one for one in attempts if known(one.score)]
    names = [
        name for name in (scored[0].setting if scored else ()) if len({a.setting[name] for a in scored}) > 1
    ]
    if len(scored) < 4 or len(names) < 2:
        return None
    table = pl.DataFrame(
        [
            {"trial": one.number, **{name: one.setting[name] for name in names}, measure: one.score}
            for one in scored
        ]
    )
    agreed = _agreed(table, names, measure, higher_is_better)
    end = "right" if higher_is_better else "left"
    return Figure(
        name="parallel-coordinates",
        title=f"The best settings agree most on the {agreed}",
        reading="Follow a line from top to bottom: each row is a hyper-parameter from its least value to "
        f"its greatest, the last is the score on validation rows, better to the {end}. Where the bright "
        "lines run together, the best settings agree.",
        draw=lambda width: _parallel(table, [*names, measure], {a.number: a.role for a in scored}, width),
        table=table,
    )


def _place(values: np.ndarray) -> np.ndarray:
    """Values as places between 0 and 1, by orders of magnitude where they span many."""
    if values.min() > 0 and values.max() > MANY_DECADES * values.min():
        values = np.log(values)
    return (values - values.min()) / (np.ptp(values) or 1.0)


def _agreed(table: pl.DataFrame, names: list[str], measure: str, higher: bool) -> str:
    """The hyper-parameter whose values vary least among the best quarter, measured by all."""
    best = table[measure].rank("ordinal", descending=higher).to_numpy() <= max(3, len(table) // 4)
    places = {name: _place(table[name].cast(pl.Float64).to_numpy()) for name in names}
    return min(names, key=lambda name: places[name][best].std() / (places[name].std() or 1.0))


def _parallel(table: pl.DataFrame, names: list[str], roles: Mapping[int, str], width: int) -> alt.LayerChart:
    rows = labels(names, round(width * 0.062))
    ends, points = [], []
    for name, row in zip(names, rows, strict=True):
        values = table[name].cast(pl.Float64).to_numpy()
        whole = table[name].dtype.is_integer()
        low, high = (number(end, grain=1.0 if whole else None) for end in (values.min(), values.max()))
        ends.append({"row": row, "low": low, "high": high})
        points += [
            {"row": row, "trial": trial, "x": place, "role": roles[trial], "n": len(ends)}
            for trial, place in zip(table["trial"], _place(values), strict=True)
        ]
    edge = PIXELS_FOR_ENDS / max(0.8 * width - 2 * PIXELS_FOR_ENDS, 1.0)
    scale = alt.Scale(domain=[-edge, 1 + edge], nice=False)
    bare = alt.X(field="x", type="quantitative", axis=None, scale=scale)
    up = alt.Y(field="row", type="nominal", sort=rows, axis=alt.Axis(title=None, labelColor=LIGHT["ink"]))
    legend = alt.Legend(orient="top", direction="horizontal")
    order = alt.Order(field="n", type="quantitative")
    lines = _lines(pl.DataFrame(points)).encode(bare, up, hue("role", ROLES, legend), order=order)
    base = alt.Chart(pl.DataFrame(ends)).encode(up)
    text: dict[str, Any] = {"aria": False, "color": LIGHT["soft"], "fontSize": 12}
    low = base.mark_text(align="right", dx=-8, **text).encode(written("low"), x=_at(0.0))
    high = base.mark_text(align="left", dx=8, **text).encode(written("high"), x=_at(1.0))
    return layered(lines, low, high, height=34 * len(names) + 50)


def _at(place: float) -> alt.XDatum:
    return alt.XDatum(place, type="quantitative")


def hyperparameter_importance(shares: Mapping[str, float]) -> Figure | None:
    """How much each hyper-parameter mattered, greatest first; None where that is not known."""
    ranked = sorted(shares.items(), key=lambda item: -item[1])
    if len(ranked) < 2 or ranked[0][1] <= 0:
        return None
    table = pl.DataFrame(ranked, schema=["hyper-parameter", "share"], orient="row")
    return Figure(
        name="hyperparameter-importance",
        title=f"The {ranked[0][0]} mattered most",
        reading="How much of the difference between good settings and the rest goes with each "
        "hyper-parameter (PED-ANOVA), judged at the first rung, to which all of them came. "
        f"Together they are 100 %; the greatest are {listed((name for name, _ in ranked[:2]))}.",
        draw=lambda width: _bars(table, width),
        table=table,
    )


def _bars(table: pl.DataFrame, width: int) -> alt.LayerChart:
    says = [f"{name}: {share(part)}" for name, part in table.iter_rows()]
    base = rows_of(table.with_columns(pl.Series("says", says)), table["hyper-parameter"], width)
    across = x("share of what mattered", PERCENT, field="share", zero=True, nice=False)
    bars = base.mark_bar(opacity=0.85, color=LIGHT["ours"]).encode(across, description=spoken())
    return layered(bars, height=24 * table.height + 40)
