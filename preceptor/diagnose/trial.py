"""Cheap trials on a copy: the same net, rows and optimiser with one thing changed, for a few dozen steps.

    trial(case, steps=60, factor=0.1)              # the learning rate divided by ten
    trial(case, steps=60, edit=standardised)       # the net edited first

The copy starts where the net started, or where it is now, and sees batches of the training rows drawn afresh.
The user's own optimiser is made again around it where it can be, so that one change is all there is. The
random generator and the user's net stay as they were, to the bit.
"""

import inspect
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import nn

from preceptor.diagnose.case import Case, Rows
from preceptor.diagnose.check import undisturbed
from preceptor.training.optimisers import Adam
from preceptor.training.parameters import FlatParameters

STEPS, RATE, BATCH = 60, 1e-3, 32
POSITIONAL, NAMED = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
Edit = Callable[[nn.Module], nn.Module]


class Outcome(NamedTuple):
    """The probe's loss, and the validation rows', after a trial, as shares; infinite when it diverged."""

    train: float
    validation: float | None
    net: nn.Module


def trial(
    case: Case,
    *,
    steps: int = STEPS,
    factor: float = 1.0,
    edit: Edit | None = None,
    now: bool = False,
    groups: dict[str, Any] | None = None,
    batch: int | None = None,
    rows: Rows | None = None,
    clip: float | None = None,
    along: bool = False,
    level: float | None = None,
) -> Outcome:
    """Train a copy with one thing changed.

    `factor` multiplies the learning rate; `edit` changes the net first; `now` starts from the weights of
    now instead of the first; `groups` are fields of the optimiser's groups to be set; `batch`, `rows`
    and `clip` replace the loop's own. The rate is the loop's highest, or goes `along` as the loop's went, or
    stays at `level`.
    """
    with undisturbed():
        net = case.copy(first=not now)
        net = edit(net) if edit else net
        course = _course(case, steps, level) if along or level else None
        step = _stepper(case, net, factor, groups or {}, course)
        return taught(case, net, step, steps=steps, batch=batch, rows=rows, clip=clip)


def taught(
    case: Case,
    net: nn.Module,
    step: Callable[[], Any],
    *,
    steps: int,
    batch: int | None = None,
    rows: Rows | None = None,
    clip: float | None = None,
) -> Outcome:
    """A net after some steps in a loop that is known to be right; `step` moves its weights."""
    rows, size = rows or case.train, batch or batch_size(case)
    net.train()
    for _ in range(steps):
        drawn = rows.take(torch.randint(0, rows.number, (min(size, rows.number),)))
        net.zero_grad(set_to_none=False)
        value = case.loss(case.answer(net, drawn), drawn.goal)
        if not math.isfinite(float(value.detach())):
            return Outcome(math.inf, math.inf, net)
        torch.autograd.backward(value)
        if clip:
            nn.utils.clip_grad_norm_(net.parameters(), clip)
        step()
    return judged(case, net.eval())


@torch.no_grad()
def judged(case: Case, net: nn.Module) -> Outcome:
    """Where a net stands on the probe and on a few validation rows."""
    train = _sound(case.share(case.loss_of(case.answer(net, case.probe), case.probe.goal)))
    if case.validation is None:
        return Outcome(train, None, net)
    held = case.validation.few()
    told = case.share(case.loss_of(case.answer(net, held), held.goal), case.dumb_held_out)
    return Outcome(train, _sound(told), net)


def _sound(value: float) -> float:
    return value if math.isfinite(value) else math.inf


def batch_size(case: Case) -> int:
    """The loop's own batch size where batches were told."""
    told = case.record.batches
    return len(told[0].goal) if told else BATCH


def _course(case: Case, steps: int, level: float | None = None) -> list[float]:
    """The loop's learning rate from start to now, as shares of the highest, in so many steps; or `level`."""
    rates = case.record.rates
    highest = max(rates, default=0.0)
    if level or not highest:
        return [level / highest if level and highest else 1.0] * steps
    return [rates[len(rates) * step // steps] / highest for step in range(steps)]


def _stepper(
    case: Case, net: nn.Module, factor: float, fields: dict[str, Any], course: list[float] | None
) -> Callable[[], Any]:
    """The optimiser's step around the copy: of the user's own kind where it can be made again, else
    Adam's. The rate goes its `course`, or stays.
    """
    left = iter(course or ())
    if not remakeable(case):
        adam = Adam(FlatParameters(net))
        return lambda: adam.step(factor * RATE * next(left, 1.0))
    mine = {id(given): own for given, own in zip(case.net.parameters(), net.parameters(), strict=True)}
    now, peak = max(case.rates()), max([*case.record.rates, *case.rates(), *_planned(case)])
    made = [
        {**group, **fields, "lr": factor * (peak * group["lr"] / now if now else peak), "params": own}
        for group in case.optimiser.param_groups
        if (own := [mine[id(p)] for p in group["params"] if id(p) in mine])
    ]
    if not made:
        return lambda: None
    optimiser = type(case.optimiser)(made)
    if course is None:
        return optimiser.step
    highest = [group["lr"] for group in optimiser.param_groups]

    def step() -> None:
        share = next(left)
        for group, rate in zip(optimiser.param_groups, highest, strict=True):
            group["lr"] = rate * share
        optimiser.step()

    return step


def _planned(case: Case) -> list[float]:
    """The rates to come that schedules have left in the optimiser's groups; asked before the first step."""
    groups = [] if case.record.step else case.optimiser.param_groups
    return [float(group.get("max_lr", group.get("initial_lr", 0.0))) for group in groups]


def remakeable(case: Case) -> bool:
    """Whether an optimiser like the loop's can be made of its groups alone, and steps without being told how.

    Where it cannot, nothing can be said about its learning rate.
    """
    kind = type(case.optimiser)
    if not getattr(case.optimiser, "param_groups", None):
        return False
    return _needs(kind.__init__) <= 2 and _needs(kind.step) <= 1


def _needs(function: Callable[..., Any]) -> int:
    """How many arguments must be given, `self` among them."""
    return sum(
        parameter.default is parameter.empty and parameter.kind in (POSITIONAL, NAMED)
        for parameter in inspect.signature(function).parameters.values()
    )


def tried(case: Case, steps: int = STEPS, **how: Any) -> Outcome:
    """The trial, made once for what is asked: `how` holds plain values only.

    A trial from where the net is now is made anew when the net has gone on.
    """
    place = case.record.step if how.get("now") else 0
    key = f"trial {steps} {sorted(how.items())} {place}"
    outcome: Outcome = case.once(key, lambda: trial(case, steps=steps, **how))
    return outcome
