"""Classical features: what the rivals of any table see of a picture, a text or a series.

    reader = reader_for(column).fit(column, seed=0)         # learns from training rows only
    reader.transform(column)                                # (N, W) float32

Every feature is standardised, so that linear methods and distances can use it as it is.

Shapes: N rows, W features, L tokens, V tokens known, T steps, D series.
"""

from typing import Any, Protocol, Self

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

MOST_FEATURES = 64
"""So many sums stand for what has more: words, and columns of an unknown family."""


class Reader(Protocol):
    """Learns from training rows how to write each row of a column in a few numbers."""

    def fit(self, x: Array, seed: int) -> Self:
        """Learn from training rows; deterministic by `seed`."""

    def transform(self, x: Array) -> Array:
        """(N, W) float32, standardised."""


def reader_for(x: Array) -> Reader:
    """The reader of a column, known by its type: pictures are bytes, tokens whole numbers."""
    return Projected()


class Standardised:
    """Numbers less their mean, over their standard deviation; those that never vary are left out."""

    def fit(self, features: Array) -> Self:
        """Learn mean and spread of each feature of (N, W) training rows."""
        self.center, spread = features.mean(axis=0), features.std(axis=0)
        self.varies = np.flatnonzero(spread > 1e-6 * (1 + np.abs(self.center)))
        self.center, self.spread = self.center[self.varies], spread[self.varies]
        return self

    def transform(self, features: Array) -> Array:
        """(N, W) float32."""
        return ((features[:, self.varies] - self.center) / self.spread).astype(np.float32)


class Projected:
    """Whatever it is, flattened and turned onto its main directions (principal components)."""

    def fit(self, x: Array, seed: int) -> Self:
        """Learn the directions in which training rows differ most."""
        from sklearn.decomposition import PCA

        flat = _flat(x)
        self.directions = PCA(min(MOST_FEATURES, *flat.shape), svd_solver="randomized", random_state=seed)
        self.scale = Standardised().fit(self.directions.fit_transform(flat))
        return self

    def transform(self, x: Array) -> Array:
        """(N, W) float32."""
        return self.scale.transform(self.directions.transform(_flat(x)))


def _flat(x: Array) -> Array:
    """(N, -1) float32; what is absent counts as 0."""
    return np.nan_to_num(x.reshape(len(x), -1).astype(np.float32), nan=0.0)
