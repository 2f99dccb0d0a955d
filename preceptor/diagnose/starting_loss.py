"""Is the loss before training that of someone who knows nothing? (diagnosis 13)

    L₀ within 25 % of L_dumb

L_dumb is the loss of the best constant output: the entropy of the class frequencies for
cross-entropy, the variance of the goal for squared error. A net that starts far above it spends its
first epochs unlearning a guess that it made up; one that starts below it has seen the answers.
Source: Karpathy, "A recipe for training neural networks" (2019); CS231n, "sanity checks".
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor, nn

from preceptor.diagnose.check import Check, Loss, copy_of, sample, undisturbed
from preceptor.finding import Finding

TOLERANCE = 0.25
ROWS = 512


def dumb_loss(goal: Tensor, loss: Loss, shape: Sequence[int]) -> float:
    """The loss of the best constant output of `shape` (without the rows) on these goals (B, ...)."""

    def value(constant: np.ndarray) -> tuple[float, np.ndarray]:
        output = torch.tensor(constant, dtype=torch.float32, requires_grad=True)
        mean = loss(output.reshape(tuple(shape)).expand(len(goal), *shape), goal)
        return float(mean.detach()), torch.autograd.grad(mean, output)[0].numpy().astype(np.float64)

    with torch.enable_grad():
        return float(minimize(value, np.zeros(math.prod(shape)), jac=True, method="L-BFGS-B").fun)


def check_starting_loss(net: nn.Module, inputs: Sequence[Tensor], goal: Tensor, loss: Loss) -> Check:
    """The loss of the untrained net beside that of the dumb predictor.

    A net that is `prepared` has fitted a part of itself in closed form, and may begin below.
    """
    rows = sample(len(goal), ROWS)
    goal = goal[rows]
    with undisturbed(), torch.no_grad():
        output = copy_of(net)(*(x[rows] for x in inputs))
        start = float(loss(output, goal))
    expected = dumb_loss(goal, loss, output.shape[1:])
    evidence = {"start": start, "expected": expected, "tolerance": TOLERANCE}
    text = f"loss at start {start:.2f} (expected {expected:.2f})"
    if getattr(net, "prepared", False) and start < expected:
        return Check("starting-loss", f"{text}; a part was fitted before training", evidence)
    return Check("starting-loss", text, evidence, _finding(start, expected, evidence))


def _finding(start: float, expected: float, evidence: dict[str, float]) -> Finding | None:
    if abs(start - expected) <= TOLERANCE * expected:
        return None
    if not math.isfinite(start):
        return Finding(
            "not-finite",
            "error",
            "Even before training the loss is not a number: the rows or the answers hold NaN or infinity.",
            evidence={"start": str(start)},
            remedy="Look for missing or infinite values in the inputs and the target; fill or drop them.",
        )
    return Finding(
        "starting-loss",
        "note",
        f"Before training the loss is {start:.3g}, while the dumb predictor's is {expected:.3g}.",
        evidence=evidence,
        remedy="Start the last layer at zero weights and the dumb answer's bias; standardise the target.",
    )
