"""What each row contributes to a metric (N, S), and what the S means of it make.

Truth is (N,) floats, (N,) class numbers or (N, K) 0/1; scores are (N,) or (N, K) probabilities.
Shares of nothing are 0, and a macro mean runs over the classes that occur (or are called): so do
scikit-learn's.
"""

from typing import Any

import numpy as np

Array = np.ndarray

# ---------------------------------------------------------------------------- what a row contributes


def squared(truth: Array, scores: Array) -> Array:
    """The squared error of a number (N, 1)."""
    return np.square(scores - truth)[:, None]


def absolute(truth: Array, scores: Array) -> Array:
    """The absolute error of a number (N, 1)."""
    return np.abs(scores - truth)[:, None]


def spread(truth: Array, scores: Array) -> Array:
    """Squared error, and the (shifted) truth with its square, whose means give the variance (N, 3)."""
    shifted = truth - truth.mean()
    return np.stack([np.square(scores - truth), shifted, np.square(shifted)], axis=1)


def right(truth: Array, scores: Array) -> Array:
    """1 where the likeliest class is the true one (N, 1)."""
    return (scores.argmax(axis=1) == truth)[:, None].astype(float)


def surprise(truth: Array, scores: Array) -> Array:
    """Minus the logarithm of the probability given to the true class (N, 1)."""
    chosen = np.take_along_axis(scores, truth.astype(np.int64)[:, None], axis=1)
    return -np.log(np.clip(chosen, np.finfo(float).eps, 1))


def brier(truth: Array, scores: Array) -> Array:
    """The squared error of the probability of class 1 (N, 1)."""
    return np.square(scores[:, 1] - truth)[:, None]


def hits(truth: Array, scores: Array) -> Array:
    """A positive that is found, a row that is called positive, a row that is positive (N, 3)."""
    actual, called = truth == 1, scores.argmax(axis=1) == 1
    return np.stack([actual & called, called, actual], axis=1).astype(float)


def class_hits(truth: Array, scores: Array) -> Any:
    """`hits` of each class (N, 3K): all found, all called, all actual. Sparse: three ones a row at most."""
    from scipy.sparse import csr_array

    classes, rows = scores.shape[1], np.arange(len(truth))
    actual, called = truth.astype(np.int64), scores.argmax(axis=1)
    columns = np.stack([called, called + classes, actual + 2 * classes], axis=1)
    ones = np.stack([actual == called, np.ones(len(rows)), np.ones(len(rows))], axis=1)
    return csr_array((ones.ravel(), (rows.repeat(3), columns.ravel())), shape=(len(rows), 3 * classes))


def tag_hits(truth: Array, scores: Array) -> Array:
    """`hits` of each tag (N, 3K): all found, all called, all actual."""
    actual, called = truth == 1, scores > 0.5
    return np.concatenate([actual & called, called, actual], axis=1).astype(float)


def tags_right(truth: Array, scores: Array) -> Array:
    """The share of a row's tags that are decided rightly (N, 1)."""
    return ((scores > 0.5) == (truth == 1)).mean(axis=1, keepdims=True)


# ---------------------------------------------------------------------------- what the means make


def ratio(above: Array, below: Array) -> Array:
    """above / below, and 0 where there is nothing to divide by."""
    return np.where(below > 0, above / np.where(below > 0, below, 1), 0.0)


def mean(means: Array) -> Array:
    """The mean itself."""
    return means[..., 0]


def root(means: Array) -> Array:
    """The root of the mean."""
    return np.sqrt(means[..., 0])


def r_squared(means: Array) -> Array:
    """1 - error / variance, of `spread`. A constant truth: 1 for a perfect score, else 0."""
    error, shifted, square = np.moveaxis(means, -1, 0)
    variance = square - np.square(shifted)
    constant = variance <= 1e-14 * np.abs(square)
    return np.where(constant, error == 0, 1 - error / np.where(constant, 1, variance))


def precision(means: Array) -> Array:
    """Found among called, of `hits`."""
    return ratio(means[..., 0], means[..., 1])


def recall(means: Array) -> Array:
    """Found among actual, of `hits`."""
    return ratio(means[..., 0], means[..., 2])


def f1(means: Array) -> Array:
    """The harmonic mean of precision and recall, of `hits`."""
    return ratio(2 * means[..., 0], means[..., 1] + means[..., 2])


def macro_f1(means: Array) -> Array:
    """The mean F1 of the classes that are actual or called somewhere."""
    found, called, actual = np.split(means, 3, axis=-1)
    return _macro(ratio(2 * found, called + actual), called + actual > 0)


def macro_recall(means: Array) -> Array:
    """The mean recall of the classes that occur."""
    found, _, actual = np.split(means, 3, axis=-1)
    return _macro(ratio(found, actual), actual > 0)


def micro_f1(means: Array) -> Array:
    """The F1 of all decisions taken together."""
    found, called, actual = (part.sum(axis=-1) for part in np.split(means, 3, axis=-1))
    return ratio(2 * found, called + actual)


def _macro(shares: Array, present: Array) -> Array:
    return ratio(np.where(present, shares, 0).sum(axis=-1), present.sum(axis=-1))


# ---------------------------------------------------------------------------- rows to fail on


def rows(truth: Array, scores: Array) -> float:
    """Every row: what accuracy is a share of."""
    return len(truth)


def actual(truth: Array, scores: Array) -> float:
    """The rows of class 1: what recall is a share of."""
    return float((truth == 1).sum())


def called(truth: Array, scores: Array) -> float:
    """The rows called class 1: what precision is a share of."""
    return float((scores.argmax(axis=1) == 1).sum())


def actual_and_called(truth: Array, scores: Array) -> float:
    """What F1 is a share of: twice the found among all actual and all called."""
    return actual(truth, scores) + called(truth, scores)


def tags_actual_and_called(truth: Array, scores: Array) -> float:
    """Rows with a tag, actual or called: the tags of one row are no independent trials."""
    return float((truth == 1).any(axis=1).sum() + (scores > 0.5).any(axis=1).sum())


def class_trials(truth: Array, scores: Array) -> float:
    """K times the harmonic mean of the K classes' sizes: what they amount to when all weigh alike."""
    return _alike(np.bincount(truth.astype(np.int64)))


def tag_trials(truth: Array, scores: Array) -> float:
    """K times the harmonic mean of the K tags' counts, and no more than there are rows."""
    return min(_alike((truth == 1).sum(axis=0)), len(truth))


def _alike(counts: Array) -> float:
    counts = counts[counts > 0]
    return float(len(counts) ** 2 / (1 / counts).sum()) if len(counts) else 0.0
