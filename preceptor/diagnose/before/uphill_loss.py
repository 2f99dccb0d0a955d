"""The loss is lower for wrong answers than for right ones (44). Certain.

    L(outputs that answer every row rightly) > L(outputs that answer every row wrongly), however they are
    wrong; or less, and the optimiser is told to `maximize`

Descending such a loss leads uphill, and so does climbing a sound one. Source: TheDeepChecker; tuning
playbook.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from preceptor.diagnose.case import Case
from preceptor.diagnose.loss_shape import asked, wanted
from preceptor.finding import Finding

APART = 1e-3


def uphill_loss(case: Case) -> Finding | None:
    """A loss with its sign turned round."""
    right, wrong = _asked(case)
    climbs = any(group.get("maximize") for group in getattr(case.optimiser, "param_groups", ()))
    if not (wrong - right if climbs else right - wrong) > APART * max(abs(wrong), 1.0):
        return None
    return Finding(
        "uphill",
        "warning",
        f"The loss of right answers is {right:.3g}, that of wrong ones {wrong:.3g}"
        + (", and the optimiser is told to raise it" if climbs else "")
        + ". Each step of training will make the answers worse.",
        evidence={"right": right, "wrong": wrong},
        remedy="Make the optimiser without maximize=True."
        if climbs
        else "Turn the sign of the loss: loss = -loss, or take log-likelihood where it is negated already.",
    )


@torch.no_grad()
def _asked(case: Case) -> tuple[float, float]:
    """The loss of right and of wrong answers; not a number where no right answer can be made up."""
    known = wanted(case)
    if known is not None and math.isfinite(known.right):
        return known.right, known.wrong
    for right, *wrong in _made_up(case.probe.goal, case.output):
        best, others = asked(case, right), [asked(case, one) for one in wrong]
        if all(math.isfinite(value) for value in (best, *others)):
            return best, max(others)
    return math.nan, math.nan


def _made_up(goal: Tensor, output: Tensor) -> list[tuple[Tensor, ...]]:
    """Right outputs and wrong ones, in the forms that a loss may take: logits, probabilities, amounts."""
    if goal.is_floating_point() and goal.numel() == output.numel():
        y = goal.reshape(output.shape).to(output.dtype)
        if bool(((y == 0) | (y == 1)).all()):
            return [(8 * y - 4, 4 - 8 * y), (y, 1 - y)]
        away = 3 * y.std().clamp(min=1e-6)
        return [(y, y + away, y - away)]
    if (
        not goal.is_floating_point()
        and output.shape[:-1] == goal.shape
        and output.shape[-1] > int(goal.max())
    ):
        one = functional.one_hot(goal.long().clamp(min=0), output.shape[-1]).to(output.dtype)
        return [(4 * one, -4 * one)]
    return []
