"""How the net learnt: loss over the epochs, on the rows it learns from and on those it does not."""

import math

import altair as alt
import numpy as np
import polars as pl

from preceptor.figures.figure import LIGHT, Figure, hue, layered, reach, x, y
from preceptor.figures.words import plural

SIDES = {"train_loss": "rows it learns from", "validation_loss": "validation rows"}


def learning_curves(history: pl.DataFrame) -> Figure | None:
    """Training and validation loss over the epochs, thin for each fold, thick for their mean.

    `history` has the columns fold, epoch, train_loss and validation_loss. None where fewer than two
    epochs were recorded: a point is no curve.
    """
    long = _long(history)
    if long["x"].n_unique() < 2:
        return None
    best = _best(long)
    title = _title(long, best)
    table = history.select(
        "fold", "epoch", *(pl.col(name).cast(pl.Float64) for name in SIDES if name in history.columns)
    ).rename({"train_loss": "training loss", "validation_loss": "validation loss"}, strict=False)
    return Figure(
        name="learning-curves",
        title=title,
        reading="The loss is what training makes small. Where the validation curve turns upwards, the net "
        "has begun to learn its rows by heart; the weights of the marked epoch are the ones kept.",
        draw=lambda width: _curves(long, best, width),
        table=table,
    )


def _long(history: pl.DataFrame) -> pl.DataFrame:
    """One row per fold, epoch and side: x (epoch), y (loss), side, fold; nothing that is not finite."""
    sides = [name for name in SIDES if name in history.columns]
    return (
        history.select("fold", pl.col("epoch").alias("x"), *(pl.col(name).cast(pl.Float64) for name in sides))
        .unpivot(sides, index=["fold", "x"], variable_name="side", value_name="y")
        .filter(pl.col("y").is_finite())
        .group_by("fold", "x", "side", maintain_order=True)
        .last()
        .with_columns(pl.col("side").replace_strict(SIDES, return_dtype=pl.String))
        .sort("side", "fold", "x")
    )


def _mean(long: pl.DataFrame) -> pl.DataFrame:
    """The mean over the folds, up to the last epoch that all of them reached."""
    return (
        long.group_by("side", "x")
        .agg(pl.col("y").mean(), pl.len().alias("folds"))
        .filter(pl.col("folds") == pl.col("folds").max().over("side"))
        .sort("side", "x")
    )


def _best(long: pl.DataFrame) -> pl.DataFrame:
    """Each fold's epoch of least validation loss."""
    validation = long.filter(pl.col("side") == SIDES["validation_loss"])
    return validation.sort("y").group_by("fold", maintain_order=True).first().sort("fold")


def _title(long: pl.DataFrame, best: pl.DataFrame) -> str:
    if best.is_empty():
        return "The loss while training"
    epoch = round(float(np.median(best["x"])))
    last = long.filter(pl.col("side") == SIDES["validation_loss"]).sort("x").group_by("fold").last()
    first = long.filter(pl.col("side") == SIDES["validation_loss"]).sort("x").group_by("fold").first()
    both = best.join(last, on="fold", suffix="_last").join(first, on="fold", suffix="_first")
    losses = both.select("y", "y_last", "y_first").to_numpy()
    if np.median(losses[:, 1] - losses[:, 0]) > 0.03 * np.median(losses[:, 2] - losses[:, 0]) > 0:
        return f"It learnt until epoch {epoch}; after that it memorised"
    if (both["x"] >= both["x_last"]).all():
        return f"It was still getting better when training ended, after {plural(epoch, 'epoch')}"
    return f"Learning levelled off around epoch {epoch}"


def level(title: str, low: float, high: float) -> alt.Y:
    """A vertical axis for values from `low` to `high`; where they span decades a logarithmic one."""
    if low <= 0 or high / low <= 30:
        return y(title, [low, high])
    ends = [low] if low < 1e-4 else [low, high]  # one way of writing all, down to the least
    return y(f"{title} (logarithmic)", ends, ticks=decades(low, high), type="log", nice=False)


def decades(low: float, high: float) -> list[float]:
    """The ticks of a logarithmic axis: six powers of ten or so; where they are few, three times them too."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 3) if len(powers) <= 4 else (1,)
    return [step * 10.0**power for power in powers[:: math.ceil(len(powers) / 7)] for step in steps]


def _curves(long: pl.DataFrame, best: pl.DataFrame, width: int) -> alt.LayerChart:
    low, high = reach(long["y"])
    shades = dict(zip(SIDES.values(), (LIGHT["train"], LIGHT["validation"]), strict=True))
    colour = hue("side", shades, alt.Legend(orient="top-right"))
    across, up = x("epoch", long["x"]), level("loss", low, high)
    layers = [alt.Chart(_mean(long)).mark_line(strokeWidth=2.5, aria=False).encode(across, up, colour)]
    if long["fold"].n_unique() > 1:
        thin = alt.Chart(long).mark_line(strokeWidth=1, opacity=0.3, aria=False)
        layers.append(thin.encode(across, up, colour, detail=alt.Detail(field="fold", type="nominal")))
    if not best.is_empty():
        marked = best.with_columns(pl.format("best epoch {}", pl.col("x")).alias("says"))
        dots = alt.Chart(marked).mark_point(filled=True, size=60, color=LIGHT["validation"], opacity=1)
        layers.append(dots.encode(across, up, description=alt.Description(field="says", type="nominal")))
    return layered(*layers, height=round(math.sqrt(width) * 11))
