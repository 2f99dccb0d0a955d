"""How the hyper-parameters were chosen: a fold of the report, and a line of the terminal.

blocks += how_chosen(record)                   # empty where nothing was searched
"""

from typing import Any

from preceptor.figures.search import Attempt, hyperparameter_importance, parallel_coordinates, trial_curves
from preceptor.figures.words import duration, known, listed, number, plural, spelt
from preceptor.report.blocks import Block, Fold, Grid, Text, pictures
from preceptor.report.record import Event, Record
from preceptor.report.yardstick import Yardstick

MOST_SAID = 3


def how_chosen(record: Record) -> list[Block]:
    """What the search tried and found, folded away; empty without one."""
    search, trials = record.last("search"), record.latest("trial", "number")
    if not search.get("setting"):
        return []
    measure = _yardstick(record, search)
    higher = measure.higher_is_better
    attempts = [_attempt(trial, search) for trial in trials]
    shares = {worded(name): share for name, share in (search.get("importance") or {}).items()}
    shown = pictures(
        trial_curves(attempts, measure.axis, higher_is_better=higher, share=measure.unit == "share"),
        parallel_coordinates(attempts, measure.short, higher_is_better=higher),
        hyperparameter_importance(shares),
    )
    story = Text(_story(record, search, trials, measure))
    title = f"Its hyper-parameters are the best of {plural(search['trials'], 'setting')}"
    return [Fold(title, [story, _chosen(search, trials), *shown])]


def told_search(record: Record) -> str:
    """The search in a line: how many settings, how much better, what changed."""
    search, trials = record.last("search"), record.latest("trial", "number")
    if not search.get("setting"):
        return ""
    measure, before = _yardstick(record, search), search.get("before")
    as_it_came = f" (the recipe's own: {measure.said(before)})" if known(before) else ""
    changed = [f"{worded(name)} {_said(value)}" for name, value in _changed(search, trials).items()]
    more = f": {listed(changed, MOST_SAID)}" if changed else ": the recipe's own was the best"
    settings, score = plural(search["trials"], "setting"), measure.said(search.get("score"))
    return f"{settings}, the best {score} on validation rows{as_it_came}{more}"


def worded(name: str) -> str:
    """A hyper-parameter's name in words: "training.learning_rate" is the learning rate."""
    return name.split(".")[-1].replace("_", " ")


def _yardstick(record: Record, search: Event) -> Yardstick:
    return Yardstick.of(record.task, str(search.get("measure")), record.target)


def _attempt(trial: Event, search: Event) -> Attempt:
    went = "all epochs" if trial.get("end") == "complete" else "dropped"
    role = "chosen" if trial["setting"] == search["setting"] else went
    setting = {worded(name): value for name, value in trial["setting"].items()}
    score = trial.get("score")
    return Attempt(
        trial["number"], setting, score if known(score) else float("nan"), trial.get("curve") or [], role
    )


def _first(trials: list[Event]) -> dict[str, Any]:
    """The setting of the plan as it came, which is tried before all others."""
    return next((trial["setting"] for trial in trials if trial["number"] == 0), {})


def _changed(search: Event, trials: list[Event]) -> dict[str, Any]:
    before = _first(trials)
    return {name: value for name, value in search["setting"].items() if value != before.get(name)}


def _story(record: Record, search: Event, trials: list[Event], measure: Yardstick) -> str:
    ends = [trial.get("end") for trial in trials]
    whole, late = ends.count("complete"), ends.count("stopped")
    took = (record.last("cost").get("stages") or {}).get("search")
    told = [
        f"{plural(search['trials'], 'setting')} were tried on validation rows"
        + (f" for {duration(took)}" if known(took) else "")
        + (f"; {spelt(whole, 'of them', 'of them')} had all epochs" if whole else "")
        + (f", {spelt(late, 'was', 'were')} stopped by the clock." if late else "."),
        f"The best came to {measure.said(search.get('score'))}"
        + (
            f", the recipe's own to {measure.said(search['before'])}." if known(search.get("before")) else "."
        ),
        "The best of many looks better on the rows that chose it than it is"
        + (f", here by about {measure.gap(search['optimism'])}" if search.get("optimism") else "")
        + ": what counts is the exam, on rows that no trial has seen.",
    ]
    return " ".join(told)


def _chosen(search: Event, trials: list[Event]) -> Grid:
    before = _first(trials)
    rows = [[worded(name), _said(before.get(name)), _said(now)] for name, now in search["setting"].items()]
    return Grid("", ["hyper-parameter", "the recipe's own", "chosen"], rows)


def _said(value: object) -> str:
    return (
        number(value) if known(value) and isinstance(value, float) else str("–" if value is None else value)
    )
