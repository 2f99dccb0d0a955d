"""What the loss wants, found out by asking it: outputs that are right, wrong, shifted, stretched.

No loss needs to be named or to be a class of torch's. A loss may refuse what it is asked (probabilities
beyond 1); it is asked on the processor, since a GPU does not recover from some refusals. Shapes: B rows, C
classes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from preceptor.diagnose.case import Case, Rows, labels_of

SHIFT = 1.7
"""A constant that is added to all outputs."""


@dataclass(frozen=True)
class Wanted:
    """What the loss does: `right`, `wrong` and `level` are its values for outputs that answer all rows
    rightly, wrongly, and all alike; `shiftless` when a constant on all classes changes nothing, as for
    logits; `sinking` when the loss falls by just that, as for log-probabilities; `logits` when a single
    output beyond 1 still helps, as for the logit of a probability.
    """

    right: float
    wrong: float
    level: float
    shiftless: bool
    sinking: bool
    logits: bool


def asked(case: Case, output: Tensor, rows: Rows | None = None) -> float:
    """The loss of a made-up output for these rows (the probe's); NaN where it is refused."""
    goal = (rows or case.probe).goal
    try:
        return case.loss_of(output.cpu(), goal.cpu())
    except (RuntimeError, ValueError):
        return float("nan")


def wanted(case: Case) -> Wanted | None:
    """Ask the loss, for classes; None where the goal is not one class a row."""
    return case.once("wanted", lambda: _wanted(case))


@torch.no_grad()
def _wanted(case: Case) -> Wanted | None:
    labels, like = labels_of(case.probe), case.output
    if labels is None or not case.classifies:
        return None
    columns = like[0].numel()

    def told(size: float) -> Tensor:
        if columns == 1:
            return (size * (2.0 * labels - 1)).reshape(like.shape).to(like.dtype)
        return (size * functional.one_hot(labels, columns)).reshape(like.shape).to(like.dtype)

    noise = torch.randn(like.shape, generator=torch.Generator().manual_seed(0)).to(like.dtype)
    base, shifted, level = (asked(case, output) for output in (noise, noise + SHIFT, torch.zeros_like(like)))
    return Wanted(
        right=asked(case, told(4.0)),
        wrong=asked(case, told(-4.0)),
        level=level,
        shiftless=abs(base - shifted) < 1e-3 * max(abs(base), 1e-6),
        sinking=columns > 1 and abs(base - shifted - SHIFT) < 1e-3,
        logits=columns == 1
        and asked(case, told(8.0)) < asked(case, told(4.0)) < asked(case, told(1.0))
        and abs(level - 0.693) < 0.3,
    )
