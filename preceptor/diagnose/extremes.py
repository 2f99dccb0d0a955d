"""What a loss can be on some goals: the best constant output's, and the best output's at all.

    extremes(goal, loss, output).share(value)     # 1: as good as always the same answer; 0: perfect

Neither is looked up by the loss's name: both are found by descent (L-BFGS-B), over plain numbers and, since
a loss may refuse these or fall without end, over outputs of the form that the net gives (log-probabilities,
probabilities, amounts above zero). Where each place has a class, as for next tokens, places count as rows.

Squared error and cross-entropy cannot fall below 0. A likelihood of amounts can (Poisson), and where it has
no lowest value at all (Gaussian, with a free variance) one nat a row below the constant counts as perfect.

Shapes: B rows; `goal` (B, ...), `output` (B', ...) any rows of the net's output.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor
from torch.nn import functional

from preceptor.diagnose.check import Loss

FAR, NEXT_TO_NOTHING, NAT, LARGEST, PATIENCE = 1e3, 0.02, 1.0, 200_000, 200
Form = Callable[[Tensor], Tensor]


class Extremes(NamedTuple):
    """The loss of the best output, and of the best constant one."""

    best: float
    constant: float

    def share(self, value: float) -> float:
        """A loss as a share of the way from the best output to the best constant."""
        return (value - self.best) / max(self.constant - self.best, 1e-12)


def extremes(goal: Tensor, loss: Loss, output: Tensor) -> Extremes:
    """Both losses; the best is told as 0 where it is next to nothing beside the constant's."""
    constant = dumb_loss(goal, loss, output)
    shape = (len(goal), *output.shape[1:])
    if math.prod(shape) > LARGEST:
        return Extremes(min(0.0, constant - NAT), constant)
    best = _lowest(goal, loss, output, shape)
    if not math.isfinite(best):
        best = constant - NAT
    return Extremes(0.0 if abs(best) < NEXT_TO_NOTHING * abs(constant) else best, constant)


def dumb_loss(goal: Tensor, loss: Loss, output: Tensor) -> float:
    """The loss of the best constant output; where none is found, that of the net's mean output."""
    lowest = _lowest(goal, loss, output, (1, *_constant(goal, output.shape[1:])))
    if math.isfinite(lowest):
        return lowest
    with torch.no_grad():
        return float(loss(output.mean(0, keepdim=True).expand(len(goal), *output.shape[1:]), goal))


def _constant(goal: Tensor, shape: Sequence[int]) -> tuple[int, ...]:
    """The shape of a constant output, without rows: a number for each class where places have classes."""
    places = tuple(goal.shape[1:])
    if goal.is_floating_point() or not places:
        return tuple(shape)
    if tuple(shape[:-1]) == places:
        return (*[1] * len(places), shape[-1])
    return (shape[0], *[1] * len(places)) if tuple(shape[1:]) == places else tuple(shape)


def _lowest(goal: Tensor, loss: Loss, output: Tensor, shape: tuple[int, ...]) -> float:
    """The lowest loss over outputs of `shape`, spread over the rows; infinite where there is none."""
    whole = (len(goal), *output.shape[1:])
    far = FAR * (1 + float(goal.abs().max()))

    def loss_of(form: Form) -> Callable[[Tensor], Tensor]:
        return lambda free: loss(form(free.reshape(shape)).expand(whole), goal)

    forms = [form for form in (_plain, _form(output)) if form]
    found = [_descended(loss_of(form), shape, output, far) for form in forms]
    return min((one for one in found if math.isfinite(one)), default=math.inf)


def _plain(free: Tensor) -> Tensor:
    return free


def _form(output: Tensor) -> Form | None:
    """What makes outputs like the net's from plain numbers; classes stand second or last."""
    for axis in {1, output.ndim - 1} if output.ndim > 1 else ():
        if output.shape[axis] > 1 and _one(output.exp().sum(axis)):
            return lambda free: free.log_softmax(axis)
        if output.shape[axis] > 1 and bool((output >= 0).all()) and _one(output.sum(axis)):
            return lambda free: free.softmax(axis)
    if bool((output >= 0).all()):
        return torch.sigmoid if bool((output <= 1).all()) else functional.softplus
    return None


def _one(sums: Tensor) -> bool:
    return bool((sums - 1).abs().max() < 1e-3)


def _descended(value: Callable[[Tensor], Tensor], shape: tuple[int, ...], like: Tensor, far: float) -> float:
    """The lowest value over vectors; not finite where it is refused, or lies beyond what is tried."""
    size = math.prod(shape)

    def asked(point: np.ndarray) -> tuple[float, np.ndarray]:
        free = torch.tensor(point, dtype=like.dtype, device=like.device, requires_grad=True)
        said = size * value(free)  # a mean's slope would be lost among many numbers
        return float(said.detach()), torch.autograd.grad(said, free)[0].cpu().numpy().astype(np.float64)

    try:
        with torch.enable_grad():
            found = minimize(
                asked, np.zeros(size), jac=True, method="L-BFGS-B", options={"maxiter": PATIENCE}
            )
            lowest = asked(found.x)[0] / size  # what an endless fall returns may not match
    except (RuntimeError, ValueError):  # a loss of probabilities refuses what is none
        return math.nan
    return lowest if np.abs(found.x).max() < far else math.nan
