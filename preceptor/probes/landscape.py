"""Is the minimum sharp or flat? The loss around trained weights (textbook V11).

    slice_ = landscape(net, inputs, goal, loss)          # loss over two random directions
    sharpness(net, inputs, goal, loss)                   # the steepest curvature

Directions are scaled, filter by filter, to the size of the weights they add to, so that nets whose
weights differ in scale can be compared (Li et al., 2018).
"""

import copy
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
import torch
from torch import Generator, Tensor, nn

from preceptor.training.loop import Loss
from preceptor.training.parameters import FlatParameters

PUSH = 1e-3
"""How far to either side, as a share of the weights' length."""


class Landscape(NamedTuple):
    """`points` has the columns first, second (how far along each direction) and loss.

    `centre` is the loss of the net itself, `rise` the mean of loss minus centre at distance `reach`.
    """

    points: pl.DataFrame
    centre: float
    rise: float
    reach: float


def landscape(
    net: nn.Module,
    inputs: Sequence[Tensor],
    goal: Tensor,
    loss: Loss,
    *,
    points: int = 15,
    reach: float = 1.0,
    seed: int = 0,
) -> Landscape:
    """The loss, in evaluation mode, on a grid of `points` by `points` around the net's weights.

    At distance 1 a filter's change is as long as the filter itself. The net stays as it was.
    """
    still = copy.deepcopy(net).eval()
    weights = [parameter for parameter in still.parameters() if parameter.requires_grad]
    start = [parameter.detach().clone() for parameter in weights]
    draw = Generator().manual_seed(seed)
    first, second = (_direction(start, draw) for _ in range(2))
    ways, rows = np.linspace(-reach, reach, points | 1), []
    with torch.no_grad():
        for a in ways:
            for b in ways:
                for parameter, at, one, two in zip(weights, start, first, second, strict=True):
                    parameter.copy_(at + float(a) * one + float(b) * two)
                rows.append((float(a), float(b), float(loss(still(*inputs), goal))))
    frame = pl.DataFrame(rows, ["first", "second", "loss"], orient="row")
    centre = frame.filter((pl.col("first") == 0) & (pl.col("second") == 0))["loss"][0]
    edge = frame.filter(pl.max_horizontal(pl.col("first").abs(), pl.col("second").abs()) == reach)
    rise = (edge.select(pl.col("loss").fill_nan(np.inf).mean()).item() or 0.0) - centre
    return Landscape(frame, centre, rise, reach)


def _direction(weights: Sequence[Tensor], draw: Generator) -> list[Tensor]:
    """A random direction, each filter as long as the net's own; biases and norms stay."""
    found = []
    for weight in weights:
        if weight.ndim < 2:
            found.append(torch.zeros_like(weight))
            continue
        random = torch.randn(weight.shape, generator=draw).to(weight)
        axes = tuple(range(1, weight.ndim))
        long = torch.linalg.vector_norm(weight, dim=axes, keepdim=True)
        found.append(random * long / torch.linalg.vector_norm(random, dim=axes, keepdim=True))
    return found


def sharpness(
    net: nn.Module,
    inputs: Sequence[Tensor],
    goal: Tensor,
    loss: Loss,
    *,
    rounds: int = 20,
    seed: int = 0,
) -> float:
    """The largest eigenvalue of the loss's Hessian at the net's weights, by power iteration.

    How the gradient turns along a direction is told by two gradients, a little to either side of the weights.
    Gradient descent with steps larger than 2 / sharpness climbs instead of falling (Cohen et al., 2021).
    """
    still = copy.deepcopy(net).eval()
    flat = FlatParameters(still)
    start = flat.weights.clone()
    way = torch.randn(len(start), generator=Generator().manual_seed(seed)).to(start)
    little, value = PUSH * float(start.norm().clamp(min=1.0)), 0.0

    def gradient(push: float) -> Tensor:
        flat.weights.copy_(start + push * way)
        flat.gradients.zero_()
        with torch.enable_grad():
            torch.autograd.backward(loss(still(*inputs), goal))
        return flat.gradients.clone()

    for _ in range(rounds):
        if not bool(way.any()):
            break
        way /= way.norm()
        curved = (gradient(little) - gradient(-little)) / (2 * little)
        value, way = float(curved @ way), curved
    return value
