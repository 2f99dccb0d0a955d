"""The classical rivals for texts: which tokens and runs of tokens occur, and what that says.

    Rival(TEXTS["nb-svm"], "two-class", outputs=2).fit(inputs, truth, seed=0)

The strongest weighs each n-gram by how much likelier it is in one class than in the others, and learns a
logistic regression on that (Wang and Manning, "Baselines and bigrams", 2012): words alone, no order but
that of two or three neighbours, and hard to beat on short texts.

Shapes: N texts, G n-grams known, K classes.
"""

from typing import Self

import numpy as np

from preceptor.rivals.chain import Chain
from preceptor.rivals.ngrams import Array, Ngrams, Sparse
from preceptor.rivals.recipes import Estimator, Recipe, Task

OWN = 0.25
"""The share of a weight that is the n-gram's own; the rest is what weights are on average."""


class NaiveBayesLogistic:
    """Logistic regression, one class against all others, on n-grams weighed by naive Bayes."""

    def __init__(self, cost: float):
        self.cost = cost

    def fit(self, x: Sparse, y: Array) -> Self:
        """Learn from sparse rows (N, G) of 0 and 1, and their classes."""
        self.classes_ = np.unique(y)
        sides = self.classes_[1:] if len(self.classes_) == 2 else self.classes_
        self.ratios = [_log_ratio(x, y == side) for side in sides]
        self.machines = [
            self._machine(x * ratio[None], y == side) for side, ratio in zip(sides, self.ratios, strict=True)
        ]
        return self

    def _machine(self, x: Sparse, inside: Array) -> Estimator:
        """Its weights lean towards one for all, with which naive Bayes alone would answer."""
        from scipy.optimize import brentq
        from scipy.special import expit
        from sklearn.linear_model import LogisticRegression

        machine = LogisticRegression(C=self.cost, max_iter=100).fit(x, inside)
        machine.coef_ = OWN * machine.coef_ + (1 - OWN) * np.abs(machine.coef_).mean()
        said = x @ machine.coef_[0]
        far = np.abs(said).max() + 50  # the bias is somewhere between: all classes as often as they occur
        machine.intercept_[:] = brentq(lambda bias: expit(said + bias).mean() - inside.mean(), -far, far)
        return machine

    def predict_proba(self, x: Sparse) -> Array:
        """(N, K), in the order of `classes_`."""
        pairs = zip(self.machines, self.ratios, strict=True)
        odds = np.stack([machine.predict_proba(x * ratio[None])[:, 1] for machine, ratio in pairs], axis=1)
        if len(self.classes_) == 2:
            return np.hstack([1 - odds, odds])
        return odds / odds.sum(axis=1, keepdims=True)


def _log_ratio(x: Sparse, inside: Array) -> Array:
    """(G,): the log of how much likelier each n-gram is inside a class than outside, smoothed by one."""
    likely = [1 + x[side].sum(axis=0) for side in (inside, ~inside)]
    return np.log(likely[0] / likely[0].sum()) - np.log(likely[1] / likely[1].sum()).astype(np.float32)


def _rarity() -> Estimator:
    from sklearn.feature_extraction.text import TfidfTransformer

    return TfidfTransformer()


def _nb_svm(task: Task) -> Estimator:
    return Chain(Ngrams(2), NaiveBayesLogistic(cost=1.0))


def _ridge(task: Task) -> Estimator:
    from sklearn.linear_model import Ridge

    return Chain(Ngrams(2), Chain(_rarity(), Ridge(alpha=1.0, solver="sparse_cg")))


def _naive_bayes(task: Task) -> Estimator:
    from sklearn.naive_bayes import MultinomialNB

    return Chain(Ngrams(2), MultinomialNB())


def _neighbours_of_classes(task: Task) -> Estimator:
    from sklearn.neighbors import KNeighborsClassifier

    near = KNeighborsClassifier(min(NEIGHBOURS, task.rows), metric="cosine", algorithm="brute")
    return Chain(Ngrams(2), Chain(_rarity(), near))


def _neighbours_of_numbers(task: Task) -> Estimator:
    from sklearn.neighbors import KNeighborsRegressor

    near = KNeighborsRegressor(min(NEIGHBOURS, task.rows), metric="cosine", algorithm="brute")
    return Chain(Ngrams(2), Chain(_rarity(), near))


NEIGHBOURS = 25

TEXTS = (
    Recipe("naive-bayes", "naive Bayes on words and pairs", None, _naive_bayes, reads="tokens"),
    Recipe(
        "neighbours",
        "nearest neighbours (angle of words)",
        _neighbours_of_numbers,
        _neighbours_of_classes,
        most_rows=100_000,
        jointly=True,
        reads="tokens",
    ),
    Recipe("ridge", "ridge regression on words and pairs", _ridge, None, jointly=True, reads="tokens"),
    Recipe("nb-svm", "logistic regression on naive-Bayes weighted words", None, _nb_svm, reads="tokens"),
)
"""The rivals of a single column of tokens."""
