"""The metrics that rank all rows against each other, and how each row moves them.

Truth is (N,) 0/1, scores (N, 2) probabilities; only the order of the second column counts.
"""

import numpy as np

from preceptor.metrics.averages import ratio

Array = np.ndarray


def roc_auc(truth: Array, scores: Array, weights: Array | None = None) -> float:
    """The share of (positive, negative) pairs ranked rightly, ties counting half."""
    positives, negatives, _ = _descending(truth, scores, weights)
    pairs = positives.sum() * negatives.sum()
    below = negatives.sum() - negatives.cumsum()
    return float((positives * (below + negatives / 2)).sum() / pairs) if pairs else float("nan")


def average_precision(truth: Array, scores: Array, weights: Array | None = None) -> float:
    """The mean, over positives, of the precision among all rows scored at least as high."""
    positives, negatives, _ = _descending(truth, scores, weights)
    found = positives.cumsum()
    precision = ratio(found, found + negatives.cumsum())
    return float((positives * precision).sum() / found[-1]) if found.size and found[-1] else float("nan")


def roc_auc_influence(truth: Array, scores: Array) -> Array:
    """What a row adds (N,): the share of the other class that it ranks rightly, against the mean.

    DeLong, DeLong & Clarke-Pearson (1988), Comparing the areas under correlated ROC curves.
    """
    positives, negatives, place = _descending(truth, scores, None)
    below = (negatives.sum() - negatives.cumsum() + negatives / 2) / negatives.sum()
    above = (positives.cumsum() - positives / 2) / positives.sum()
    actual = truth == 1
    ranked = np.where(actual, below[place], above[place]) - roc_auc(truth, scores)
    return ranked / np.where(actual, actual.mean(), 1 - actual.mean())


def average_precision_influence(truth: Array, scores: Array) -> Array:
    """What a row adds (N,): its own precision, and what it does to every positive ranked below it."""
    positives, negatives, place = _descending(truth, scores, None)
    found, seen, actual = positives.cumsum(), (positives + negatives).cumsum(), truth == 1
    as_hit = np.cumsum((positives / seen)[::-1])[::-1][place]
    as_call = np.cumsum((positives * found / seen**2)[::-1])[::-1][place]
    own = (found / seen)[place] - average_precision(truth, scores)
    return (actual * (own + as_hit) - as_call) / actual.mean()


def pairs_to_fail_on(truth: Array, scores: Array) -> float:
    """Twice the rows of the rarer class: its rows are the trials, and a failed one rarely fails wholly."""
    return 2 * float(np.bincount(truth.astype(np.int64), minlength=2).min())


def _descending(truth: Array, scores: Array, weights: Array | None) -> tuple[Array, Array, Array]:
    """Positives and negatives at each distinct score, highest first, and each row's place there."""
    counts = np.ones(len(truth)) if weights is None else np.asarray(weights, float)
    distinct, place = np.unique(-scores[:, 1], return_inverse=True)
    positives = np.bincount(place, counts * (truth == 1), len(distinct))
    negatives = np.bincount(place, counts * (truth != 1), len(distinct))
    return positives, negatives, place
