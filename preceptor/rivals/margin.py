"""Linear support vectors learnt in the primal: quick where rows and features are many.

    SupportVectors(cost=0.1).fit(x, y).decision_function(x)

One machine a class against all others, all at once: the squared hinge loss, whose minimum is smooth to
approach (Chapelle, "Training a support vector machine in the primal", 2007), by L-BFGS.

Shapes: N rows, F features, K classes.
"""

from typing import Any, Self

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class SupportVectors:
    """Weights are cheap and errors dear as `cost` grows: |w|² / 2 + cost * sum of squared shortfalls."""

    def __init__(self, cost: float, steps: int = 60):
        self.cost, self.steps = cost, steps

    def fit(self, x: Array, y: Array) -> Self:
        """Learn from (N, F) float32 features and the rows' classes."""
        from scipy.optimize import minimize

        self.classes_ = np.unique(y)
        x = _with_one(x)
        sides = np.where(y[:, None] == self.classes_, 1, -1).astype(np.float32)

        def price(flat: Array) -> tuple[float, Array]:
            weights = flat.reshape(x.shape[1], -1)
            short = np.maximum(1 - sides * (x @ weights.astype(np.float32)), 0)
            downhill = weights - 2 * self.cost * (x.T @ (sides * short))
            held = 0.5 * np.square(weights).sum() + self.cost * np.square(short).sum(dtype=np.float64)
            return float(held), downhill.ravel().astype(np.float64)

        start = np.zeros(x.shape[1] * len(self.classes_))
        found = minimize(price, start, jac=True, method="L-BFGS-B", options={"maxiter": self.steps})
        self.weights = found.x.reshape(x.shape[1], -1).astype(np.float32)
        return self

    def decision_function(self, x: Array) -> Array:
        """(N,) margins of the second of two classes, else (N, K)."""
        margins = _with_one(x) @ self.weights
        return margins[:, 1] if len(self.classes_) == 2 else margins


def _with_one(x: Array) -> Array:
    """A last feature that is always 1, whose weight is the bias."""
    return np.hstack([x, np.ones((len(x), 1), dtype=x.dtype)])
