"""Parameters that training cannot move (22). Certain.

    absent     requires a gradient, and is in none of the optimiser's groups; unless all that is absent are
               matrices plainly learnt elsewhere and what goes with them
    frozen     requires no gradient, and its values are plainly those it was drawn with: uniform within the
               bounds of the usual recipes, so that nothing learnt would be kept
    unreached  no gradient arrives: the output is not computed from it
    unknown    lies in a plain list or dict of a module, where `net.parameters()` does not find it

What was learnt elsewhere, or is named in `frozen`, is meant to stay. A net in which nothing learns is an
error. Source: TheDeepChecker.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from preceptor.diagnose.case import Case
from preceptor.diagnose.check import undisturbed
from preceptor.finding import Finding

FEWEST, FIT, MANY, CHANCE = 64, 0.05, 2_000, 1e-3
HIDDEN = "in a plain list or dict, where torch does not find it"


def parameters_unmoved(case: Case) -> Finding | None:
    """What does not learn, and why."""
    all_names = [name for name, _ in case.net.named_parameters()]
    if not any(p.requires_grad for p in case.net.parameters()):
        return _finding(all_names, "frozen", len(all_names), certain=True)
    named = {n: p for n, p in case.net.named_parameters() if not n.startswith(tuple(case.frozen or ["\0"]))}
    if unknown := _unknown(case):
        return _finding(unknown, HIDDEN, len(all_names) + len(unknown))
    absent = _absent(case, named)
    fresh = [name for name, p in named.items() if not p.requires_grad and _drawn(p)]
    if absent and not _learnt_elsewhere(named, absent):
        return _finding(absent, "not in the optimiser", len(named))
    if fresh:
        return _finding(fresh, "frozen", len(named))
    unreached = [] if absent else _unreached(case, named)
    return _finding(unreached, "not reached by any gradient", len(named)) if unreached else None


def _finding(names: list[str], why: str, total: int, *, certain: bool = False) -> Finding:
    remedy = {
        HIDDEN: "Keep layers in nn.ModuleList or nn.ModuleDict, parameters in nn.ParameterList.",
        "not in the optimiser": "Give it to the optimiser: type(optimiser)(net.parameters(), ...).",
        "frozen": f"Unfreeze it, net.get_parameter({names[0]!r}).requires_grad_(True), or say that it is"
        f" meant: watch(..., frozen=[{names[0]!r}]).",
    }
    return Finding(
        "parameters-unmoved",
        "error" if certain else "warning",
        f"{len(names)} of {total} parameters will not learn, first {names[0]!r}, which is {why}. They stay as"
        " they were drawn, and the loss curve hides it, since the others still learn.",
        layer=names[0],
        evidence={"parameters": total, "unmoved": names, "why": why},
        remedy=remedy.get(why, "See that the output is computed from it, and that nothing is detached."),
    )


def _unknown(case: Case) -> list[str]:
    """Parameters of layers kept in plain lists and dicts, which neither the net nor the optimiser knows."""
    known = {id(p) for p in case.net.parameters()} | (_held(case) or set())
    return [
        f"{place}.{name}".lstrip(".")
        for place, module in case.net.named_modules()
        for name, parameter in _kept(module)
        if parameter.requires_grad and id(parameter) not in known
    ]


def _kept(module: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """What lies in a module's plain lists and dicts, by the attribute's name."""
    for name, kept in vars(module).items():
        if name.startswith("_") or not isinstance(kept, list | tuple | dict):
            continue
        for each in kept.values() if isinstance(kept, dict) else kept:
            if isinstance(each, nn.Module):
                yield from ((name, parameter) for parameter in each.parameters())
            elif isinstance(each, nn.Parameter):
                yield name, each


def _held(case: Case) -> set[int] | None:
    """What the optimiser moves; None where it does not tell."""
    groups = getattr(case.optimiser, "param_groups", None)
    return None if groups is None else {id(p) for group in groups for p in group["params"]}


def _absent(case: Case, named: dict[str, nn.Parameter]) -> list[str]:
    held = _held(case)
    return [] if held is None else [n for n, p in named.items() if p.requires_grad and id(p) not in held]


def _learnt_elsewhere(named: dict[str, nn.Parameter], names: list[str]) -> bool:
    """Whether there are matrices among these, large enough to tell, and none looks freshly drawn."""
    telling = [named[name] for name in names if named[name].ndim > 1 and named[name].numel() >= FEWEST]
    return bool(telling) and not any(_drawn(weight) for weight in telling)


def _drawn(weight: Tensor) -> bool:
    """Whether values look as they come from `nn.init`: uniform to the bounds of its recipes, or normal."""
    from scipy import stats

    values = weight.detach().cpu().flatten().double()
    if weight.ndim < 2 or len(values) < FEWEST or not bool(values.any()):
        return False
    largest, values = float(values.abs().max()), values[:5000]
    for bound in _bounds(weight):
        if 1 - 10 / weight.numel() < largest / bound <= 1 + 1e-6:
            return bool(stats.kstest(values.numpy(), "uniform", args=(-bound, 2 * bound)).pvalue > FIT)
    values = values[values != 0]  # a row of zeros stands for the padding
    normal = stats.kstest((values / values.std()).numpy(), "norm").pvalue
    return bool(len(values) > MANY and normal > CHANCE)


def _bounds(weight: Tensor) -> tuple[float, ...]:
    """The bounds of uniform recipes: torch's own, He's for ReLU, Glorot's."""
    inputs, outputs = weight[0].numel(), weight.shape[0]
    return (1 / inputs**0.5, (6 / inputs) ** 0.5, (6 / (inputs + outputs)) ** 0.5)


def _unreached(case: Case, named: dict[str, nn.Parameter]) -> list[str]:
    net = case.reflect(first=True)
    with undisturbed():
        value = case.loss(case.answer(net, case.probe), case.probe.goal)
        if value.requires_grad:
            torch.autograd.backward(value)
    reached = {name for name, p in net.named_parameters() if p.grad is not None}
    return [name for name, p in named.items() if p.requires_grad and p.numel() and name not in reached]
