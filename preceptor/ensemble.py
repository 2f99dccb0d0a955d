"""Several heads: scores averaged with weights that out-of-fold rows choose (textbook P4).

    weights = blend({"net": net_scores, "boosting": boosting_scores}, truth, metric, seed=0)
    blended = apply(weights, {"net": ..., "boosting": ...})

Greedy selection with replacement (Caruana et al., 2004, "Ensemble selection from libraries of models"):
start with the best candidate, add again and again whichever improves the mean of all those added. A
blend ships only where it also wins on halves of the rows that did not choose it.

Shapes: N rows; scores are (N,) or (N, K).
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from preceptor.metrics import Metric

Scores = Mapping[str, np.ndarray]

ROUNDS = 20
HALVES = 5
MOST_ROWS = 20_000
LEAST_WEIGHT = 0.05


def blend(candidates: Scores, truth: np.ndarray, metric: Metric, *, seed: int = 0) -> dict[str, float]:
    """Weights (sum 1) of the candidates that ship: a blend when it helps, else the best one alone.

    `candidates` are out-of-fold scores of the same rows; `truth` as the metric takes it.
    """
    rows = np.random.default_rng(seed).permutation(len(truth))[:MOST_ROWS]
    few, truth = {name: scores[rows] for name, scores in candidates.items()}, truth[rows]
    if _helps(few, truth, metric, seed):
        return _without_crumbs(_greedy(few, truth, metric))
    return {_best(few, truth, metric): 1.0}


def apply(weights: Mapping[str, float], candidates: Scores) -> np.ndarray:
    """The weighted mean of the candidates' scores."""
    return np.sum([weight * candidates[name] for name, weight in weights.items()], axis=0)


def _helps(candidates: Scores, truth: np.ndarray, metric: Metric, seed: int) -> bool:
    """Whether blends chosen on one half of the rows beat, on the other half, the best one chosen there."""
    random, gains = np.random.default_rng(seed), []
    for _ in range(HALVES):
        order = random.permutation(len(truth))
        for chosen, judged in (np.array_split(order, 2), np.array_split(order, 2)[::-1]):
            here = {name: scores[chosen] for name, scores in candidates.items()}
            there = {name: scores[judged] for name, scores in candidates.items()}
            weights = _without_crumbs(_greedy(here, truth[chosen], metric))
            blended = _merit(metric, truth[judged], apply(weights, there))
            gains.append(blended - _merit(metric, truth[judged], there[_best(here, truth[chosen], metric)]))
    return bool(np.nanmean(gains) > 0)


def _greedy(candidates: Scores, truth: np.ndarray, metric: Metric) -> dict[str, float]:
    first = _best(candidates, truth, metric)
    added, total = Counter([first]), candidates[first].copy()
    for size in range(2, ROUNDS + 1):
        merits = {name: _merit(metric, truth, (total + scores) / size) for name, scores in candidates.items()}
        name = max(merits, key=merits.__getitem__)
        added[name] += 1
        total += candidates[name]
    return {name: count / ROUNDS for name, count in added.items()}


def _without_crumbs(weights: Mapping[str, float]) -> dict[str, float]:
    """Small weights cost a model each and change little: left out, the rest scaled up to 1."""
    kept = {name: weight for name, weight in weights.items() if weight > LEAST_WEIGHT}
    return {name: weight / sum(kept.values()) for name, weight in kept.items()}


def _best(candidates: Scores, truth: np.ndarray, metric: Metric) -> str:
    return max(candidates, key=lambda name: _merit(metric, truth, candidates[name]))


def _merit(metric: Metric, truth: np.ndarray, scores: np.ndarray) -> float:
    """The score with its sign turned so that more is better; a score that is none is worst."""
    value = metric.function(truth, scores, None)
    return -np.inf if np.isnan(value) else (value if metric.higher_is_better else -value)
