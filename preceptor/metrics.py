"""The yardsticks: what a score is, over true values and a model's scores (textbook B8).

    metrics = regression_metrics()                       # the first one is the default
    metrics["rmse"].function(truth, scores, None)

Most yardsticks are a function of averages over rows: RMSE is the root of the mean squared error, F1 a
ratio of three counts. They are written down as that, `parts` (N, S) per row and `whole` of their S
means, so that the same two lines serve a plain score, a weighted one and a thousand resamples at
once. The two that rank all rows against each other (ROC AUC, average precision) stand alone.

Shapes: N rows, K classes or tags, S statistics a row. Truth is (N,) floats, (N,) class numbers or
(N, K) 0/1; scores are (N,) in the target's units or (N, K) probabilities, float64.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Metric:
    """A yardstick. `function(truth, scores, weights)` gives a float; weights (N,) may be None.

    `unit` is "target" (the target's own units), "share" (0 to 1) or "" (none). `title` is what a
    person reads ("typical error"), `sentence` a template with {score} for the verdict. Weights are
    counts: weight 2 is the row twice, weight 0 the row left out. A score that the rows cannot give
    (one class only, no rows) is NaN.

    `parts(truth, scores)` gives what each row contributes, (N, S) dense or scipy sparse, and
    `whole` turns the means (..., S) into scores (...); both None for a metric that ranks rows.
    """

    name: str
    title: str
    higher_is_better: bool
    unit: str
    function: Callable[[Array, Array, Array | None], float]
    sentence: str
    parts: Callable[[Array, Array], Any] | None = None
    whole: Callable[[Array], Array] | None = None


def regression_metrics(unit: str = "") -> dict[str, Metric]:
    """RMSE, MAE and R² of numbers; `unit` ("dollars") is what the sentences say after the score."""
    off = f"{{score}} {unit}".strip()
    return _by_name(
        _averaged(
            "rmse", "typical error (RMSE)", f"is typically off by {off}", _squared, _root, unit="target"
        ),
        _averaged(
            "mae", "average error (MAE)", f"is off by {off} on average", _absolute, _first, unit="target"
        ),
        _averaged(
            "r2",
            "share of the variation explained (R²)",
            "explains {score} of the variation",
            _spread,
            _r_squared,
            higher=True,
        ),
    )


def two_class_metrics() -> dict[str, Metric]:
    """ROC AUC first; class 1 is the one looked for, a row counts as class 1 above one half."""
    one = "{score} of the rows called positive are positive"
    return _by_name(
        Metric(
            "roc_auc",
            "ranking (ROC AUC)",
            True,
            "share",
            _roc_auc,
            "ranks a random pair the right way round {score} of the time",
        ),
        _accuracy(),
        _averaged("f1", "F1", "finds positives with an F1 of {score}", _hits, _f1, higher=True, unit="share"),
        _averaged(
            "precision",
            "precision",
            f"is right about what it finds: {one}",
            _hits,
            _precision,
            higher=True,
            unit="share",
        ),
        _averaged(
            "recall",
            "recall",
            "finds {score} of the positive rows",
            _hits,
            _recall,
            higher=True,
            unit="share",
        ),
        Metric(
            "average_precision",
            "average precision",
            True,
            "share",
            _average_precision,
            "finds positives with an average precision of {score}",
        ),
        _log_loss(),
        _averaged(
            "brier",
            "squared error of the probabilities (Brier)",
            "gives probabilities with a squared error of {score}",
            _brier,
            _first,
        ),
    )


def many_class_metrics() -> dict[str, Metric]:
    """Accuracy first; the macro metrics weigh every class alike, however rare."""
    return _by_name(
        _accuracy(),
        _averaged(
            "macro_f1",
            "F1, every class alike",
            "reaches an F1 of {score}, every class counted alike",
            _class_hits,
            _macro_f1,
            higher=True,
            unit="share",
        ),
        _averaged(
            "macro_recall",
            "accuracy, every class alike (macro recall)",
            "finds {score} of the rows of a class, every class counted alike",
            _class_hits,
            _macro_recall,
            higher=True,
            unit="share",
        ),
        _log_loss(),
    )


def tag_metrics() -> dict[str, Metric]:
    """Macro F1 over the tags first; a tag is given above one half."""
    return _by_name(
        _averaged(
            "macro_f1",
            "F1, every tag alike",
            "gives tags with an F1 of {score}, every tag alike",
            _tag_hits,
            _macro_f1,
            higher=True,
            unit="share",
        ),
        _averaged(
            "hamming_accuracy",
            "tags decided rightly",
            "decides {score} of all tags rightly",
            _tags_right,
            _first,
            higher=True,
            unit="share",
        ),
        _averaged(
            "micro_f1",
            "F1, every decision alike",
            "gives tags with an F1 of {score}",
            _tag_hits,
            _micro_f1,
            higher=True,
            unit="share",
        ),
    )


# ---------------------------------------------------------------------------- building a Metric


def _by_name(*metrics: Metric) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


def _averaged(
    name: str,
    title: str,
    sentence: str,
    parts: Callable[[Array, Array], Any],
    whole: Callable[[Array], Array],
    *,
    higher: bool = False,
    unit: str = "",
) -> Metric:
    """A metric that is `whole` of the means of `parts`."""

    def function(truth: Array, scores: Array, weights: Array | None = None) -> float:
        counts = np.ones(len(truth)) if weights is None else np.asarray(weights, float)
        with np.errstate(invalid="ignore", divide="ignore"):
            return float(whole((counts @ parts(truth, scores)) / counts.sum()))

    return Metric(name, title, higher, unit, function, sentence, parts, whole)


def _accuracy() -> Metric:
    return _averaged(
        "accuracy", "accuracy", "is right {score} of the time", _right, _first, higher=True, unit="share"
    )


def _log_loss() -> Metric:
    return _averaged(
        "log_loss", "log loss", "gives probabilities with a log loss of {score}", _surprise, _first
    )


# ---------------------------------------------------------------------------- numbers


def _squared(truth: Array, scores: Array) -> Array:
    return np.square(scores - truth)[:, None]


def _absolute(truth: Array, scores: Array) -> Array:
    return np.abs(scores - truth)[:, None]


def _spread(truth: Array, scores: Array) -> Array:
    """Squared error, and the (shifted) truth with its square, whose means give the variance."""
    shifted = truth - truth.mean()
    return np.stack([np.square(scores - truth), shifted, np.square(shifted)], axis=1)


def _r_squared(means: Array) -> Array:
    error, shifted, square = np.moveaxis(means, -1, 0)
    variance = square - np.square(shifted)
    # A constant truth leaves nothing to explain: 1 for a perfect score, else 0 (scikit-learn's choice).
    constant = variance <= 1e-14 * np.abs(square)
    return np.where(constant, error == 0, 1 - error / np.where(constant, 1, variance))


# ---------------------------------------------------------------------------- classes


def _right(truth: Array, scores: Array) -> Array:
    return (scores.argmax(axis=1) == truth)[:, None].astype(float)


def _surprise(truth: Array, scores: Array) -> Array:
    chosen = np.take_along_axis(scores, truth.astype(np.int64)[:, None], axis=1)
    return -np.log(np.clip(chosen, np.finfo(float).eps, 1))


def _brier(truth: Array, scores: Array) -> Array:
    return np.square(scores[:, 1] - truth)[:, None]


def _hits(truth: Array, scores: Array) -> Array:
    """Per row: a positive found, a row called positive, a row that is positive."""
    actual, called = truth == 1, scores.argmax(axis=1) == 1
    return np.stack([actual & called, called, actual], axis=1).astype(float)


def _class_hits(truth: Array, scores: Array) -> Any:
    """`_hits` of each class: (N, 3K), found, called and actual, three ones a row and so sparse."""
    from scipy.sparse import csr_array

    classes, rows = scores.shape[1], np.arange(len(truth))
    actual, called = truth.astype(np.int64), scores.argmax(axis=1)
    columns = np.stack([called, called + classes, actual + 2 * classes], axis=1)
    ones = np.stack([actual == called, np.ones(len(rows)), np.ones(len(rows))], axis=1)
    return csr_array((ones.ravel(), (rows.repeat(3), columns.ravel())), shape=(len(rows), 3 * classes))


def _tag_hits(truth: Array, scores: Array) -> Array:
    """`_hits` of each tag: (N, 3K)."""
    actual, called = truth == 1, scores > 0.5
    return np.concatenate([actual & called, called, actual], axis=1).astype(float)


def _tags_right(truth: Array, scores: Array) -> Array:
    return ((scores > 0.5) == (truth == 1)).mean(axis=1, keepdims=True)


def _first(means: Array) -> Array:
    return means[..., 0]


def _root(means: Array) -> Array:
    return np.sqrt(means[..., 0])


def _ratio(above: Array, below: Array) -> Array:
    """above / below, and 0 where there is nothing to divide by (scikit-learn's `zero_division=0`)."""
    return np.where(below > 0, above / np.where(below > 0, below, 1), 0.0)


def _precision(means: Array) -> Array:
    return _ratio(means[..., 0], means[..., 1])


def _recall(means: Array) -> Array:
    return _ratio(means[..., 0], means[..., 2])


def _f1(means: Array) -> Array:
    return _ratio(2 * means[..., 0], means[..., 1] + means[..., 2])


def _by_class(means: Array) -> tuple[Array, Array, Array]:
    found, called, actual = np.split(means, 3, axis=-1)
    return found, called, actual


def _macro(shares: Array, present: Array) -> Array:
    """The mean share over the classes that are present."""
    return _ratio(np.where(present, shares, 0).sum(axis=-1), present.sum(axis=-1))


def _macro_f1(means: Array) -> Array:
    found, called, actual = _by_class(means)
    return _macro(_ratio(2 * found, called + actual), called + actual > 0)


def _macro_recall(means: Array) -> Array:
    found, _, actual = _by_class(means)
    return _macro(_ratio(found, actual), actual > 0)


def _micro_f1(means: Array) -> Array:
    found, called, actual = (part.sum(axis=-1) for part in _by_class(means))
    return _ratio(2 * found, called + actual)


# ---------------------------------------------------------------------------- ranking


def _descending(truth: Array, scores: Array, weights: Array | None) -> tuple[Array, Array, Array]:
    """Positives and negatives among the rows of each distinct score, and the scores, highest first."""
    counts = np.ones(len(truth)) if weights is None else np.asarray(weights, float)
    distinct, rank = np.unique(-scores[:, 1], return_inverse=True)
    positives = np.bincount(rank, counts * (truth == 1), len(distinct))
    negatives = np.bincount(rank, counts * (truth != 1), len(distinct))
    return positives, negatives, -distinct


def _roc_auc(truth: Array, scores: Array, weights: Array | None = None) -> float:
    """The share of (positive, negative) pairs ranked rightly, ties counting half."""
    positives, negatives, _ = _descending(truth, scores, weights)
    pairs = positives.sum() * negatives.sum()
    below = negatives.sum() - negatives.cumsum()
    return float((positives * (below + negatives / 2)).sum() / pairs) if pairs else float("nan")


def _average_precision(truth: Array, scores: Array, weights: Array | None = None) -> float:
    """The mean, over positives, of the precision among all rows scored at least as high."""
    positives, negatives, _ = _descending(truth, scores, weights)
    found = positives.cumsum()
    precision = _ratio(found, found + negatives.cumsum())
    return float((positives * precision).sum() / found[-1]) if found.size and found[-1] else float("nan")
