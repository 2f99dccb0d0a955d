"""The last activation does not fit what the loss expects (16). Certain.

    softmax    outputs are >= 0 and sum to 1, and the loss wants logits: a constant added to all changes
               nothing
    sigmoid    outputs lie in (0, 1), made by a sigmoid, and the loss wants logits
    scores     outputs are no log-probabilities, and the loss wants these: it falls by any constant added
    tags       outputs are made by a sigmoid or cut off, answers are yes or no for each of many tags or
               places, and the loss wants logits: beyond 1 it still falls
    relu       outputs are cut off at 0, and the loss wants logits, or a twentieth of the answers is negative
    range      a tanh or sigmoid makes the outputs, and a twentieth of the answers lies beyond its range

The loss is asked, not looked up by its name. Source: UMLAUT; NeuraLint; TheDeepChecker.
"""

import torch

from preceptor.diagnose.case import Case
from preceptor.diagnose.loss_shape import asked, wanted
from preceptor.finding import Finding

BEYOND = 0.05


def output_mismatch(case: Case) -> Finding | None:
    """An output that is squeezed before a loss that wants it whole."""
    loss = wanted(case)
    if loss is not None and loss.sinking and not _log_shares(case.output):
        return _scores(case)
    kind = _sequences(case) if loss is None else _classes(case, loss.shiftless, loss.logits)
    kind = kind or _tags(case) or _numbers(case)
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


def _log_shares(output: torch.Tensor) -> bool:
    """Whether the classes' outputs are logarithms of shares that sum to one."""
    return bool((output.exp().sum(1) - 1).abs().max() < 1e-3)


def _scores(case: Case) -> Finding:
    """Raw scores where log-probabilities are wanted: the loss has no lower end."""
    low, high = float(case.output.min()), float(case.output.max())
    return Finding(
        "output-mismatch",
        "warning",
        f"The net gives raw scores, from {low:.3g} to {high:.3g}, and the loss wants log-probabilities: it"
        " falls by whatever is added to all of them, without end. What is learnt is to shout.",
        layer=case.trace.steps[-1].layer if case.trace.steps else None,
        evidence={"activation": "scores", "lowest": low, "highest": high},
        remedy="Take CrossEntropyLoss, or end the net in log_softmax(dim=1) for NLLLoss.",
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


def _tags(case: Case) -> str:
    goal, output = case.probe.goal, case.output
    if goal.numel() != output.numel() or not goal.is_floating_point() or case.last not in ("sigmoid", "relu"):
        return ""
    if not bool(((goal == 0) | (goal == 1)).all()):
        return ""
    sure = (2 * goal - 1).reshape(output.shape).to(output.dtype)
    most, more, one = (asked(case, size * sure) for size in (8.0, 4.0, 1.0))
    return case.last if most < more < one else ""


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
