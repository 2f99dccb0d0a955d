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

ROLES = {"winner": LIGHT["ours"], "went the whole way": LIGHT["validation"], "dropped": LIGHT["other"]}
FADED = {"winner": 1.0, "went the whole way": 0.75, "dropped": 0.3}
MANY_DECADES = 30.0
"""Values that span more than so many times the least are spaced by their orders of magnitude."""
IN_SIGHT = 0.9
"""The axis shows this share of the points at least; the first epochs of a bad learning rate lie far off."""


@dataclass(frozen=True)
class Attempt:
    """One trial: its setting by name in words, its score, the score after each epoch, and its role."""

    number: int
    setting: Mapping[str, Any]
    score: float
    curve: Sequence[float]
    role: str


def trial_curves(attempts: Sequence[Attempt], axis: str, *, share: bool = False) -> Figure | None:
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
        draw=lambda width: _curves(data, axis, share, width),
        table=data.rename({"x": "epoch", "y": "score"}),
    )


def _curves(data: pl.DataFrame, axis: str, share: bool, width: int) -> alt.LayerChart:
    values = data["y"].to_numpy()
    middle, ends = np.median(values), np.quantile(values, [1 - IN_SIGHT, IN_SIGHT])
    low = values.min() if middle - values.min() < 3 * (ends[1] - ends[0]) else ends[0]
    high = values.max() if values.max() - middle < 1.5 * (ends[1] - ends[0]) else ends[1]
    up = y(axis, PERCENT if share else [low, high], domain=[float(low), float(high)], nice=False)
    base = alt.Chart(data).encode(x("epoch", data["x"], nice=False), up)
    lines = base.mark_line(clip=True, aria=False).encode(
        hue("role", ROLES, alt.Legend(orient="top-right")),
        _faded(),
        alt.StrokeWidth(field="role", type="nominal", legend=None, scale=_by_role((3.0, 1.8, 1.2))),
        detail=alt.Detail(field="trial", type="nominal"),
    )
    return layered(lines, height=round(math.sqrt(width) * 11))


def _by_role(values: Sequence[float]) -> alt.Scale:
    return alt.Scale(domain=list(ROLES), range=list(values))


def _faded() -> alt.Opacity:
    return alt.Opacity(field="role", type="nominal", legend=None, scale=_by_role(tuple(FADED.values())))


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
        ends.append({"row": row, "low": number(values.min()), "high": number(values.max())})
        points += [
            {"row": row, "trial": trial, "x": place, "role": roles[trial], "n": len(ends)}
            for trial, place in zip(table["trial"], _place(values), strict=True)
        ]
    bare = alt.X(field="x", type="quantitative", axis=None, scale=alt.Scale(domain=[-0.17, 1.17], nice=False))
    up = alt.Y(field="row", type="nominal", sort=rows, axis=alt.Axis(title=None, labelColor=LIGHT["ink"]))
    lines = (
        alt.Chart(pl.DataFrame(points))
        .mark_line(aria=False, strokeJoin="round")
        .encode(
            bare,
            up,
            hue("role", ROLES, alt.Legend(orient="top", direction="horizontal")),
            _faded(),
            alt.StrokeWidth(field="role", type="nominal", legend=None, scale=_by_role((3.0, 1.8, 1.0))),
            detail=alt.Detail(field="trial", type="nominal"),
            order=alt.Order(field="n", type="quantitative"),
        )
    )
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
