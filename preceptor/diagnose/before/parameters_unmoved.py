"""Parameters that training cannot move (22). Certain.

    absent     requires a gradient, and is in none of the optimiser's groups
    frozen     requires no gradient, and its values are plainly those it was drawn with: uniform within the
               bounds of the usual recipes, so that nothing learnt would be kept
    unreached  no gradient arrives: the output is not computed from it

What is frozen and was learnt elsewhere, or is named in `frozen`, is meant to be. Source: TheDeepChecker.
"""

import torch
from torch import Tensor

from preceptor.diagnose.case import Case
from preceptor.diagnose.check import undisturbed
from preceptor.finding import Finding

FEWEST, FIT, MANY = 64, 0.05, 2_000


def parameters_unmoved(case: Case) -> Finding | None:
    """What does not learn, and why."""
    named = {n: p for n, p in case.net.named_parameters() if not n.startswith(tuple(case.frozen or ["\0"]))}
    absent = _absent(case, named)
    still = [name for name, p in named.items() if not p.requires_grad]
    learning = any(p.requires_grad for p in named.values())
    fresh = [name for name in still if not learning or _drawn(named[name])]
    unreached = [] if absent or fresh or not learning else _unreached(case, named)
    for names, why in (
        (absent, "not in the optimiser"),
        (fresh, "frozen"),
        (unreached, "not reached by any gradient"),
    ):
        if names:
            return _finding(names, why, len(named))
    return None


def _finding(names: list[str], why: str, total: int) -> Finding:
    remedy = {
        "not in the optimiser": "Give it to the optimiser: type(optimiser)(net.parameters(), ...).",
        "frozen": f"Unfreeze it, net.get_parameter({names[0]!r}).requires_grad_(True), or say that it is"
        f" meant: watch(..., frozen=[{names[0]!r}]).",
    }
    return Finding(
        "parameters-unmoved",
        "warning",
        f"{len(names)} of {total} parameters will not learn, first {names[0]!r}, which is {why}. They stay as"
        " they were drawn, and the loss curve hides it, since the others still learn.",
        layer=names[0],
        evidence={"parameters": total, "unmoved": names, "why": why},
        remedy=remedy.get(why, "See that the output is computed from it, and that nothing is detached."),
    )


def _absent(case: Case, named: dict[str, torch.nn.Parameter]) -> list[str]:
    groups = getattr(case.optimiser, "param_groups", None)
    if groups is None:
        return []
    held = {id(p) for group in groups for p in group["params"]}
    return [name for name, p in named.items() if p.requires_grad and id(p) not in held]


def _drawn(weight: Tensor) -> bool:
    """Whether values look as they come from `nn.init`, to the bounds of its recipes."""
    from scipy import stats

    values = weight.detach().flatten().double()
    if weight.ndim < 2 or len(values) < FEWEST or not bool(values.any()):
        return False
    largest, values = float(values.abs().max()), values[:5000]
    for bound in _bounds(weight):
        if 1 - 10 / weight.numel() < largest / bound <= 1 + 1e-6:
            return bool(stats.kstest(values.numpy(), "uniform", args=(-bound, 2 * bound)).pvalue > FIT)
    normal = stats.kstest((values / values.std()).numpy(), "norm").pvalue
    return bool(len(values) > MANY and normal > FIT and _usual(weight, float(values.std())))


def _bounds(weight: Tensor) -> tuple[float, ...]:
    """The bounds of uniform recipes: torch's own, He's for ReLU, Glorot's."""
    inputs, outputs = weight[0].numel(), weight.shape[0]
    return (1 / inputs**0.5, (6 / inputs) ** 0.5, (6 / (inputs + outputs)) ** 0.5)


def _usual(weight: Tensor, spread: float) -> bool:
    """Whether a normal spread is that of a usual recipe."""
    inputs, outputs = weight[0].numel(), weight.shape[0]
    recipes = (1.0, (2 / inputs) ** 0.5, (1 / inputs) ** 0.5, (2 / (inputs + outputs)) ** 0.5, 0.02)
    return any(abs(spread / recipe - 1) < 2 / weight.numel() ** 0.5 for recipe in recipes)


def _unreached(case: Case, named: dict[str, torch.nn.Parameter]) -> list[str]:
    net = case.reflect(first=True)
    with undisturbed():
        value = case.loss(case.answer(net, case.probe), case.probe.goal)
        if value.requires_grad:
            torch.autograd.backward(value)
    reached = {name for name, p in net.named_parameters() if p.grad is not None}
    return [name for name, p in named.items() if p.requires_grad and p.numel() and name not in reached]
