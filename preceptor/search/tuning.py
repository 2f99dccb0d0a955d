"""Which of a plan's hyper-parameters are searched, and between which bounds.

    space = space_of(plan, task="number", rows=13_209, table=True)
    tried = applied(plan, {"training.learning_rate": 0.0123, "net.width": 64})

What a person has chosen is not searched. Every dimension holds the value that the recipe has settled, so
that the plan as it came is one of the settings.

| hyper-parameter | from | to | changes the shape |
|---|---|---|---|
| learning rate | a tenth of the recipe's | four times it, by orders of magnitude | no |
| weight decay | a thirtieth | thirty times, by orders of magnitude | no |
| momentum (of rules that have one) | 0.8 | 0.98 | no |
| dropout | 0 | 0.5 | no |
| label smoothing (classes) | 0 | 0.2 | no |
| width | half | twice the recipe's | yes |
| depth | one layer fewer | one more | yes |
| embedding of numbers | half | twice the recipe's | yes |
| neighbours | none | the recipe's width | yes |
| batch size | half | twice the recipe's | yes |

The last five are searched for tables alone: a net for pictures, words or series takes too long to be
rebuilt so often, and its encoder settles its own shape.
"""

from collections.abc import Callable, Iterator
from typing import Any

from preceptor.plan import Plan
from preceptor.recipe import NEIGHBOURS, NEIGHBOURS_A_MINUTE
from preceptor.search.space import Choice, Range, Setting, Space

Dimension = Range | Choice

GENTLE: dict[str, Callable[[Any], Dimension]] = {
    "training.learning_rate": lambda now: Range(now / 10, 4 * now, log=True),
    "training.weight_decay": lambda now: Range(now / 30, 30 * now, log=True),
    "training.momentum": lambda now: Range(0.8, 0.98),
    "net.dropout": lambda now: Range(0.0, 0.5),
    "training.label_smoothing": lambda now: Range(0.0, 0.2),
}
SHAPING: dict[str, Callable[[Any], Dimension]] = {
    "net.width": lambda now: Choice((now // 2, now, 2 * now)),
    "net.depth": lambda now: Choice(tuple(range(max(1, now - 1), now + 2))),
    "net.embedding": lambda now: Choice((now // 2, now, 2 * now)),
    "net.neighbours": lambda now: Choice(tuple(sorted({0, now or NEIGHBOURS}))),
    "training.batch_size": lambda now: Choice((now // 2, now, 2 * now)),
}
FORGETFUL = {"sgd", "adagrad", "adadelta", "rmsprop"}
"""Rules that remember no gradient."""
DIGITS = 3
"""So many significant digits of a number are tried: further ones change nothing but how it reads."""


def space_of(plan: Plan, *, task: str, rows: int, table: bool) -> Space:
    """The hyper-parameters worth searching for a settled plan; empty where a person has chosen them all.

    `rows` are the training rows of a fold, `table` says that there are only numbers and codes.
    """
    known = {**GENTLE, **(SHAPING if table else {})}
    idle = set(_idle(plan, task, rows))
    space = {}
    for name, dimension in known.items():
        part, field = _place(plan, name)
        now = getattr(part, field)
        if name in idle or field in part.model_fields_set or not dimension(now).holds(now):
            continue
        space[name] = dimension(now)
    return space


def _idle(plan: Plan, task: str, rows: int) -> Iterator[str]:
    """What would make no difference, cannot be, or costs too much for so many rows."""
    if task not in ("two-class", "many-class"):
        yield "training.label_smoothing"
    if plan.training.optimiser in FORGETFUL:
        yield "training.momentum"
    if not plan.training.weight_decay:
        yield "training.weight_decay"
    if not plan.net.embedding:
        yield "net.embedding"
    if not plan.net.depth:
        yield from ("net.width", "net.depth")
    if rows > NEIGHBOURS_A_MINUTE * plan.minutes:
        yield "net.neighbours"
    if not plan.training.batch_size:
        yield "training.batch_size"


def applied(plan: Plan, setting: Setting) -> Plan:
    """The plan with the setting's values, which then count as chosen."""
    for name, value in setting.items():
        part, field = _place(plan, name)
        value = float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
        plan = plan.model_copy(update={name.split(".")[0]: part.model_copy(update={field: value})})
    return plan


def setting_of(plan: Plan, space: Space) -> Setting:
    """The plan's own values of the names in `space`."""
    return {name: getattr(*_place(plan, name)) for name in space}


def _place(plan: Plan, name: str) -> tuple[Any, str]:
    part, field = name.split(".")
    return getattr(plan, part), field
