"""The last activation does not fit what the loss expects (16). Certain.

    softmax    outputs are >= 0 and sum to 1, and the loss wants logits: a constant added to all changes
               nothing
    sigmoid    outputs lie in (0, 1), made by a sigmoid, and the loss wants logits
    relu       outputs are cut off at 0, and the loss wants logits, or a twentieth of the answers is negative
    range      a tanh or sigmoid makes the outputs, and a twentieth of the answers lies beyond its range

The loss is asked, not looked up by its name. Source: UMLAUT; NeuraLint; TheDeepChecker.
"""

import torch

from preceptor.diagnose.case import Case
from preceptor.diagnose.loss_shape import wanted
from preceptor.finding import Finding

BEYOND = 0.05


def output_mismatch(case: Case) -> Finding | None:
    """An output that is squeezed before a loss that wants it whole."""
    asked = wanted(case)
    kind = _sequences(case) if asked is None else _classes(case, asked.shiftless, asked.logits)
    kind = kind or _numbers(case)
    if not kind:
        return None
    low, high = float(case.output.min()), float(case.output.max())
    return Finding(
        "output-mismatch",
        "warning",
        f"The net ends in {kind}, so that its outputs lie between {low:.3g} and {high:.3g}, and the loss"
        " expects them unbounded. Gradients shrink, and the loss cannot come down to what it could.",
        layer=case.trace.steps[-1].layer if case.trace.steps else None,
        evidence={"activation": kind, "lowest": low, "highest": high, **_answers(case)},
        remedy=f"Leave out the last {kind}: the loss (CrossEntropyLoss, BCEWithLogitsLoss, MSELoss) wants raw"
        " outputs.",
    )


def _answers(case: Case) -> dict[str, list[float]]:
    """The range of the answers, where they are amounts."""
    goal = case.train.goal
    return {"answers": [float(goal.min()), float(goal.max())]} if goal.is_floating_point() else {}


def _classes(case: Case, shiftless: bool, logits: bool) -> str:
    output = case.output.reshape(len(case.output), -1)
    if output.shape[1] > 1 and shiftless:
        return _squeezed(case, output)
    if output.shape[1] == 1 and logits and case.last in ("sigmoid", "relu"):
        return case.last
    return ""


def _sequences(case: Case) -> str:
    """A class for each place: (B, T, C) against (B, T)."""
    goal, output = case.probe.goal, case.output
    if goal.is_floating_point() or output.ndim < 3 or output.shape[:-1] != goal.shape:
        return ""
    with torch.no_grad():
        moved = abs(case.loss_of(output + 1.7, goal) - case.loss_of(output, goal))
    return _squeezed(case, output.flatten(0, -2)) if moved < 1e-3 else ""


def _squeezed(case: Case, output: torch.Tensor) -> str:
    sums = output.sum(-1)
    if bool((output >= 0).all()) and bool((sums - 1).abs().max() < 1e-3):
        return "softmax"
    return case.last if case.last in ("sigmoid", "relu", "tanh") else ""


def _numbers(case: Case) -> str:
    goal = case.train.goal
    if (
        not goal.is_floating_point()
        or case.classes is not None
        or case.last not in ("relu", "sigmoid", "tanh")
    ):
        return ""
    low, high = {"relu": (0.0, float("inf")), "sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}[case.last]
    beyond = float(((goal < low) | (goal > high)).float().mean())
    return case.last if beyond > BEYOND else ""
