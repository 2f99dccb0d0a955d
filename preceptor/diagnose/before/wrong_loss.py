"""The loss does not fit the task (17). Certain.

    endless    the loss falls in proportion as outputs grow a hundredfold: a loss of yes and no for amounts
    shapes     the loss of a perfect output is no better than half of the constant answer's: output and goal
               have shapes that are spread against each other, (B, 1) against (B,)
    dead       the loss does not change with the output at all, as cross-entropy over one single column
    classes    the goal is class numbers 0, 1, .. K-1 of about equal share (each > 0.3 / K), the net has one
               output, and the loss is a distance; but squared error of a probability of yes or no is a
               proper score
    tags       the goal is zeros and ones, several ones in a twentieth of the rows, and the loss is that of
               one class a row: a constant added to all outputs changes nothing
    counts     the goal is small counts, half of them at one value or more skewed than 1, and the loss is
               absolute error, small errors as well as large ones

Source: AutoTrainer; TheDeepChecker. What the loss is, is asked: doubling an error four-folds a squared loss.
"""

import math

import torch
from torch import Tensor

from preceptor.diagnose.case import Case
from preceptor.diagnose.loss_shape import SHIFT, asked, wanted
from preceptor.finding import Finding

HALF, SHARE, MOST_CLASSES, SMALL, BEYOND_ONE = 0.5, 0.3, 30, 20, 0.05


def wrong_loss(case: Case) -> Finding | None:
    """A loss that measures something else."""
    goal, output = case.probe.goal, case.output
    told = _dead(case)
    if not told and goal.numel() == output.numel():
        told = _spread(case) or _endless(case) or _tags(case)
    if not told and goal.numel() == output.numel() == len(goal):
        told = _classes(case) or _counts(case)
    if not told:
        return None
    seen, remedy = told
    return Finding(
        "wrong-loss",
        "warning",
        f"{seen} The net will learn to please this loss, not to answer the question.",
        evidence={
            "output": list(output.shape),
            "goal": list(goal.shape),
            "goal_type": str(goal.dtype),
            **_losses(case),
        },
        remedy=remedy,
    )


def _losses(case: Case) -> dict[str, dict[str, float]]:
    """What the loss says to right answers, and to the same for all, where they can be made up."""
    goal, output = case.probe.goal, case.output
    if goal.numel() != output.numel():
        return {}
    y = goal.to(output.dtype)
    made = {"right answers": y, "the same answer for all": y.mean().expand(y.shape)}
    told = {name: asked(case, one.reshape(output.shape)) for name, one in made.items()}
    return {"losses": told} if all(math.isfinite(loss) for loss in told.values()) else {}


def _dead(case: Case) -> tuple[str, str] | None:
    output = case.output.detach().clone().requires_grad_()
    with torch.enable_grad():
        value = case.loss(output, case.probe.goal)
        slope = torch.autograd.grad(value, output, allow_unused=True)[0] if value.requires_grad else None
    if (slope is not None and bool(slope.any())) or case.probe.number < 2 or case.last == "relu":
        return None
    if slope is not None and wanted(case) is None and output[0].numel() > 1:
        return None
    return (
        f"The loss does not change with the net's output of shape {tuple(output.shape)}.",
        "Give the net one output for each class, or take BCEWithLogitsLoss for a single one.",
    )


@torch.no_grad()
def _spread(case: Case) -> tuple[str, str] | None:
    """Shapes that are broadcast against each other."""
    goal = case.probe.goal
    if goal.shape == case.output.shape or case.classes is not None:
        return None
    if not goal.is_floating_point():
        return None
    perfect = asked(case, goal.reshape(case.output.shape).to(case.output.dtype))
    constant = asked(case, goal.mean().to(case.output.dtype).expand(case.output.shape).contiguous())
    if not perfect >= HALF * constant:
        return None
    return (
        f"Outputs {tuple(case.output.shape)} and answers {tuple(goal.shape)} are spread against each other:"
        " every row is compared with every answer.",
        "Give both one shape: loss(output.squeeze(1), y), or y[:, None].",
    )


@torch.no_grad()
def _endless(case: Case) -> tuple[str, str] | None:
    """A loss of yes and no, asked of amounts: it falls without end as outputs grow."""
    goal = case.probe.goal.to(case.output.dtype)
    away = (goal - goal.mean()).sign().reshape(case.output.shape)
    near, far = (asked(case, size * away) for size in (1e2, 1e4))
    if not far < 50 * near < 0:
        return None
    return (
        f"The loss falls without end as outputs grow: answers from {float(goal.min()):.2g} to"
        f" {float(goal.max()):.2g} are amounts, and it is made for yes and no.",
        "Take MSELoss or HuberLoss for amounts.",
    )


@torch.no_grad()
def _tags(case: Case) -> tuple[str, str] | None:
    """A loss of one class a row, asked of rows that have several."""
    goal, output = case.train.goal, case.output
    if goal.ndim != 2 or goal.shape[1] < 2 or not bool(((goal == 0) | (goal == 1)).all()):
        return None
    several = float((goal.sum(1) > 1).double().mean())
    base, shifted = (asked(case, output + size) for size in (0.0, SHIFT))
    if several < BEYOND_ONE or not abs(base - shifted) < 1e-3 * abs(base):
        return None
    return (
        f"{several:.0%} of the rows bear several tags at once, and the loss shares out one class a row.",
        "Take BCEWithLogitsLoss: a yes or no for each tag.",
    )


@torch.no_grad()
def _power(case: Case, error: float = 5.0) -> float:
    """p of a loss |error|^p, from the loss of errors of two sizes; 0 when it is no such loss."""
    right = case.probe.goal.reshape(case.output.shape).to(case.output.dtype)
    zero, one, two = (asked(case, right + error * size) for size in (0, 1, 2))
    if not abs(zero) <= 1e-3 * abs(one) or one <= 0 or two <= 0:
        return 0.0
    return float(torch.tensor(two / one).log2())


def _classes(case: Case) -> tuple[str, str] | None:
    goal: Tensor = case.train.goal.flatten().float()
    distinct, counts = torch.unique(goal, return_counts=True)
    numbered = torch.equal(distinct, torch.arange(len(distinct), dtype=goal.dtype))
    balanced = float(counts.min()) / len(goal) > SHARE / len(distinct) or len(distinct) == 2
    if not numbered or not 2 <= len(distinct) <= min(MOST_CLASSES, len(goal) // 10) or not balanced:
        return None
    power = _power(case)
    if not 0.9 < power < 2.1 or (power > 1.9 and len(distinct) == 2 and case.last == "sigmoid"):
        return None
    return (
        f"The answers are the numbers of {len(distinct)} classes, and the loss measures how far off a number"
        " is.",
        f"Give the net {len(distinct)} outputs and take CrossEntropyLoss()(output, y.long())"
        + (", or BCEWithLogitsLoss for a single one." if len(distinct) == 2 else "."),
    )


def _counts(case: Case) -> tuple[str, str] | None:
    goal = case.train.goal.flatten().float()
    if bool((goal != goal.round()).any()) or bool((goal < 0).any()) or float(goal.median()) > SMALL:
        return None
    if not all(0.9 < _power(case, error) < 1.1 for error in (0.05, 5.0)):
        return None
    middle = float((goal == goal.median()).float().mean())
    skew = float(((goal - goal.mean()) / goal.std().clamp(min=1e-9)).pow(3).mean())
    if middle < HALF and skew < 1:
        return None
    return (
        "The answers are counts, and absolute error aims at their median, far below their mean.",
        "Take PoissonNLLLoss, or MSELoss on log1p(y).",
    )
