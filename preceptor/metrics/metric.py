"""What a yardstick is, and the three ways to make one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Array = np.ndarray
Function = Callable[[Array, Array, Array | None], float]
Parts = Callable[[Array, Array], Any]
Whole = Callable[[Array], Array]
Trials = Callable[[Array, Array], float]


@dataclass(frozen=True)
class Metric:
    """A yardstick. `function(truth, scores, weights)` gives a float; weights (N,) may be None.

    `unit` is "target" (the target's own units), "share" (0 to 1) or "" (none). `title` is what a
    person reads ("typical error"), `sentence` a template with {score} for the verdict. Weights are
    counts: weight 2 is the row twice, weight 0 the row left out. A score that the rows cannot give
    (one class only, no rows) is NaN.

    `parts(truth, scores)` is (N, S), dense or scipy sparse, and `whole` makes scores (...) of their
    means (..., S). A metric that ranks rows has instead `influence(truth, scores)` (N,), the speed at
    which the score moves as a row gains weight. `trials(truth, scores)` says, for a share, how many
    rows there are to fail on.
    """

    name: str
    title: str
    higher_is_better: bool
    unit: str
    function: Function
    sentence: str
    parts: Parts | None = None
    whole: Whole | None = None
    influence: Callable[[Array, Array], Array] | None = None
    trials: Trials | None = None


def averaged(
    name: str, title: str, sentence: str, parts: Parts, whole: Whole, *, higher: bool = False, unit: str = ""
) -> Metric:
    """A metric that is `whole` of the means of `parts`."""

    def function(truth: Array, scores: Array, weights: Array | None = None) -> float:
        counts = np.ones(len(truth)) if weights is None else np.asarray(weights, float)
        with np.errstate(invalid="ignore", divide="ignore"):
            return float(whole((counts @ parts(truth, scores)) / counts.sum()))

    return Metric(name, title, higher, unit, function, sentence, parts, whole)


def share(name: str, title: str, sentence: str, parts: Parts, whole: Whole, trials: Trials) -> Metric:
    """A metric of averages that lies between 0 (worst) and 1 (best)."""
    metric = averaged(name, title, sentence, parts, whole, higher=True, unit="share")
    return replace(metric, trials=trials)


def ranking(
    name: str,
    title: str,
    sentence: str,
    function: Function,
    influence: Callable[[Array, Array], Array],
    trials: Trials,
) -> Metric:
    """A share of rows, or pairs of rows, that stand in the right order."""
    return Metric(name, title, True, "share", function, sentence, influence=influence, trials=trials)
