"""How far a score could be from what other rows would have given: confidence intervals.

    low, high = interval(truth, scores, metric)
    low, high = paired_interval(truth, scores, other_scores, metric)

The percentile bootstrap, the usual choice, misses too often exactly where people test: few rows, a few
large errors, a score near perfect. Two methods were chosen instead, by simulation (the tests repeat it):

- an error (RMSE, MAE, log loss, R²): the *studentised* bootstrap, Efron & Tibshirani (1993), ch. 12.
  Every resample is measured in its own standard error, so that one without the large errors, which
  looks both good and certain, counts for what it is.
- a share (accuracy, F1, ROC AUC): the exact binomial interval (its mid-P form) on as many trials as
  the score's standard error says there were, Korn & Graubard (1998). It narrows towards 0 and 1
  without collapsing: no miss in n trials still leaves about 3 / n.

Rows that belong together (`groups`) are drawn together. Standard errors come from each row's influence
on the score (Efron's infinitesimal jackknife; for ROC AUC that is DeLong's method).

Shapes: N rows, U units (rows or groups), S statistics a row, B draws.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize, special, stats

from preceptor.metrics import Metric

Array = np.ndarray
Whole = Callable[[Array], Array]

# More units than this are first put at random into so many bundles. The means that are drawn keep
# their spread and their skewness, and a million rows cost no more than these.
MOST_UNITS = 4_000


def interval(
    truth: Array,
    scores: Array,
    metric: Metric,
    *,
    groups: Array | None = None,
    confidence: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """The range that holds the score on endless other rows, `confidence` of the times; never of width 0.

    `truth` and `scores` as the metrics take them (N rows); `groups` (N,) names what each row belongs
    to. Both ends are NaN where the score itself cannot be had (rows of one class only).
    """
    value, units = metric.function(truth, scores, None), _units(len(truth), groups)
    if not np.isfinite(value):
        return float("nan"), float("nan")
    if metric.trials:
        moves, trials = _influence(metric, truth, scores), metric.trials(truth, scores)
        return _share(value, moves, trials, units, confidence)
    parts, whole = _averages(metric, truth, scores)
    low, high = _studentised(parts, whole, units, confidence, draws, seed)
    if low == high:
        low, high = _unseen(metric, truth, scores, units, confidence)
    return (low, min(high, 1.0)) if metric.higher_is_better else (max(low, 0.0), high)


def paired_interval(
    truth: Array,
    scores: Array,
    other: Array,
    metric: Metric,
    *,
    groups: Array | None = None,
    confidence: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """The range of how much *better* `scores` are than `other` on the same rows, in the metric's unit.

    Above 0: better, whichever way the metric counts. Equal scores give (0, 0).
    """
    if np.array_equal(scores, other):
        return 0.0, 0.0
    units = _units(len(truth), groups)
    if metric.trials:
        value = metric.function(truth, scores, None) - metric.function(truth, other, None)
        moves = _influence(metric, truth, scores) - _influence(metric, truth, other)
        trials = min(metric.trials(truth, scores), metric.trials(truth, other))
        return _share_difference(value, moves, trials, units, confidence)
    (ours, whole), (theirs, _) = _averages(metric, truth, scores), _averages(metric, truth, other)
    sign, split = (1 if metric.higher_is_better else -1), ours.shape[1]

    def advantage(means: Array) -> Array:
        return sign * (whole(means[..., :split]) - whole(means[..., split:]))

    return _studentised(np.hstack([ours, theirs]), advantage, units, confidence, draws, seed)


def _units(rows: int, groups: Array | None) -> Array:
    """The unit's number of each row (N,): its own, or its group's."""
    if groups is None:
        return np.arange(rows)
    names = np.asarray(groups)
    return np.unique(names.astype(str) if names.dtype == object else names, return_inverse=True)[1]


# ---------------------------------------------------------------------------- influence


def _averages(metric: Metric, truth: Array, scores: Array) -> tuple[Any, Whole]:
    assert metric.parts is not None
    assert metric.whole is not None
    return metric.parts(truth, scores), metric.whole


def _influence(metric: Metric, truth: Array, scores: Array) -> Array:
    """How fast the score moves as each row gains weight (N,); its mean is 0."""
    if metric.influence:
        return metric.influence(truth, scores)
    parts, whole = _averages(metric, truth, scores)
    means = np.ones(len(truth)) @ parts / len(truth)
    slope = _slopes(whole, means, _scale(parts))
    return parts @ slope - means @ slope


def _scale(parts: Any) -> Array:
    """The root mean square of each of the S statistics."""
    return np.sqrt(np.ones(parts.shape[0]) @ (parts * parts) / parts.shape[0])


def _slopes(whole: Whole, means: Array, scale: Array) -> Array:
    """The derivative of `whole` by each of the means (..., S), by central differences."""
    slopes = np.zeros_like(means)
    for column in np.flatnonzero(scale):
        step = np.zeros(len(scale))
        step[column] = 1e-6 * scale[column]
        slopes[..., column] = (whole(means + step) - whole(means - step)) / (2 * step[column])
    return slopes


# ---------------------------------------------------------------------------- errors


def _studentised(
    parts: Array, whole: Whole, units: Array, confidence: float, draws: int, seed: int
) -> tuple[float, float]:
    """The studentised bootstrap of `whole` of the means of `parts` (N, S), whole units drawn.

    For each end, the unit that pulls furthest that way is counted once more: the few rows that a large
    error hangs on come in small numbers, and the next one is as likely still to come as not.
    """
    rng, number = np.random.default_rng(seed), int(units.max()) + 1
    if number > MOST_UNITS:
        units, number = (rng.permutation(number) % MOST_UNITS)[units], MOST_UNITS
    sums = np.stack([*(np.bincount(units, part, number) for part in parts.T), np.bincount(units)], axis=1)
    scale, tail = _scale(parts), (1 - confidence) / 2
    drawn = rng.integers(number + 1, size=(draws, number + 1)) + (number + 1) * np.arange(draws)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        _, (pull,) = _pulled(sums.sum(axis=0, keepdims=True), whole, scale)
        low, high = np.argmin(sums @ pull), np.argmax(sums @ pull)
        return (
            _end(np.vstack([sums, sums[low]]), counts, whole, scale, 1 - tail),
            _end(np.vstack([sums, sums[high]]), counts, whole, scale, tail),
        )


def _end(sums: Array, counts: Array, whole: Whole, scale: Array, quantile: float) -> float:
    """One end of the studentised bootstrap interval; the score itself where nothing varies.

    `sums` (U, S + 1) are each unit's sums of the S statistics and its rows, `counts` (B, U) the draws.
    """
    (value,), (error,) = _measured(sums, np.ones((1, len(sums))), whole, scale)
    values, errors = _measured(sums, counts, whole, scale)
    off = (values - value) / errors
    off = off[np.isfinite(off)]
    if not error > 0 or not off.size:
        return float(value)
    widest = abs(stats.t.ppf(quantile, 1))  # of a normal variable whose spread is known from two values
    return float(value - np.clip(np.quantile(off, quantile), -widest, widest) * error)


def _measured(sums: Array, counts: Array, whole: Whole, scale: Array) -> tuple[Array, Array]:
    """The score (B,) and its standard error (B,) with each unit drawn so many times."""
    values, pulls = _pulled(counts @ sums, whole, scale)
    squares = counts @ (sums[:, :, None] * sums[:, None, :]).reshape(len(sums), -1)
    variances = np.einsum("bi,bij,bj->b", pulls, squares.reshape(len(counts), *2 * [sums.shape[1]]), pulls)
    return values, np.sqrt(np.maximum(variances, 0))


def _pulled(totals: Array, whole: Whole, scale: Array) -> tuple[Array, Array]:
    """The score (B,) of totals (B, S + 1), and how it moves with each of them (B, S + 1)."""
    rows = totals[:, -1:]
    means = totals[:, :-1] / rows
    slopes = _slopes(whole, means, scale)
    return whole(means), np.hstack([slopes, -(slopes * means).sum(axis=1, keepdims=True)]) / rows


def _unseen(
    metric: Metric, truth: Array, scores: Array, units: Array, confidence: float
) -> tuple[float, float]:
    """The range when all rows err alike, so that nothing seen says how others could.

    In n units that are all alike, a share of up to 1 - (1 - confidence)^(1/n) of different ones (about
    3 / n) may have gone unseen. They may be as bad as the dumb predictor's answers, or perfect.
    """
    share = 1 - (1 - confidence) ** (1 / (units.max() + 1))
    if scores.shape == truth.shape:
        perfect, dumb = truth, np.broadcast_to(truth.mean(axis=0), truth.shape)
    else:
        perfect = np.eye(scores.shape[1])[truth.astype(np.int64)]
        dumb = np.tile(perfect.mean(axis=0), (len(truth), 1))
    seen, whole = _averages(metric, truth, scores)
    ends = [seen] + [(1 - share) * seen + share * _averages(metric, truth, c)[0] for c in (perfect, dumb)]
    values = [float(whole(end.mean(axis=0))) for end in ends]
    return min(values), max(values)


# ---------------------------------------------------------------------------- shares


def _variance(moves: Array, units: Array) -> tuple[float, float]:
    """The score's variance, and how many rows of a unit act as one (1: as if all were on their own)."""
    together = np.bincount(units, moves)
    number, rows = len(together), len(moves)
    variance = np.square(together).sum() / rows**2 * number / max(number - 1, 1)
    alone = np.square(moves).sum() / rows**2
    return float(variance), float(max(1.0, variance / alone) if alone > 0 else rows / number)


