"""The loss is lower for wrong answers than for right ones (44). Certain.

    L(outputs that answer every row rightly) > L(outputs that answer every row wrongly)

Descending such a loss leads uphill. Source: TheDeepChecker; tuning playbook.
"""

import torch

from preceptor.diagnose.before.loss_shape import wanted
from preceptor.diagnose.case import Case
from preceptor.finding import Finding

APART = 1e-3


def uphill_loss(case: Case) -> Finding | None:
    """A loss with its sign turned round."""
    right, wrong = _asked(case)
    if not right - wrong > APART * max(abs(wrong), 1.0):
        return None
    return Finding(
        "uphill",
        "warning",
        f"The loss of right answers is {right:.3g}, that of wrong ones {wrong:.3g}. Each step of training"
        " will make the answers worse.",
        evidence={"right": right, "wrong": wrong},
        remedy="Turn the sign of the loss: loss = -loss, or take log-likelihood where it is negated already.",
    )


@torch.no_grad()
def _asked(case: Case) -> tuple[float, float]:
    """The loss of right and of wrong answers; not comparable where no right answer can be made up."""
    asked, goal = wanted(case), case.probe.goal
    if asked is not None:
        return asked.right, asked.wrong
    if goal.is_floating_point() and goal.numel() == case.output.numel():
        right = goal.reshape(case.output.shape).float()
        return case.loss_of(right, goal), case.loss_of(right + 3 * goal.std().clamp(min=1e-6), goal)
    if (
        not goal.is_floating_point()
        and case.output.shape[:-1] == goal.shape
        and case.output.shape[-1] > int(goal.max())
    ):
        one = torch.nn.functional.one_hot(goal.long().clamp(min=0), case.output.shape[-1]).float()
        return case.loss_of(4 * one, goal), case.loss_of(-4 * one, goal)
    return 0.0, 0.0
