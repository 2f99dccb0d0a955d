"""Nets that give several tensors, taken as nets that give one: what they give lies side by side.

    sides = SideBySide(loss)
    net.register_forward_hook(sides.hook)          # (picture, mean, log variance) -> (B, K)
    sides.loss(net(x), y)                          # the loss is given all three again

So that a variational autoencoder, a net with two heads, or one that gives its state along with its answer, is
watched like any other. What has no row for each row of the input is kept aside as it was last.

Shapes: B rows, K numbers of all tensors together.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from preceptor.diagnose.check import Loss


class SideBySide:
    """The outputs of one net: joined by `hook`, which copies of the net share, and parted for `loss`."""

    def __init__(self, loss: Loss):
        self._loss = loss
        self._make: Callable[[list[Any]], Any] | None = None
        self._parts: list[Any] = []
        self.hook: Callable[[nn.Module, Any, Any], Tensor] = lambda net, given, made: self._joined(made)

    def _joined(self, made: Any) -> Tensor:
        if isinstance(made, Tensor):
            return made
        self._make, self._parts = _maker(made), list(made.values() if isinstance(made, dict) else made)
        rows = len(next(part for part in self._parts if isinstance(part, Tensor)))
        joined = [part.reshape(rows, -1) for part in self._parts if _by_row(part, rows)]
        self._parts = [part.shape[1:] if _by_row(part, rows) else part for part in self._parts]
        return torch.cat(joined, 1)

    def loss(self, output: Tensor, goal: Tensor) -> Tensor:
        """The user's loss of what the net gave, whether one tensor or several."""
        if self._make is None:
            return self._loss(output, goal)
        sizes = [math.prod(part) for part in self._parts if isinstance(part, torch.Size)]
        pieces = iter(torch.split(output, sizes, 1))
        parts = [
            next(pieces).reshape(len(output), *part) if isinstance(part, torch.Size) else part
            for part in self._parts
        ]
        return self._loss(self._make(parts), goal)


def _by_row(part: Any, rows: int) -> bool:
    return isinstance(part, Tensor) and part.ndim > 0 and len(part) == rows


def _maker(made: Any) -> Callable[[list[Any]], Any]:
    """What makes a tuple, named tuple, list or dict like this one of its parts."""
    kind = type(made)
    if isinstance(made, dict):
        names = list(made)
        return lambda parts: kind(zip(names, parts, strict=True))
    return (lambda parts: kind(*parts)) if hasattr(made, "_fields") else kind
