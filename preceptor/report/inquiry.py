"""What was asked of the net when time was left over: folds of the report, each a question and its answer.

blocks += answers(record)                      # empty where there was no time to ask
"""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import polars as pl

from preceptor.figures.probes import before_and_after, data_curve, landscape_drawn, rate_range
from preceptor.figures.words import number
from preceptor.report.blocks import Block, Fold, Text, pictures
from preceptor.report.record import Event, Record
from preceptor.report.yardstick import Yardstick

Answer = Callable[[Record, Event], Fold]


def answers(record: Record) -> list[Block]:
    """A fold for each question that was asked, in the order of ANSWERS."""
    asked = {str(probe["name"]): probe for probe in record.latest("probe", "name")}
    return [answer(record, asked[name]) for name, answer in ANSWERS.items() if name in asked]


def _data(record: Record, probe: Event) -> Fold:
    curve = _found(probe, "points")
    axis = Yardstick.of(record.task, str(probe["metric"]), record.target).axis
    heading = "Would more data help? Yes." if curve.helps else "Would more data help? Hardly."
    return Fold(heading, pictures(data_curve(curve, axis)))


def _parts(record: Record, probe: Event) -> Fold:
    bias, variance = probe["bias"], probe["variance"]
    share = round(100 * variance / max(bias + variance, 1e-12))
    words = (
        f"Nets taught on other draws of the same rows give other answers: that variance is {share} % of the "
        f"squared error. The rest is what they all get wrong alike, with the noise that nobody can know. "
        f"{probe['advice']}"
    )
    return Fold("Is the net too stiff or too nervous?", [Text(words)])


def _rate(record: Record, probe: Event) -> Fold:
    words = f"The net was taught with {number(probe['taught_with'])} at most."
    drawing = rate_range(_found(probe, "points", "runs"))
    return Fold("Was the learning rate right?", [Text(words), *pictures(drawing)])


def _landscape(record: Record, probe: Event) -> Fold:
    words = (
        f"The steepest curvature there is {number(probe['sharpness'])}: plain gradient descent would be "
        f"thrown out of this minimum by a learning rate above {number(2 / max(probe['sharpness'], 1e-12))}."
    )
    drawing = landscape_drawn(_found(probe, "points"))
    return Fold("Is its minimum sharp or flat?", [*pictures(drawing), Text(words)])


def _found(probe: Event, *frames: str) -> Any:
    """What a probe found, as it gave it: its numbers, and those of `frames` as tables."""
    return SimpleNamespace(**{**probe, **{name: pl.DataFrame(probe[name]) for name in frames}})


ANSWERS: dict[str, Answer] = {
    "data": _data,
    "bias and variance": _parts,
    "learning rate": _rate,
    "landscape": _landscape,
}
"""Every question by its name in the ledger."""


def remedy_drawn(record: Record, remedy: Event, nth: int) -> list[Block]:
    """The curves of the nth remedy, before and after; empty where they were not written down."""
    curves = remedy.get("curves") or {}
    measure = Yardstick.of(record.task, str(remedy.get("metric")), record.target)
    text, kept = str(remedy.get("text")), "kept" if remedy.get("kept") else "taken back"
    best = f"{measure.said(remedy.get('before'))} → {measure.said(remedy.get('after'))}"
    figure = before_and_after(
        f"{text[:1].upper()}{text[1:]}: {best}, {kept}",
        curves.get("before", []),
        curves.get("after", []),
        measure.axis,
    )
    return pictures(figure and replace(figure, name=f"{figure.name}-{nth}"))
