"""What the prediction leans on, and where it fails."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import altair as alt
import polars as pl

from preceptor.figures.figure import LIGHT, PERCENT, Figure, hue, layered, ranged, rows_of, spoken, x
from preceptor.figures.words import Interval, known, plural, quoted, shortened

MOST = 14


@dataclass(frozen=True)
class Weight:
    """How much worse the score becomes when one column is shuffled; `label` as it is said."""

    column: str
    drop: float
    interval: Interval | None
    label: str


@dataclass(frozen=True)
class Slice:
    """The score on the rows where `column` has `value`; `verdict` against all rows."""

    column: str
    value: str
    rows: int
    score: float
    interval: Interval | None
    label: str
    verdict: str  # "worse", "better" or "same"


def importance(weights: Sequence[Weight], axis: str, *, share: bool = False) -> Figure | None:
    """How much each column matters, greatest first; None where no column matters."""
    ranked = sorted((w for w in weights if known(w.drop)), key=lambda w: w.drop, reverse=True)
    if not ranked or ranked[0].drop <= 0:
        return None
    drops = ranged((w.drop for w in ranked), (w.interval for w in ranked)).rename({"score": "worse by"})
    table = drops.insert_column(0, pl.Series("column", [w.column for w in ranked]))
    hidden = len(ranked) - MOST
    return Figure(
        name="importance",
        title=f"{quoted(shortened(ranked[0].column, 40))} matters most",
        reading="Each column in turn was shuffled among the sealed rows, so that it told nothing; the bar is "
        "how much worse the answers became. A grey bar could be chance. Columns that say the same share the "
        "credit."
        + (f" The {plural(hidden, 'column')} that matter least are in the table only." if hidden > 0 else ""),
        draw=lambda width: _bars(ranked[:MOST], axis, share, width),
        table=table,
    )


def _bars(weights: list[Weight], axis: str, share: bool, width: int) -> alt.LayerChart:
    data = ranged((w.drop for w in weights), (w.interval for w in weights)).with_columns(
        pl.Series("says", [f"{w.column}: {w.label}" for w in weights]),
        pl.col("from").fill_null(pl.col("score")),
        pl.col("to").fill_null(pl.col("score")),
    )
    data = data.with_columns(
        pl.when(pl.col("from") > 0).then(pl.lit("blue")).otherwise(pl.lit("grey")).alias("shade")
    )
    shade = hue("shade", {"blue": LIGHT["ours"], "grey": LIGHT["other"]})
    ends = PERCENT if share else data["to"].to_list()
    across = x(axis, ends, field="score", zero=True, nice=False)
    base = rows_of(data, [w.column for w in weights], width)
    bars = base.mark_bar(opacity=0.85).encode(across, shade, description=spoken())
    whisker = base.mark_rule(strokeWidth=1.5, color=LIGHT["ink"], opacity=0.7, aria=False).encode(
        x(axis, ends, field="from", zero=True, nice=False), alt.X2(field="to")
    )
    return layered(bars, whisker, height=24 * len(weights) + 40)


def slices(parts: Sequence[Slice], overall: float, axis: str, *, share: bool = False) -> Figure | None:
    """The score in each part of the data beside the score on all rows, worst first."""
    parts = [part for part in parts if known(part.score)]
    if len(parts) < 2 or not known(overall):
        return None
    worst = next((part for part in parts if part.verdict == "worse"), None)
    scores = ranged((p.score for p in parts), (p.interval for p in parts))
    table = pl.DataFrame([asdict(part) for part in parts]).select("column", "value", "rows").hstack(scores)
    return Figure(
        name="slices",
        title=f"It does worst where {shortened(worst.column, 30)} is {quoted(shortened(worst.value, 30))}"
        if worst
        else "It does about equally well in every part of the data",
        reading="The dashed line is the score on all sealed rows. Orange: clearly worse; blue: clearly "
        "better; grey: too few rows or too small a difference to tell.",
        draw=lambda width: _dots(list(parts[:MOST]), overall, axis, share, width),
        table=table,
    )


def _dots(parts: list[Slice], overall: float, axis: str, share: bool, width: int) -> alt.LayerChart:
    names = [f"{shortened(p.value, 24)} ({shortened(p.column, 24)})" for p in parts]
    data = ranged((p.score for p in parts), (p.interval for p in parts)).with_columns(
        pl.Series("verdict", [p.verdict for p in parts]),
        pl.Series("says", [f"{p.column} = {p.value}, {plural(p.rows, 'row')}: {p.label}" for p in parts]),
        pl.col("from").fill_null(pl.col("score")),
        pl.col("to").fill_null(pl.col("score")),
    )
    shade = hue("verdict", {"worse": LIGHT["wrong"], "same": LIGHT["other"], "better": LIGHT["ours"]})
    ends = PERCENT if share else [*data["from"], *data["to"], overall]
    across = x(axis, ends, field="score")
    base = rows_of(data, names, width)
    bars = base.mark_rule(strokeWidth=3, opacity=0.5, aria=False).encode(
        x(axis, ends, field="from"), alt.X2(field="to"), shade
    )
    dots = base.mark_point(filled=True, size=80, opacity=1).encode(across, shade, description=spoken())
    line = alt.Chart(pl.DataFrame({"score": [overall]})).mark_rule(
        color=LIGHT["ink"], strokeDash=[4, 3], aria=False
    )
    return layered(line.encode(across), bars, dots, height=24 * len(parts) + 40)
