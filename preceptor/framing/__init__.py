"""Rows in time become examples, before anything else is done with them (textbook T13).

    framed = framed_by(table, Plan(target="load", time="date", horizon=24))
    framed.table["history"], framed.table["load"]      # (N, T, D) windows and (N, 24, 1) answers
    ahead_of(framed.frame, newer)                      # the forecast after the last row of other data

Everything after this room sees an ordinary table: a column of series, a few plain columns, an answer.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.errors import Mistake
from preceptor.finding import Finding
from preceptor.framing.by_series import bundles, frame_by_series, is_number
from preceptor.framing.clock import ticks
from preceptor.framing.forecast import forecast_frame, say
from preceptor.framing.frame import Clock, Frame
from preceptor.framing.order import Ordered, in_order
from preceptor.framing.windows import CALENDAR, HISTORY, STRETCH, UNTIL, ahead, windows
from preceptor.kinds.recognise import recognise
from preceptor.plan import Plan

__all__ = [
    "HISTORY",
    "STRETCH",
    "UNTIL",
    "Clock",
    "Frame",
    "Framed",
    "ahead_of",
    "examples_of",
    "frame_from",
    "framed_by",
]

FEWEST_ROWS, MOST_REPEATED = 50, 0.01


class Framed(NamedTuple):
    """Examples, the plan as the rooms behind take it, what was decided (None: nothing), what was seen."""

    table: Table
    plan: Plan
    frame: Frame | None = None
    findings: Sequence[Finding] = ()


def framed_by(table: Table, plan: Plan) -> Framed:
    """The table as it is, unless the plan asks for a forecast or names series.

    `horizon` steps ahead of the target's columns, one or several ("OT,HUFL"; "*" for all numbers); 0: rows
    stay rows. With `time` alone it is a forecast of the next value where times are regular and unique and
    the target is one number. With `series` and no horizon, each series is one example.

    Raises Mistake "horizon-without-time", "horizon-not-a-number", "horizon-and-group", "name-taken", and
    what `in_order`, `forecast_frame` and `frame_by_series` raise.
    """
    if plan.target is None or plan.horizon == 0:
        return Framed(table, plan)
    if plan.series and not plan.horizon:
        frame = frame_by_series(table, plan.target, plan.series, plan.time, plan.ignore)
        changes = {"time": None, "kinds": plan.kinds | {HISTORY: "series"}, "ignore": (frame.series,)}
        return Framed(bundles(table, frame), plan.model_copy(update=changes), frame)
    if not plan.horizon:
        plainly = plan.time and not plan.group and not plan.test
        return _next_value(table, plan) if plainly else Framed(table, plan)
    _refuse_contradictions(table, plan)
    targets = _targets(table, plan)
    assert plan.time
    return _forecast(*in_order(table, plan.time, plan.series), plan, targets)


def _next_value(table: Table, plan: Plan) -> Framed:
    """A forecast of the next value where that is plainly what is asked; else the table as it is."""
    assert plan.target
    assert plan.time
    names = table.frame.columns
    asked = plan.target in names and plan.time in names and len(table) >= FEWEST_ROWS
    times = table.frame[plan.time] if asked else pl.Series([""])
    if not (times.dtype.is_temporal() or times.dtype.is_numeric()):
        return Framed(table, plan)
    kinds = {name: kind for name, kind in plan.kinds.items() if name == plan.target}
    kind = recognise(table.frame.select(plan.target), plan.target, kinds)[plan.target].kind
    repeated = 1 - times.n_unique() / len(table)
    if kind != "number" or repeated > MOST_REPEATED:
        return Framed(table, plan)
    ordered, findings = in_order(table, plan.time)
    if not ordered.regular:
        return Framed(table, plan)
    return _forecast(ordered, findings, plan, (plan.target,))


def _forecast(ordered: Ordered, findings: list[Finding], plan: Plan, targets: tuple[str, ...]) -> Framed:
    frame = forecast_frame(ordered, plan, targets)
    examples = windows(ordered, frame)
    found = [say(ordered, frame), *findings, *_left_out(ordered, frame, len(examples))]
    return Framed(examples, _plan_for(frame, plan, examples), frame, found)


def _plan_for(frame: Frame, plan: Plan, examples: Table) -> Plan:
    """The plan in the examples' columns: stretches of time stay together, the time itself is no input."""
    assert frame.time
    kinds = {name: kind for name, kind in plan.kinds.items() if name in examples.frame.columns}
    kinds |= dict.fromkeys(frame.calendar, "category") | {HISTORY: "series"}
    kinds |= {frame.series: "category"} if frame.series else {}
    kinds[frame.target] = "series" if frame.several else "number"
    changes = {"target": frame.target, "group": STRETCH, "kinds": kinds, "ignore": (frame.time, UNTIL)}
    return plan.model_copy(update=changes)


