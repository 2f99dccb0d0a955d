"""What a forecast looks back on, and how far: decided by the rows' times and the earlier part of the rows.

frame = forecast_frame(ordered, plan, targets=("load",))
say(ordered, frame)                          # "Read as a forecast: ..."
"""

import math

import numpy as np
import polars as pl

from preceptor.errors import Mistake
from preceptor.finding import Finding
from preceptor.framing.by_series import is_number
from preceptor.framing.clock import step_in_words, ticks
from preceptor.framing.frame import Frame
from preceptor.framing.order import Ordered
from preceptor.framing.season import history_for, season_of
from preceptor.framing.windows import numbers
from preceptor.plan import Plan

EARLIER = 0.64
"""The share of the rows that may shape the frame: those that will be learnt from, not those that judge."""
MOST_BYTES = 1_000_000_000
FEWEST_BLOCKS = 10
DAY = 86_400e6


def forecast_frame(ordered: Ordered, plan: Plan, targets: tuple[str, ...]) -> Frame:
    """The frame of a forecast. Raises Mistake "horizon-too-long", "history-too-long"."""
    horizon = plan.horizon or 1
    earlier = ordered.table.frame.head(int(EARLIER * len(ordered.places)))
    longest = int(np.bincount(ordered.codes).max())
    _refuse_long(ordered, horizon, plan.history or 2, longest, plan)
    rows = ordered.codes[: len(earlier)] == ordered.codes[0]
    season = season_of(numbers(earlier.filter(pl.Series(rows)), targets[:1])[:, 0])
    history = plan.history or history_for(season, longest, horizon)
    channels = (*targets, *_channels(earlier, ordered, plan, targets))
    others = {ordered.time, *targets, *channels, *plan.ignore, plan.series}
    plain = tuple(
        name
        for name in earlier.columns
        if name not in others and earlier[name].dtype == pl.String and earlier[name].n_unique() > 1
    )
    size = 4 * history * len(channels) * len(ordered.places)
    return Frame(
        targets,
        plan.series,
        ordered.time,
        ordered.clock,
        horizon,
        history,
        season,
        block=max(horizon, min(season, ordered.steps // FEWEST_BLOCKS // 5)),
        stride=math.ceil(size / MOST_BYTES),
        channels=channels,
        plain=plain,
        calendar=_calendar(ordered),
    )


def _refuse_long(ordered: Ordered, horizon: int, history: int, longest: int, plan: Plan) -> None:
    """Training, validation and test each need some whole answers behind a whole history."""
    share = min(plan.test_fraction, 0.2 * (1 - plan.test_fraction))
    most, ever = (int(share * (longest - steps) / (1 + share)) - 3 for steps in (history, 2))
    if horizon <= most:
        return
    if horizon <= ever:
        raise Mistake(
            "history-too-long",
            f"The series is too short for a history of {history:,} steps.",
            where=f"{ordered.table.source}, --history {history}",
            why=f"It has {longest:,} rows; training, validation and test each need some whole answers.",
            todo="Look back less far, or leave out --history.",
        )
    raise Mistake(
        "horizon-too-long",
        f"The series is too short for a horizon of {horizon:,} steps.",
        where=f"{ordered.table.source}, --horizon {horizon}",
        why=f"It has {longest:,} rows; training, validation and test each need some whole answers.",
        todo=f"At most --horizon {ever}." if ever > 0 else "Bring more rows.",
    )


def _channels(
    earlier: pl.DataFrame, ordered: Ordered, plan: Plan, targets: tuple[str, ...]
) -> tuple[str, ...]:
    """Other columns of numbers that vary and do not merely count the rows."""
    left_out = {ordered.time, *targets, *plan.ignore, plan.series}
    candidates = [name for name in earlier.columns if name not in left_out and is_number(earlier[name])]
    return tuple(name for name in candidates if _varies(earlier[name]))


def _varies(column: pl.Series) -> bool:
    steps = np.diff(column.cast(pl.Float64).drop_nulls().to_numpy())
    return bool(len(steps) and (steps != steps[0]).any())


def _calendar(ordered: Ordered) -> tuple[str, ...]:
    """The cycles of the calendar that the rows to learn from have seen whole, and twice."""
    times = ordered.times
    if not times.dtype.is_temporal():
        return ()
    day = 1.0 if times.dtype == pl.Date else DAY
    span, step = EARLIER * np.ptp(ticks(times)) / day, ordered.clock.step / day
    cycles = {"hour of day": (1, 2), "day of week": (7, 14), "month of year": (31.5, 730)}
    return tuple(name for name, (whole, twice) in cycles.items() if step < whole and span >= twice)


def say(ordered: Ordered, frame: Frame) -> Finding:
    """In words, what each example is."""
    word = step_in_words(frame.clock, ordered.times) if frame.clock else ""
    columns = f"{len(frame.channels)} columns" if len(frame.channels) > 1 else f"'{frame.target}'"
    ahead = f"the next {frame.horizon}" if frame.horizon > 1 else "the next value"
    past = f"from the last {frame.history} steps of {columns}"
    text = f"Read as a forecast: {past}, {ahead} of '{frame.target}'"
    return Finding(
        "read-as-forecast",
        "note",
        f"{text} (one step is {word}" + (f", a season {frame.season})." if frame.season > 1 else ")."),
        column=frame.target,
        evidence={"horizon": frame.horizon, "history": frame.history, "season": frame.season, "step": word},
        done="learnt from the past, validated and tested on what came later",
        remedy="--horizon 0 predicts each row from its own columns; --history changes the length.",
    )
