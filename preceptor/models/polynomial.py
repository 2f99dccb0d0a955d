"""The polynomial, the textbook's first model: one formula, two ways to its weights (C2, G8, G9).

    curve = Polynomial(degree=3).solve(x, t)             # closed form
    curve = Polynomial(degree=9).solve(x, t, decay=1e-3) # ridge: large weights cost
    curve(x)                                             # (B,)

The closed form minimises E(w) = 1/2 Σ (y(x) - t)² + λ/2 ‖w‖², λ being `decay`; gradient descent on the
same loss arrives at the same weights. Everything is float64, since powers of x resemble each other.

Shapes: B rows, P = degree + 1 weights.
"""

from typing import ClassVar, Self

import torch
from torch import Tensor, nn


class Polynomial(nn.Module):
    """y(x) = w_0 + w_1 x + ... + w_M x^M of one number x, with weights that start at zero."""

    learning: ClassVar[dict[str, tuple[float, float]]] = {"weight": (1.0, 1.0)}
    """All weights decay, w_0 too, as in the textbook's ‖w‖²."""

    def __init__(self, degree: int):
        super().__init__()
        self.degree = degree
        self.weight = nn.Parameter(torch.zeros(degree + 1, dtype=torch.float64))

    @staticmethod
    def parameter_count(degree: int) -> int:
        """One weight a power, the zeroth included."""
        return degree + 1

    def powers(self, x_B: Tensor) -> Tensor:
        """1, x, x² ... of every row, (B, P) float64."""
        return torch.vander(x_B.double(), self.degree + 1, increasing=True)

    def forward(self, x_B: Tensor) -> Tensor:
        """The curve at x, (B,) float64."""
        return self.powers(x_B) @ self.weight

    @torch.no_grad()
    def solve(self, x_B: Tensor, t_B: Tensor, *, decay: float = 0.0) -> Self:
        """Set the weights to the least-squares solution for targets t, `decay` being λ >= 0.

        A penalty is P more rows, √λ on the diagonal, with target 0: so one stable solver (through
        singular values) serves both, where the normal equations would square the condition number.
        """
        zeros = torch.zeros(self.degree + 1, dtype=torch.float64)
        penalty = decay**0.5 * torch.eye(self.degree + 1, dtype=torch.float64)
        rows = torch.cat([self.powers(x_B), penalty])
        goals = torch.cat([t_B.double(), zeros])
        solution = torch.linalg.lstsq(rows, goals[:, None], rcond=1e-15, driver="gelsd").solution
        self.weight.copy_(solution[:, 0])
        return self
