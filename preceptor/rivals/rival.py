"""A rival under the verbs of all candidates: fitted on encoded rows, scored, saved as data.

    rival = Rival(RECIPES["boosting"], "number", outputs=1).fit(inputs, truth, seed=0)
    rival.predict(inputs); rival.save(path); Rival.load(path)

All see the same encoded rows as the net: numbers scaled and categories coded by kinds that learnt from
training rows only. Linear methods and neighbours see categories one-hot, trees see codes. Of pictures,
words and series they see classical features, unless they are made for that one family: then its raw rows.

Shapes: N rows, F numbers (with classical features), C codes, K classes or tags, or numbers of a series.
"""

import zipfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self

import numpy as np

from preceptor.errors import Mistake
from preceptor.problem import Inputs
from preceptor.rivals.book import recipe_named
from preceptor.rivals.features import Reader, reader_for
from preceptor.rivals.recipes import MOST_CATEGORIES, Estimator, Recipe, Task, shares

# What skops must be told to trust: parts of scikit-learn's own trees, and what the rivals here learn.
TRUSTED = [
    "functools.partial",
    "preceptor.rivals.chain.Chain",
    "preceptor.rivals.features.PictureFeatures",
    "preceptor.rivals.features.Projected",
    "preceptor.rivals.features.Standardised",
    "preceptor.rivals.features.StepFeatures",
    "preceptor.rivals.features.TokenFeatures",
    "preceptor.rivals.margin.SupportVectors",
    "preceptor.rivals.neighbours.NeighboursOfClasses",
    "preceptor.rivals.neighbours.NeighboursOfNumbers",
    "preceptor.rivals.ngrams.Ngrams",
    "preceptor.rivals.pictures.Pixels",
    "preceptor.rivals.pictures.Shrunk",
    "preceptor.rivals.pictures.VisualWords",
    "preceptor.rivals.series.LastValue",
    "preceptor.rivals.series.RidgeOnLags",
    "preceptor.rivals.series.SeasonAgo",
    "preceptor.rivals.series.TreesOnLags",
    "preceptor.rivals.words.NaiveBayesLogistic",
    "scipy.sparse._csr.csr_matrix",
    "preceptor.rivals.series.LastValue",
    "preceptor.rivals.series.RidgeOnLags",
    "preceptor.rivals.series.SeasonAgo",
    "preceptor.rivals.series.TreesOnLags",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "sklearn.utils.validation.check_array",
]

FEW_CELLS = 500_000


