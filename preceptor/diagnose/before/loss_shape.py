"""What the loss wants, found out by asking it: outputs that are right, wrong, shifted, stretched.

No loss needs to be named or to be a class of torch's. Shapes: B rows, C classes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from preceptor.diagnose.case import Case, labels_of


@dataclass(frozen=True)
class Wanted:
    """What the loss does: `right`, `wrong` and `level` are its values for outputs that answer all rows
    rightly, wrongly, and all alike; `shiftless` when a constant on all classes changes nothing, as for
    logits; `logits` when a single output beyond 1 still helps, as for the logit of a probability.
    """

    right: float
    wrong: float
    level: float
    shiftless: bool
    logits: bool


def wanted(case: Case) -> Wanted | None:
    """Ask the loss, for classes; None where the goal is not one class a row."""
    return case.once("wanted", lambda: _wanted(case))


@torch.no_grad()
def _wanted(case: Case) -> Wanted | None:
    labels, shape = labels_of(case.probe), case.output.shape
    if labels is None or not case.classifies:
        return None
    columns = case.output[0].numel()

    def told(size: float, sign: float = 1.0) -> Tensor:
        if columns == 1:
            return (sign * size * (2.0 * labels - 1)).reshape(shape)
        return (sign * size * torch.nn.functional.one_hot(labels, columns)).reshape(shape).float()

    goal = case.probe.goal
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    asked = _asker(case, goal)
    base, shifted = asked(noise), asked(noise + 1.7)
    return Wanted(
        right=asked(told(4.0)),
        wrong=asked(told(4.0, -1.0)),
        level=asked(torch.zeros(shape)),
        shiftless=abs(base - shifted) < 1e-3 * max(abs(base), 1e-6),
        logits=columns == 1
        and asked(told(8.0)) < asked(told(4.0)) < asked(told(1.0))
        and abs(asked(torch.zeros(shape)) - 0.693) < 0.3,
    )


def _asker(case: Case, goal: Tensor) -> Callable[[Tensor], float]:
    def asked(output: Tensor) -> float:
        try:
            return case.loss_of(output, goal)
        except RuntimeError:  # a loss of probabilities refuses what is none
            return float("nan")

    return asked
