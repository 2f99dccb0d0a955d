"""A rival under the verbs of all candidates: fitted on encoded rows, scored, saved as data.

    rival = Rival(RECIPES["boosting"], "number", outputs=1).fit(inputs, truth, seed=0)
    rival.predict(inputs); rival.save(path); Rival.load(path)

All see the same encoded rows as the net: numbers scaled and categories coded by kinds that learnt from
training rows only. Linear methods and neighbours see categories one-hot, trees see codes.

Shapes: N rows, F numbers, C codes, K classes or tags.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self

import numpy as np

from preceptor.errors import Mistake
from preceptor.problem import Inputs
from preceptor.rivals.recipes import RECIPES, Estimator, Recipe, Task, shares

# What skops must be told to trust: parts of scikit-learn's own trees and neighbours, nothing else.
TRUSTED = [
    "functools.partial",
    "sklearn._loss.loss.ExponentialLoss",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._dist_metrics.ManhattanDistance64",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.tree._tree.Tree",
    "sklearn.utils.validation.check_array",
]


FEW_CELLS = 500_000


class Rival:
    """One rival under the verbs of all candidates: `fit` on encoded rows, `predict` scores."""

    def __init__(self, recipe: Recipe, task: str, outputs: int) -> None:
        self.recipe, self.task, self.outputs = recipe, task, outputs
        self.center, self.spread = 0.0, 1.0
        self.estimator: Estimator = None

    def fit(self, inputs: Inputs, truth: np.ndarray, seed: int) -> Self:
        """Learn from rows and true values as the metrics take them; deterministic by `seed`."""
        X, numbers = _matrix(inputs), inputs.numbers.shape[1]
        task = Task(seed, list(range(numbers, X.shape[1])), len(X))
        if self.task == "number":
            assert self.recipe.for_numbers
            self.center, self.spread = float(truth.mean()), float(truth.std()) or 1.0
            truth, estimator = (truth - self.center) / self.spread, self.recipe.for_numbers(task)
        elif self.task != "tags" and len(np.unique(truth)) < 2:
            estimator = shares(task)
        else:
            assert self.recipe.for_classes
            estimator = self.recipe.for_classes(task)
        if self.task == "tags":
            from sklearn.multiclass import OneVsRestClassifier

            estimator = OneVsRestClassifier(estimator)
        estimator = _with_one_hot(estimator, self.recipe, numbers, task.codes)
        with _threads_for(X):
            self.estimator = estimator.fit(X, truth)
        return self

    def predict(self, inputs: Inputs) -> np.ndarray:
        """Scores: (N,) numbers, or probabilities (N, K), 0 for a class that training rows lacked."""
        X = _matrix(inputs)
        with _threads_for(X):
            return self._scores(X)

    def _scores(self, X: np.ndarray) -> np.ndarray:
        if self.task == "number":
            return self.center + self.spread * self.estimator.predict(X).astype(np.float64)
        shares = _probabilities(self.estimator, X)
        if self.task == "tags":
            return shares
        scores = np.zeros((len(X), self.outputs))
        scores[:, self.estimator.classes_.astype(int)] = shares
        return scores

    def save(self, path: Path) -> None:
        """Write the fitted rival as a skops file: data only, nothing that executes."""
        import skops.io

        known = {**vars(self), "recipe": self.recipe.name}
        skops.io.dump(known, path)

    @classmethod
    def load(cls, path: Path) -> "Rival":
        """The rival that `save` wrote. Raises Mistake when the file asks for types not known here."""
        import skops.io

        strange = set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED)
        if strange:
            raise Mistake(
                "model-untrusted",
                f"The model file asks for {', '.join(sorted(strange))}, which no rival is made of.",
                where=str(path),
                todo="Do not use this file; fit again on your own data.",
            )
        known = skops.io.load(path, trusted=TRUSTED)
        rival = cls(RECIPES[known["recipe"]], known["task"], known["outputs"])
        vars(rival).update(known, recipe=rival.recipe)
        return rival


def _threads_for(X: np.ndarray) -> AbstractContextManager[Any]:
    """One thread where the work is small: threads that wait for each other cost more than they bring."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1 if X.size < FEW_CELLS else None)


def _matrix(inputs: Inputs) -> np.ndarray:
    """(N, F + C) float32: numbers, then codes."""
    return np.hstack([inputs.numbers.numpy(), inputs.codes.numpy().astype(np.float32)])


def _with_one_hot(estimator: Estimator, recipe: Recipe, numbers: int, codes: list[int]) -> Estimator:
    if recipe.sees_codes or not codes:
        return estimator
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    one_hot = OneHotEncoder(handle_unknown="ignore", max_categories=60, sparse_output=False, dtype=np.float32)
    plain = ("numbers", "passthrough", list(range(numbers)))
    return make_pipeline(ColumnTransformer([plain, ("codes", one_hot, codes)]), estimator)


def _probabilities(estimator: Estimator, X: np.ndarray) -> np.ndarray:
    """(N, K); methods that only give margins have them squashed: the ranking is theirs, the level is not."""
    if hasattr(estimator, "predict_proba"):
        return np.asarray(estimator.predict_proba(X), dtype=np.float64)
    margins = np.asarray(estimator.decision_function(X), dtype=np.float64)
    if margins.ndim == 1:
        positive = 1 / (1 + np.exp(-margins))
        return np.column_stack([1 - positive, positive])
    powers = np.exp(margins - margins.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
