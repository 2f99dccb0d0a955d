"""What a search found, in words; drawn, it is in `preceptor.report.search`."""

from typing import Any

from preceptor.figures.words import known, listed, number, plural
from preceptor.report.record import Event, Record
from preceptor.report.yardstick import Yardstick

MOST_SAID = 3


def told_search(record: Record) -> str:
    """The search in a line: how many settings, how much better, what changed."""
    search, trials = record.last("search"), record.latest("trial", "number")
    if not search.get("setting"):
        return ""
    measure, before = measure_of(record, search), search.get("before")
    as_it_came = f" (the recipe's own: {measure.said(before)})" if known(before) else ""
    new = [f"{worded(name)} {said(value)}" for name, value in changed(search, trials).items()]
    more = f": {listed(new, MOST_SAID)}" if new else ": the recipe's own was the best"
    settings, score = plural(search["trials"], "setting"), measure.said(search.get("score"))
    return f"{settings}, the best {score} on validation rows{as_it_came}{more}"


def worded(name: str) -> str:
    """A hyper-parameter's name in words: "training.learning_rate" is the learning rate."""
    return name.split(".")[-1].replace("_", " ")


def measure_of(record: Record, search: Event) -> Yardstick:
    """The yardstick that trials were marked by."""
    return Yardstick.of(record.task, str(search.get("measure")), record.target)


def changed(search: Event, trials: list[Event]) -> dict[str, Any]:
    """What the best setting has otherwise than the plan as it came."""
    before = first_setting(trials)
    return {name: value for name, value in search["setting"].items() if value != before.get(name)}


def first_setting(trials: list[Event]) -> dict[str, Any]:
    """The setting of the plan as it came, which is tried before all others."""
    return next((trial["setting"] for trial in trials if trial["number"] == 0), {})


def said(value: object) -> str:
    """A hyper-parameter's value."""
    return (
        number(value) if known(value) and isinstance(value, float) else str("–" if value is None else value)
    )
