"""A predicted number beside the true one: how close, where it errs, how far to trust it.

Every function takes `truth` and `answer`, (N,) floats in the target's units, finite.
"""

from typing import Any

import altair as alt
import numpy as np
import polars as pl

from preceptor.figures.figure import LIGHT, PERCENT, Figure, depth, layered, reach, spoken, x, y
from preceptor.figures.words import number, shortened

POINTS = 1200  # more points than this hide one another: cells are counted instead
CELLS = 44
MARKS = {"a": 0.05, "b": 0.25, "c": 0.5, "d": 0.75, "e": 0.95}


def predicted_against_true(truth: np.ndarray, answer: np.ndarray, target: str) -> Figure | None:
    """Each prediction against what was true; many rows are counted in cells. None below three rows."""
    if len(truth) < 3 or not np.var(truth) > 0:
        return None
    explained = 1 - np.mean((truth - answer) ** 2) / np.var(truth)
    how = "closely" if explained >= 0.8 else "roughly" if explained >= 0.4 else "hardly"
    return Figure(
        name="predicted-against-true",
        title=f"The predictions follow the truth {how}",
        reading="On the dashed line the prediction is exact; above it, the answer was too high. "
        + ("The darker a cell, the more rows lie in it." if len(truth) > POINTS else "Each dot is one row."),
        draw=lambda width: _plane(truth, answer, target, width),
        table=_by_tenths(truth, truth, answer, target),
    )


def _plane(truth: np.ndarray, answer: np.ndarray, target: str, width: int) -> alt.LayerChart:
    name = shortened(target, 40)
    both = _central(np.concatenate([truth, answer]))
    scale = {"domain": both.tolist(), "nice": False, "clamp": True}
    across, up = x(f"true {name}", both, **scale), y(f"predicted {name}", both, **scale)
    marks = _cells(truth, answer, both) if len(truth) > POINTS else _points(truth, answer)
    line = alt.Chart(pl.DataFrame({"x": both, "y": both})).mark_line(
        color=LIGHT["ink"], strokeDash=[5, 4], strokeWidth=1.2, aria=False
    )
    return layered(marks.encode(across, up), line.encode(across, up), height=min(width, 520))


def _central(values: np.ndarray) -> np.ndarray:
    """The range to draw: all of it, unless a few values lie so far out that the rest would vanish."""
    low, high = np.quantile(values, [0.002, 0.998])
    reach = 0.25 * (high - low)
    return np.array([max(values.min(), low - reach), min(values.max(), high + reach)])


def _points(truth: np.ndarray, answer: np.ndarray) -> alt.Chart:
    data = pl.DataFrame({"x": truth, "y": answer})
    return alt.Chart(data).mark_circle(color=LIGHT["ours"], size=22, opacity=0.45, aria=False)


def _cells(truth: np.ndarray, answer: np.ndarray, both: np.ndarray) -> alt.Chart:
    edges = np.linspace(both[0], both[1], CELLS + 1)
    counted, *_ = np.histogram2d(np.clip(truth, *both), np.clip(answer, *both), bins=(edges, edges))
    column, row = np.nonzero(counted)
    many = counted[column, row]
    data = pl.DataFrame(
        {
            "x": edges[column],
            "x2": edges[column + 1],
            "y": edges[row],
            "y2": edges[row + 1],
            "shade": np.sqrt(many / many.max()),
        }
    )
    cell = alt.Chart(data).mark_rect(color=LIGHT["ours"], aria=False)
    shade = depth(0.08, 1)
    return cell.encode(alt.X2(field="x2"), alt.Y2(field="y2"), shade)


def _by_tenths(by: np.ndarray, truth: np.ndarray, answer: np.ndarray, target: str) -> pl.DataFrame:
    """Ten equally full parts along `by`: their range, how large the errors are, to which side they lean."""
    edges, part = _tenths(by)
    rows = [
        {
            f"{target} from": edges[n],
            "to": edges[n + 1],
            "rows": int(inside.sum()),
            "half of the errors below": float(np.median(np.abs(error))),
            "nine in ten below": float(np.quantile(np.abs(error), 0.9)),
            "too high by (median)": float(np.median(error)),
        }
        for n in range(len(edges) - 1)
        if (inside := part == n).any() and (error := (answer - truth)[inside]) is not None
    ]
    return pl.DataFrame(rows)


