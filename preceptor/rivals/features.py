"""Classical features: what the rivals of any table see of a picture, a text or a series.

    reader = reader_for(column).fit(column, seed=0)         # learns from training rows only
    reader.transform(column)                                # (N, W) float32

Every feature is standardised, so that linear methods and distances can use it as it is.

Shapes: N rows, W features, L tokens, V tokens known, T steps, D series.
"""

from typing import Any, Protocol, Self

import numpy as np
import torch

from preceptor.rivals.gradients import colours, oriented_gradients
from preceptor.rivals.ngrams import Ngrams

Array = np.ndarray[Any, np.dtype[Any]]

MOST_FEATURES = 64
"""So many sums stand for what has more: words, and columns of an unknown family."""

CELLS, LAGS = 4, (1, 2, 3, 4, 6, 8, 12, 16, 24)
"""Gradient cells along a picture's shorter side; which of a series' values from its end are told."""


class Reader(Protocol):
    """Learns from training rows how to write each row of a column in a few numbers."""

    def fit(self, x: Array, seed: int) -> Self:
        """Learn from training rows; deterministic by `seed`."""

    def transform(self, x: Array) -> Array:
        """(N, W) float32, standardised."""


def reader_for(x: Array) -> Reader:
    """The reader of a column, known by its type: pictures are bytes, tokens whole numbers."""
    if x.dtype == np.uint8 and x.ndim == 4:
        return PictureFeatures()
    if x.dtype == np.int32 and x.ndim == 2:
        return TokenFeatures()
    return StepFeatures() if x.dtype == np.float32 and x.ndim == 3 else Projected()


class Standardised:
    """Numbers less their mean, over their standard deviation; 0 if they never vary in training."""

    def fit(self, features: Array) -> Self:
        """Learn mean and spread of each feature of (N, W) training rows."""
        self.center, spread = features.mean(axis=0), features.std(axis=0)
        varies = spread > 1e-6 * (1 + np.abs(self.center))
        self.scale = np.where(varies, 1 / np.where(varies, spread, 1), 0)
        return self

    def transform(self, features: Array) -> Array:
        """(N, W) float32."""
        return ((features - self.center) * self.scale).astype(np.float32)


def directions_of(x: Any, width: int, seed: int) -> Array:
    """(F, at most width): the directions in which rows (N, F), sparse or not, say most (truncated SVD)."""
    from sklearn.utils.extmath import randomized_svd

    width = min(width, *x.shape)
    return np.ascontiguousarray(randomized_svd(x, width, random_state=seed)[2].T.astype(np.float32))


class Projected:
    """Whatever it is, flattened and turned onto its main directions (principal components)."""

    def fit(self, x: Array, seed: int) -> Self:
        """Learn the directions in which training rows differ most."""
        self.middle = _flat(x).mean(axis=0)
        self.directions = directions_of(_flat(x) - self.middle, MOST_FEATURES, seed)
        self.scale = Standardised().fit(self._features(x))
        return self

    def transform(self, x: Array) -> Array:
        """(N, W) float32."""
        return self.scale.transform(self._features(x))

    def _features(self, x: Array) -> Array:
        return (_flat(x) - self.middle) @ self.directions


class PictureFeatures:
    """Of pictures (N, C, H, W): colour histogram, and oriented gradients of a coarse grid."""

    def fit(self, x: Array, seed: int) -> Self:
        """Learn each feature's mean and spread."""
        self.scale = Standardised().fit(self._features(x))
        return self

    def transform(self, x: Array) -> Array:
        """(N, W) float32."""
        return self.scale.transform(self._features(x))

    def _features(self, x: Array) -> Array:
        pictures = torch.from_numpy(x)
        gradients = oriented_gradients(pictures, CELLS).flatten(1)
        return torch.cat([colours(pictures), gradients], dim=1).numpy()


class TokenFeatures:
    """Of tokens (N, L): which words and pairs, the rare weighing more, summed up in 64 numbers."""

    def fit(self, x: Array, seed: int) -> Self:
        """Learn which pairs there are, how rare each is, and the directions that sum them up."""
        from sklearn.feature_extraction.text import TfidfTransformer

        self.ngrams = Ngrams(2).fit(x)
        counts = self.ngrams.transform(x)
        self.rarity = TfidfTransformer().fit(counts)
        weighed = self.rarity.transform(counts)
        self.directions = directions_of(weighed, MOST_FEATURES, seed)
        self.scale = Standardised().fit(weighed @ self.directions)
        return self

    def transform(self, x: Array) -> Array:
        """(N, W) float32."""
        return self.scale.transform(self.rarity.transform(self.ngrams.transform(x)) @ self.directions)


class StepFeatures:
    """Of series (N, T, D): each one's last values, mean, spread, slope, and the share that is absent."""

    def fit(self, x: Array, seed: int) -> Self:
        """Learn each feature's mean and spread."""
        self.scale = Standardised().fit(_told(x))
        return self

    def transform(self, x: Array) -> Array:
        """(N, W) float32."""
        return self.scale.transform(_told(x))


def _told(x_NTD: Array) -> Array:
    """(N, W): what is absent counts for nothing in means, and as the mean among the last values."""
    there = np.isfinite(x_NTD)
    count_ND = np.maximum(there.sum(axis=1), 1)
    mean_ND = np.where(there, x_NTD, 0).sum(axis=1) / count_ND
    gaps = np.where(there, x_NTD - mean_ND[:, None], 0)
    when = np.linspace(-1, 1, x_NTD.shape[1])[:, None]
    slope_ND = (gaps * when).sum(axis=1) / np.maximum((there * when**2).sum(axis=1), 1e-6)
    lags = [step for step in LAGS if step <= x_NTD.shape[1]]
    last = [gaps[:, -step] + mean_ND for step in lags]
    return np.hstack([mean_ND, gaps.std(axis=1), slope_ND, 1 - there.mean(axis=1), *last]).astype(np.float32)


def _flat(x: Array) -> Array:
    """(N, -1) float32; what is absent counts as 0."""
    return np.nan_to_num(x.reshape(len(x), -1).astype(np.float32), nan=0.0)