class Rival:
    """One rival under the verbs of all candidates: `fit` on encoded rows, `predict` scores."""

    def __init__(self, recipe: Recipe, task: str, outputs: int) -> None:
        self.recipe, self.task, self.outputs = recipe, task, outputs
        self.rows, self.center, self.spread = 0, np.zeros(()), np.ones(())
        self.readers: list[Reader] = []
        self.estimators: list[Estimator] = []

    def fit(self, inputs: Inputs, truth: np.ndarray, seed: int) -> Self:
        """Learn from rows and true values as the metrics take them; deterministic by `seed`."""
        if self.recipe.reads is None and self.recipe.name != "dumb":  # it looks at nothing
            self.readers = [reader_for(x).fit(x, seed) for x in _further(inputs)]
        X, codes = self._seen(inputs), inputs.codes.shape[1]
        self.rows = len(X)
        if self._of_numbers:
            self.center, spread = truth.mean(axis=0), truth.std(axis=0)
            self.spread = np.where(spread > 0, spread, 1.0)
            truth = (truth - self.center) / self.spread
        answers = truth.T if self.task == "tags" else truth[None]
        with _threads_for(X):
            self.estimators = [self._fitted(X, codes, answer, seed) for answer in answers]
        return self

    @property
    def _of_numbers(self) -> bool:
        return self.task in ("number", "series")

    def _seen(self, inputs: Inputs) -> np.ndarray:
        """The raw column that the recipe is made for, or (N, F + C) float32: numbers, features, codes."""
        if self.recipe.reads is not None:
            return _further(inputs)[0]
        features = [reader.transform(x) for reader, x in zip(self.readers, _further(inputs), strict=False)]
        return np.hstack([inputs.numbers.numpy(), *features, inputs.codes.numpy().astype(np.float32)])

    def _fitted(self, X: np.ndarray, codes: int, answer: np.ndarray, seed: int) -> Estimator:
        """scikit-learn's own, fitted to the number or numbers, one class or one tag of each row."""
        counts, numbers = np.array([len(answer)]), X.shape[1] - codes
        maker = self.recipe.for_numbers
        if not self._of_numbers:
            counts = np.unique(answer, return_counts=True)[1]
            maker = self.recipe.for_classes if len(counts) > 1 else shares
        assert maker
        raw, outputs = self.recipe.reads is not None, answer[:1].size
        categories = [] if raw else _categories(X, numbers)
        estimator = maker(Task(seed, categories, len(X), len(counts), int(counts.min()), outputs))
        if not raw:
            estimator = _with_one_hot(estimator, self.recipe, numbers, X.shape[1])
        return _in_order(estimator.fit(X, answer))

    def predict(self, inputs: Inputs) -> np.ndarray:
        """Scores: (N,) numbers, (N, K) numbers of a series, or probabilities (N, K).

        No probability is 0 or 1: after n rows without a case, the next may still be one, so a share of
        1 / (n + 1) is spread evenly over all classes, also those that the training rows lacked.
        """
        X = self._seen(inputs)
        with _threads_for(X):
            if self._of_numbers:
                found = np.asarray(self.estimators[0].predict(X), dtype=np.float64)
                return self.center + self.spread * found.reshape(len(X), *self.center.shape)
            if self.task == "tags":
                return np.column_stack([self._probabilities(one, X, 2)[:, 1] for one in self.estimators])
            return self._probabilities(self.estimators[0], X, self.outputs)

    def _probabilities(self, estimator: Estimator, X: np.ndarray, classes: int) -> np.ndarray:
        """(N, K). Margins are squashed where a method gives only those: they rank, but are no odds."""
        if hasattr(estimator, "predict_proba"):
            shares = np.asarray(estimator.predict_proba(X), dtype=np.float64)
        else:
            shares = _squashed(np.asarray(estimator.decision_function(X), dtype=np.float64))
        scores, unseen = np.zeros((len(X), classes)), 1 / (self.rows + 1)
        scores[:, estimator.classes_.astype(int)] = shares
        return (1 - unseen) * scores + unseen / classes

    def save(self, path: Path) -> None:
        """Write the fitted rival as a skops file: data only, nothing that executes."""
        import skops.io

        skops.io.dump({**vars(self), "recipe": self.recipe.name, "reads": self.recipe.reads}, path)

    @classmethod
    def load(cls, path: Path) -> "Rival":
        """The rival that `save` wrote.

        Raises Mistake "model-untrusted" when the file asks for types not known here, "model-unreadable"
        when it is no such file.
        """
        import skops.io

        try:
            strange = set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED)
        except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
            raise Mistake(
                "model-unreadable",
                f"The model file cannot be read: {error}.",
                where=str(path),
                todo="Restore the file from a copy, or fit again.",
            ) from error
        if strange:
            raise Mistake(
                "model-untrusted",
                f"The model file asks for {', '.join(sorted(strange))}, which no rival is made of.",
                where=str(path),
                todo="Do not use this file; fit again on your own data.",
            )
        known = skops.io.load(path, trusted=TRUSTED)
        recipe = recipe_named(known.pop("recipe"), known.pop("reads"))
        rival = cls(recipe, known["task"], known["outputs"])
        vars(rival).update(known)
        return rival


def _threads_for(X: np.ndarray) -> AbstractContextManager[Any]:
    """One thread where the work is small: threads that wait for each other cost more than they bring."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1 if X.size < FEW_CELLS else None)


def _in_order(estimator: Estimator) -> Estimator:
    """A forest learns on all cores but answers on one: else its trees add up as threads happen to end."""
    if hasattr(estimator, "n_jobs"):
        estimator.n_jobs = 1
    return estimator


def _further(inputs: Inputs) -> list[np.ndarray]:
    """The columns that are neither numbers nor codes, raw."""
    return [column.numpy() for column in inputs.further]


def _categories(X: np.ndarray, numbers: int) -> list[int]:
    """The columns of codes that boosting can take as categories; larger codes count as numbers."""
    return [column for column in range(numbers, X.shape[1]) if X[:, column].max(initial=0) < 255]


def _with_one_hot(estimator: Estimator, recipe: Recipe, numbers: int, width: int) -> Estimator:
    if recipe.sees_codes or numbers == width:
        return estimator
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    one_hot = OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        max_categories=MOST_CATEGORIES,
        sparse_output=False,
        dtype=np.float32,
    )
    parts = [
        ("numbers", "passthrough", list(range(numbers))),
        ("codes", one_hot, list(range(numbers, width))),
    ]
    return make_pipeline(ColumnTransformer(parts), estimator)


def _squashed(margins: np.ndarray) -> np.ndarray:
    """Margins (N,) of two classes, or (N, K), as probabilities."""
    if margins.ndim == 1:
        positive = 1 / (1 + np.exp(-margins))
        return np.column_stack([1 - positive, positive])
    powers = np.exp(margins - margins.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