def _tenths(values: np.ndarray, most: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """The edges of equally full parts (fewer where rows are few or values repeat) and each row's part."""
    parts = max(1, min(most, len(values) // 15))
    edges = np.unique(np.quantile(values, np.linspace(0, 1, parts + 1)))
    if len(edges) == 1:
        edges = np.repeat(edges, 2)
    return edges, np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)


def error_growth(truth: np.ndarray, answer: np.ndarray, target: str) -> Figure | None:
    """The size of the errors along the true value. None where rows are too few for three parts."""
    table = _by_tenths(truth, truth, answer, target)
    if table.height < 3:
        return None
    errors = table["half of the errors below"].to_numpy()
    return Figure(
        name="error-growth",
        title=_growth(errors, len(truth) / len(errors), shortened(target, 40)),
        reading="The rows in order of their true value, in equally large groups. Half of the errors are "
        "smaller than the bar, nine in ten smaller than the line above it.",
        draw=lambda width: _growth_bars(table, target, width),
        table=table,
    )


def _growth(errors: np.ndarray, rows: float, name: str) -> str:
    """How the medians of the groups' errors differ, beyond what groups of so many `rows` differ by luck."""
    order = np.corrcoef(np.arange(len(errors)), errors)[0, 1] if np.ptp(errors) > 0 else 0.0
    ends = max(errors[0], errors[-1]) > 1.5 * np.median(errors)
    if errors.max() <= 1.1 * np.exp(4.7 / np.sqrt(rows)) * errors.min():
        return f"Errors are about as large for every {name}"
    if order > 0.7:
        return f"Errors grow with {name}"
    if order < -0.7:
        return f"Errors shrink as {name} grows"
    return f"Errors are largest at the ends of {name}" if ends else f"Errors vary with {name}"


def _growth_bars(table: pl.DataFrame, target: str, width: int) -> alt.LayerChart:
    names = dict(zip(table.columns, ["x", "x2", "rows", "half", "nine", "lean"], strict=True))
    data = table.rename(names)
    says = [
        f"half below {number(half)}, nine in ten below {number(nine)}"
        for half, nine in data.select("half", "nine").iter_rows()
    ]
    data = data.with_columns(pl.Series("says", says))
    ends = reach(data["nine"])
    spread = _even(data)
    across = x(f"true {shortened(target, 40)}", reach(spread["x"], spread["x2"]), nice=False)
    bars = alt.Chart(spread).mark_rect(
        color=LIGHT["wrong"], opacity=0.75, stroke=LIGHT["paper"], strokeWidth=1.5
    )
    tops = alt.Chart(spread).mark_rule(color=LIGHT["wrong"], strokeWidth=2, aria=False)
    up = y("size of the error", ends, field="half", zero=True)
    return layered(
        bars.encode(across, alt.X2(field="x2"), up, alt.Y2(datum=0), description=spoken()),
        tops.encode(across, alt.X2(field="x2"), y("size of the error", ends, field="nine", zero=True)),
        height=260,
    )


def _even(data: pl.DataFrame) -> pl.DataFrame:
    """The outermost parts cut to four times the widest inner one: a long tail would squeeze the others."""
    wide = 4 * float((data["x2"] - data["x"]).to_numpy()[1:-1].max())
    last = pl.int_range(pl.len()) == pl.len() - 1
    first = pl.int_range(pl.len()) == 0
    return data.with_columns(
        pl.when(first).then(pl.max_horizontal("x", pl.col("x2") - wide)).otherwise("x").alias("x"),
        pl.when(last).then(pl.min_horizontal("x2", pl.col("x") + wide)).otherwise("x2").alias("x2"),
    )


def error_bands(truth: np.ndarray, answer: np.ndarray, target: str) -> Figure | None:
    """By what was answered: where the truth then lay. None where rows are too few for four groups."""
    edges, part = _tenths(answer, 12)
    rows = [
        {"x": float(np.median(answer[inside])), "rows": int(inside.sum())}
        | dict(zip(MARKS, np.quantile((truth - answer)[inside], [*MARKS.values()]).tolist(), strict=True))
        for n in range(len(edges) - 1)
        if (inside := part == n).sum() >= 10
    ]
    if len(rows) < 4:
        return None
    data = pl.DataFrame(rows)
    name = shortened(target, 40)
    return Figure(
        name="error-bands",
        title=_doubt(data, name),
        reading="Find a new answer on the axis below, and see where the truth lay when that was answered: "
        "half of the rows fall in the dark band, nine in ten in the light one.",
        draw=lambda width: _bands(data, name, width),
        table=data.rename(
            {"x": f"answered {target}"} | {key: f"{mark:.0%} of truths below" for key, mark in MARKS.items()}
        ),
    )


def _doubt(data: pl.DataFrame, name: str) -> str:
    wide = (data["e"] - data["a"]).to_numpy()
    along = np.corrcoef(data["x"], wide)[0, 1] if np.ptp(wide) > 0 else 0.0
    if along > 0.6 and wide.max() > 1.6 * wide.min():
        return f"The higher the answer, the wider the doubt about {name}"
    return "How far the truth lay from the answer"


def _bands(data: pl.DataFrame, name: str, width: int) -> alt.LayerChart:
    ends = reach(data["a"], data["e"])
    across = x(f"predicted {name}", data["x"], nice=False)
    title = "truth minus answer"

    def band(low: str, high: str, opacity: float) -> alt.Chart:
        area = alt.Chart(data).mark_area(color=LIGHT["ours"], opacity=opacity, aria=False)
        return area.encode(across, y(title, ends, field=low), alt.Y2(field=high))

    middle = alt.Chart(data).mark_line(color=LIGHT["ours"], strokeWidth=2, aria=False)
    zero = alt.Chart(pl.DataFrame({"y": [0.0]})).mark_rule(color=LIGHT["ink"], strokeDash=[5, 4], aria=False)
    layers = [band("a", "e", 0.2), band("b", "d", 0.35), middle.encode(across, y(title, ends, field="c"))]
    return layered(*layers, zero.encode(y(title, ends)), height=260)


def target_histogram(truth: np.ndarray, answer: np.ndarray, target: str) -> Figure | None:
    """How often each value was true and how often it was answered. None where all values are one."""
    if len(truth) < 20 or np.ptp(truth) == 0:
        return None
    both = _central(np.concatenate([truth, answer]))
    edges = np.linspace(both[0], both[1], min(41, max(11, len(truth) // 20)))
    true, said = (np.histogram(np.clip(v, *both), edges)[0] / len(v) for v in (truth, answer))
    table = pl.DataFrame(
        {"from": edges[:-1], "to": edges[1:], "share of truths": true, "share of answers": said}
    )
    narrower = np.std(answer) < 0.8 * np.std(truth)
    return Figure(
        name="target-histogram",
        title="Its answers keep closer to the middle than the truth does"
        if narrower
        else "Its answers are spread like the truth",
        reading="Filled: how often each value was true among the sealed rows; line: how often it was "
        "answered. Beyond the range shown here nothing is known about the answers.",
        draw=lambda width: _histogram(table, shortened(target, 40), width),
        table=table,
    )


def _histogram(table: pl.DataFrame, name: str, width: int) -> alt.LayerChart:
    data = table.rename(dict(zip(table.columns, ["x", "x2", "y", "said"], strict=True)))
    across, top = x(name, reach(data["x"], data["x2"]), nice=False), reach(data["y"], data["said"])[1]
    bars = alt.Chart(data).mark_rect(color=LIGHT["ink"], opacity=0.3, aria=False)
    line = alt.Chart(data).mark_line(
        color=LIGHT["ours"], strokeWidth=2.2, interpolate="step-after", aria=False
    )
    share: dict[str, Any] = {"zero": True, "domain": [0, top]}
    title = "share of the rows"
    return layered(
        bars.encode(across, alt.X2(field="x2"), y(title, PERCENT, **share), alt.Y2(datum=0)),
        line.encode(across, y(title, PERCENT, field="said", **share)),
        height=220,
    )