def _refuse_contradictions(table: Table, plan: Plan) -> None:
    if plan.time is None:
        raise Mistake(
            "horizon-without-time",
            f"A forecast of {plan.horizon} steps needs a column that says when.",
            where=table.source,
            why=f"The columns are: {', '.join(table.frame.columns[:30])}.",
            todo="--time COLUMN",
        )
    if plan.group:
        raise Mistake(
            "horizon-and-group",
            "A forecast is tested on the future, so --group cannot divide the rows.",
            todo=f"If '{plan.group}' tells several series apart: --series {plan.group}.",
        )
    taken = [
        name for name in (plan.time, plan.series, plan.target) if name in (HISTORY, STRETCH, UNTIL, *CALENDAR)
    ]
    if taken:
        raise Mistake(
            "name-taken",
            f"A forecast makes a column {taken[0]!r} of its own.",
            where=table.source,
            todo="Rename this column of the file.",
        )


def _targets(table: Table, plan: Plan) -> tuple[str, ...]:
    """The columns asked for: one by its name, several between commas, all numbers by "*"."""
    assert plan.target
    frame = table.frame
    if plan.target == "*":
        left_out = (plan.time, plan.series, *plan.ignore)
        return tuple(c.name for c in frame if c.name not in left_out and is_number(c) and c.n_unique() > 1)
    whole = plan.target in frame.columns
    names = (plan.target,) if whole else tuple(name.strip() for name in plan.target.split(","))
    for name in names:
        table.named(name)
        if not is_number(frame[name]):
            raise Mistake(
                "horizon-not-a-number",
                f"The column '{name}' is no column of numbers, so it cannot be forecast.",
                where=table.source,
                why=f"It holds values such as {frame[name].drop_nulls().head(3).to_list()}.",
                todo="Leave out --horizon to predict each row's answer, or name a column of numbers.",
            )
    return names


def _left_out(ordered: Ordered, frame: Frame, examples: int) -> list[Finding]:
    """Moments without a whole answer or enough of a past; and those skipped for want of memory."""
    possible = sum(
        max(0, int(np.ptp(ordered.places[ordered.codes == code])) + 2 - frame.history - frame.horizon)
        for code in np.unique(ordered.codes)
    )
    missing = possible // frame.stride - examples
    findings = []
    if frame.stride > 1:
        findings.append(
            Finding(
                "windows-thinned",
                "note",
                f"One of {frame.stride} moments is used: all {possible:,} histories would fill the memory.",
                evidence={"stride": frame.stride, "possible": possible},
                remedy="A shorter --history lets more of them in.",
            )
        )
    if missing > 0:
        findings.append(
            Finding(
                "windows-left-out",
                "note",
                f"{missing:,} of {possible:,} moments have no whole answer, or hardly any past.",
                evidence={"left_out": missing, "possible": possible},
                done="left out: values are missing there",
            )
        )
    return findings


def examples_of(frame: Frame, table: Table, before: Table | None = None) -> Table:
    """The examples of a later table by the same frame; the rows `before` it serve as their past alone."""
    if not frame.horizon:
        return bundles(table, frame)
    assert frame.time
    if before is None:
        return windows(in_order(table, frame.time, frame.series, frame.clock)[0], frame)
    both = _joined(before, table)
    ordered, _ = in_order(both, frame.time, frame.series, frame.clock)
    last = ticks(before.frame[frame.time].drop_nulls()).max()
    later = ticks(ordered.times) > last
    edge = int(ordered.places[later].min()) - 1 if later.any() else int(ordered.places.max(initial=0))
    return windows(ordered, frame, after=edge)


def _joined(before: Table, table: Table) -> Table:
    names = [name for name in before.frame.columns if name in table.frame.columns]
    rows = pl.concat([before.frame.select(names), table.frame.select(names)], how="vertical_relaxed")
    lines = np.concatenate([before.lines, table.lines])
    return Table(rows, lines, table.source, table.schema, table.account)


def ahead_of(frame: Frame, table: Table) -> tuple[Table, list[pl.Series]]:
    """One example a series, for what comes after its last row; and the time of each step ahead."""
    assert frame.time
    ordered, _ = in_order(table, frame.time, frame.series, frame.clock)
    examples = ahead(ordered, frame)
    lasts = np.flatnonzero(np.r_[np.diff(ordered.codes) != 0, True])
    return examples, [ordered.later(lasts, step + 1) for step in range(frame.horizon)]


def frame_from(state: dict[str, Any] | None) -> Frame | None:
    """The frame that data.json holds; None where rows were the examples."""
    return Frame.from_state(state) if state else None