def _share(value: float, moves: Array, trials: float, units: Array, confidence: float) -> tuple[float, float]:
    """The binomial interval on as many trials as the standard error of the share amounts to.

    The half miss and the `0.5 / trials²` (about the variance of half a missed trial) keep the number
    of trials finite where no row has missed; elsewhere they vanish.
    """
    variance, clump = _variance(moves, units)
    trials = max(trials / clump, 0.5)
    smoothed = (trials * value + 0.5) / (trials + 1)
    effective = smoothed * (1 - smoothed) / (variance + 0.5 / trials**2)
    rows, number = stats.t.ppf((1 + confidence) / 2, [len(moves), max(int(units.max()), 1)])
    return _binomial(value, effective * (rows / number) ** 2, confidence)


def _binomial(share: float, trials: float, confidence: float) -> tuple[float, float]:
    """The mid-P interval of a share of `trials`, which need not be whole: Berry & Armitage (1995)."""
    hits, misses, tail = share * trials, (1 - share) * trials, (1 - confidence) / 2
    least = 1e-9

    def confidence_below(p: float) -> float:
        at_least = special.betainc(max(hits, least), misses + 1, p)
        more = special.betainc(hits + 1, max(misses, least), p)
        return float(at_least + more) / 2

    low = optimize.brentq(lambda p: confidence_below(p) - tail, 0, 1) if hits > least else 0.0
    high = optimize.brentq(lambda p: confidence_below(p) - 1 + tail, 0, 1) if misses > least else 1.0
    return float(low), float(high)


def _share_difference(
    value: float, moves: Array, trials: float, units: Array, confidence: float
) -> tuple[float, float]:
    """A t interval; two trials more, one won by each side, keep it open where both sides agree.

    Bonett & Price (2012), Adjusted Wald confidence interval for a difference of paired proportions.
    """
    variance, clump = _variance(moves, units)
    trials = max(trials / clump, 0.5)
    reach = stats.t.ppf((1 + confidence) / 2, max(int(units.max()), 1))
    reach *= np.sqrt(variance + 2 / trials**2)
    return max(value - reach, -1.0), min(value + reach, 1.0)
