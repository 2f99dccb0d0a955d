"""k nearest neighbours under scikit-learn's verbs, on whatever `Nearest` takes: tables, pictures, series.

    NeighboursOfClasses(k=10, norm=1).fit(x, y).predict_proba(x)

Neighbours weigh by the inverse of their distance; those at no distance at all speak alone.

Shapes: N training rows, Q questions, k neighbours, K classes.
"""

from typing import Any, Self

import numpy as np
import torch

from preceptor.rivals.nearest import Nearest

Array = np.ndarray[Any, np.dtype[Any]]


class Neighbours:
    """Remembers the training rows and, asked, finds the nearest of them."""

    def __init__(self, k: int, norm: int):
        self.k, self.norm = k, norm

    def fit(self, x: Array, y: Array) -> Self:
        """Remember rows (N, ...) and their answers."""
        self.x, self.answers = x, y
        return self

    def _neighbours(self, x: Array) -> tuple[Array, Array]:
        """Weights (Q, k) that add up to 1, and row numbers (Q, k)."""
        nearest = Nearest(torch.from_numpy(self.x), self.norm)
        found, rows = nearest.find(torch.from_numpy(x), min(self.k, len(self.x)))
        distances = found.numpy()
        equal = distances == 0
        weights = np.where(equal.any(axis=1, keepdims=True), equal, 1 / np.where(equal, 1, distances))
        return weights / weights.sum(axis=1, keepdims=True), rows.numpy()


class NeighboursOfNumbers(Neighbours):
    """The weighted mean of the neighbours' numbers."""

    def predict(self, x: Array) -> Array:
        """(Q,) or (Q, K) float64, as the answers were."""
        weights, rows = self._neighbours(x)
        return np.einsum("qk,qk...->q...", weights, self.answers[rows])


class NeighboursOfClasses(Neighbours):
    """The weighted shares of the neighbours' classes."""

    def fit(self, x: Array, y: Array) -> Self:
        """Remember rows (N, ...) and their classes (N,)."""
        self.classes_, places = np.unique(y, return_inverse=True)
        return super().fit(x, places)

    def predict_proba(self, x: Array) -> Array:
        """(Q, K) float64, classes in the order of `classes_`."""
        weights, rows = self._neighbours(x)
        places = self.answers[rows]
        return np.stack([(weights * (places == place)).sum(axis=1) for place in range(len(self.classes_))], 1)
