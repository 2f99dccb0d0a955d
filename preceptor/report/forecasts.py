"""What is said of forecasts: how far off they are, and how that grows with every step ahead."""

import numpy as np
from markupsafe import Markup

from preceptor.figures.figure import Figure
from preceptor.figures.forecast import error_by_step, forecasts, one_forecast
from preceptor.figures.words import number, plural
from preceptor.report.evidence import Forecasts
from preceptor.report.sentences import name, say

MOST_SERIES = 3


def lines(rows: Forecasts) -> list[Figure | None]:
    """The first few series, forecast and as they came."""
    return [
        forecasts(rows.starts, rows.truth[:, :, k], rows.answer[:, :, k], name)
        for k, name in enumerate(rows.names[:MOST_SERIES])
    ]


def extremes(rows: Forecasts) -> list[Figure | None]:
    """The worst forecast and the best one, each of the series in which it was farthest off."""
    off = np.square((rows.answer - rows.truth) / spreads(rows)).mean(axis=1)
    if rows.truth.shape[1] < 2 or len(off) < 2:
        return []
    told: list[Figure | None] = []
    for row, title in ((int(off.sum(axis=1).argmax()), "worst"), (int(off.sum(axis=1).argmin()), "best")):
        k = int(off[row].argmax())
        rival = None if rows.rival is None else rows.rival[row, :, k]
        given = (rows.truth[row, :, k], rows.answer[row, :, k], rival, rows.names[k])
        told.append(one_forecast(*given, f"Its {title} forecast"))
    return told


def growth(rows: Forecasts) -> Figure | None:
    """The error by step ahead, ours beside the best rival's."""
    rival = None if rows.rival is None else errors_by_step(rows, rows.rival)
    unit = "typical error" + (", in spreads" if rows.truth.shape[2] > 1 else "")
    return error_by_step(errors_by_step(rows, rows.answer), rival, unit)


def errors_by_step(rows: Forecasts, answer: np.ndarray) -> np.ndarray:
    """(H,) the typical error (RMSE) of each step; of several series in spreads of the truth."""
    squared = np.square((answer - rows.truth) / spreads(rows))
    return np.sqrt(squared.mean(axis=(0, 2)))


def spreads(rows: Forecasts) -> np.ndarray:
    """(K,) what errors are counted in: 1 where one series is asked for, the spread of each among several."""
    several = rows.truth.shape[2] > 1
    return rows.truth.std(axis=(0, 1)).clip(1e-12) if several else np.ones(1)


def how_far(rows: Forecasts) -> Markup:
    """Half and nine tenths of all errors."""
    off = np.abs((rows.answer - rows.truth) / spreads(rows))
    half, nine = (float(end) for end in np.quantile(off, [0.5, 0.9]))
    return say(
        "Half of its forecasts are within {half} of what came, nine in ten within {nine}{unit}.",
        half=number(half, (0, 0.2 * half)),
        nine=number(nine, (0, 0.2 * nine)),
        unit=_unit(rows),
    )


def by_step(rows: Forecasts) -> Markup:
    """How the error grows from the first step ahead to the last."""
    errors = errors_by_step(rows, rows.answer)
    first, last = float(errors[0]), float(errors[-1])
    if len(errors) == 1:
        return say("It looks one step ahead, and is typically off by {off}{unit}.",
                   off=number(first, (0, 0.2 * first)), unit=_unit(rows))  # fmt: skip
    return say(
        "One step ahead it is typically off by {first}, {steps} ahead by {last}{unit}.",
        first=number(first, (0, 0.2 * first)),
        steps=plural(len(errors), "step"),
        last=number(last, (0, 0.2 * last)),
        unit=_unit(rows),
    )


def how_sure(rows: Forecasts) -> Markup:
    """The range in which nine of ten truths lay."""
    low, high = np.quantile((rows.truth - rows.answer) / spreads(rows), [0.05, 0.95])
    wide = float(max(abs(low), abs(high)))
    return say(
        "Nine times in ten what came lay between {low} below and {high} above the forecast{unit}.",
        low=number(float(-low), (0, 0.2 * wide)),
        high=number(float(high), (0, 0.2 * wide)),
        unit=_unit(rows),
    )


def hardest(rows: Forecasts) -> Markup:
    """Among several series the one that is forecast best, and the one that is forecast worst."""
    if len(rows.names) < 2:
        return Markup("")
    errors = np.sqrt(np.square((rows.answer - rows.truth) / spreads(rows)).mean(axis=(0, 1)))
    best, worst = rows.names[int(errors.argmin())], rows.names[int(errors.argmax())]
    return say(" Measured in spreads, {best} is forecast best and {worst} worst.",
               best=name(best), worst=name(worst))  # fmt: skip


def _unit(rows: Forecasts) -> str:
    return " spreads" if rows.truth.shape[2] > 1 else ""
