"""Several heads: scores averaged with weights that out-of-fold rows choose (textbook P4).

    weights = blend({"net": net_scores, "boosting": boosting_scores}, truth, metric, seed=0)
    blended = apply(weights, {"net": ..., "boosting": ...})

Greedy selection with replacement from a sorted start, bagged (Caruana et al., 2004, "Ensemble selection
from libraries of models"): begin with the three best candidates, add seven times whichever improves the
mean of all those added, do so on many halves of the rows, and average the weights. Each half is judged by
the other: where the blends surely lose to the best candidate, that one ships alone.

What ships says how sure it is, and it should be right so often: `sharpness` sees to that.

Shapes: N rows, K classes; scores are (N,) or (N, K).
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from preceptor.metrics import Metric

Array = np.ndarray
Scores = Mapping[str, Array]

START, SIZE, FIELD = 3, 10, 6
SPLITS = 6
MOST_ROWS = 20_000
LEAST_WEIGHT = 0.05
LEAST, MOST_POWER = 1e-12, 8.0
"""The smallest probability that is told from none, and how far probabilities may be sharpened or softened."""


def blend(
    candidates: Scores, truth: Array, metric: Metric, *, seed: int = 0, dumb: str = "dumb"
) -> dict[str, float]:
    """Weights (sum 1) of the candidates that ship: a blend, or the best one alone where blends lose.

    `candidates` are out-of-fold scores of the same rows; `truth` as the metric takes it. The `dumb` one
    may be the best of all, but never joins a blend: it would pull every answer to the middle.
    """
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(truth))[:MOST_ROWS]
    best = _ranked(_taken(candidates, rows), truth[rows], metric)[0]
    learnt = {name: scores for name, scores in candidates.items() if name != dumb}
    if best == dumb or len(learnt) < 2:
        return {best: 1.0}
    weights: Counter[str] = Counter()
    gains = []
    for _ in range(SPLITS):
        one, other = np.array_split(rng.permutation(rows), 2)
        for chosen, judged in ((one, other), (other, one)):
            here, there = _taken(learnt, chosen), _taken(learnt, judged)
            found, alone = _greedy(here, truth[chosen], metric)
            weights.update(found)
            merits = [_merit(metric, truth[judged], s) for s in (apply(found, there), there[alone])]
            if np.isfinite(merits).all():
                gains.append(merits[0] - merits[1])
    lost = gains and np.mean(gains) < -np.std(gains) / np.sqrt(len(gains))
    return {best: 1.0} if lost else _without_crumbs(weights)


def sharpness(scores: Array, truth: Array) -> float:
    """The power that makes probabilities (N, K) fit the true classes (N,) best: above 1 they were too modest.

    It changes no order and no answer, only how sure they are ("temperature scaling", Guo et al., 2017).
    `scores` are out of fold, so that nobody is judged by what it has learnt by heart.
    """
    from scipy.optimize import minimize_scalar  # whoever only predicts does without
    from scipy.special import logsumexp

    logs, rows = np.log(np.clip(scores, LEAST, 1.0)), np.arange(len(truth))

    def loss(log_power: float) -> float:
        powers = np.exp(log_power) * logs
        return float((logsumexp(powers, axis=1) - powers[rows, truth]).mean())

    found = minimize_scalar(loss, bounds=(-np.log(MOST_POWER), np.log(MOST_POWER)), method="bounded")
    return float(np.exp(found.x))


def sharpened(scores: Array, power: float) -> Array:
    """Probabilities (N, K) raised to a power, and shares of 1 again."""
    powers = np.clip(scores, LEAST, 1.0) ** power
    return powers / powers.sum(axis=1, keepdims=True)


def apply(weights: Mapping[str, float], candidates: Scores) -> Array:
    """The weighted mean of the candidates' scores."""
    return np.sum([weight * candidates[name] for name, weight in weights.items()], axis=0)


def _taken(candidates: Scores, rows: Array) -> dict[str, Array]:
    return {name: scores[rows] for name, scores in candidates.items()}


def _greedy(candidates: Scores, truth: Array, metric: Metric) -> tuple[dict[str, float], str]:
    """Weights of a blend of SIZE members, and the name of the best candidate alone."""
    field = _ranked(candidates, truth, metric)[:FIELD]
    added = Counter(field[:START])
    total = np.sum([candidates[name] for name in field[:START]], axis=0)
    for size in range(len(field[:START]) + 1, SIZE + 1):
        merits = [_merit(metric, truth, (total + candidates[name]) / size) for name in field]
        name = field[int(np.argmax(merits))]
        added[name] += 1
        total = total + candidates[name]
    return {name: count / SIZE for name, count in added.items()}, field[0]


def _without_crumbs(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights scaled to sum 1, the largest first. Small ones cost a model each and change little."""
    total = sum(weights.values())
    kept = {name: weight for name, weight in weights.items() if weight > LEAST_WEIGHT * total}
    ordered = sorted(kept, key=lambda name: -kept[name])
    return {name: kept[name] / sum(kept.values()) for name in ordered}


def _ranked(candidates: Scores, truth: Array, metric: Metric) -> list[str]:
    """The candidates' names, the best first."""
    return sorted(candidates, key=lambda name: -_merit(metric, truth, candidates[name]))


def _merit(metric: Metric, truth: Array, scores: Array) -> float:
    """The score with its sign turned so that more is better; a score that is none is worst."""
    value = metric.function(truth, scores, None)
    return -np.inf if np.isnan(value) else (value if metric.higher_is_better else -value)
