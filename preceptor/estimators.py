"""The net behind scikit-learn's verbs, for pipelines, GridSearchCV and cross_val_score.

    from preceptor import NeuralClassifier
    cross_val_score(make_pipeline(StandardScaler(), NeuralClassifier()), X, y)

No clock decides anything here: the same data and `random_state` give the same bits. For the whole
recipe, with rivals, exam and report, use `preceptor.fit`.
"""

from typing import Any, Self, TypeVar

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from preceptor.data.table import Account, Schema, Table
from preceptor.kinds.category import Category
from preceptor.kinds.kind import Target
from preceptor.kinds.number import Number
from preceptor.net import ensemble_loss, judging_metric, new_net
from preceptor.plan import NetPlan, TrainingPlan
from preceptor.problem import Inputs, Problem
from preceptor.training.loop import train
from preceptor.training.state import Training

Part = TypeVar("Part", NetPlan, TrainingPlan)


class _Neural(BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """What both estimators share: an ensemble net on numeric columns, early stopping on held-out rows.

    `members`, `width`, `depth`, `dropout`, `embedding`, `neighbours` shape the net;
    `validation_fraction` of the rows decide which epoch is kept when there are at least 40 rows.
    """

    def __init__(
        self,
        *,
        members: int = 8,
        width: int = 128,
        depth: int = 2,
        dropout: float = 0.0,
        embedding: int = 8,
        neighbours: int = 0,
        learning_rate: float = 3e-3,
        weight_decay: float = 1e-4,
        batch_size: int = 128,
        epochs: int = 60,
        patience: int = 12,
        validation_fraction: float = 0.15,
        random_state: Any = None,
    ) -> None:
        self.members = members
        self.width = width
        self.depth = depth
        self.dropout = dropout
        self.embedding = embedding
        self.neighbours = neighbours
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.epochs = epochs
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def _learn(self, X: np.ndarray, answers: pl.Series, target: Target) -> None:
        """Fit kinds and net; the learnt parts end in an underscore, as is the custom."""
        random = check_random_state(self.random_state)
        seed = int(random.randint(2**31 - 1))
        held, learnt = _parted(len(X), self.validation_fraction, random)
        table, target = _table(X), target.fit(answers)
        truth, goal = target.truth(answers), target.goal(answers)[learnt]
        self.problem_ = Problem([Number(name) for name in table.frame.columns], target)
        self.problem_.fit(table.take(learnt))
        inputs, held_out = self.problem_.encode(table.take(learnt)), self.problem_.encode(table.take(held))
        self.net_ = new_net(self._chosen(NetPlan), self.problem_, inputs, goal, truth[learnt], seed)
        metric, plan = judging_metric(target), self._chosen(TrainingPlan)
        higher = metric.higher_is_better
        training = Training(self.net_.module, plan, epochs=self.epochs, seed=seed, higher_is_better=higher)
        for _ in train(training, inputs.tensors, goal, ensemble_loss(target, 0.0)):
            with training.evaluating():
                training.judge(metric.function(truth[held], self.net_.predict(held_out), None))
        training.adopt_best()
        self.n_iter_ = training.epoch
        # In float64 a row's answer does not depend on the rows beside it, to the last printed digit.
        self.net_.module.double()

    def _chosen(self, part: type[Part]) -> Part:
        """A part of a plan with this estimator's parameters of the same names."""
        return part(**{name: value for name, value in vars(self).items() if name in part.model_fields})

    def _scores(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        inputs = self.problem_.encode(_table(X))
        return self.net_.predict(Inputs(inputs.numbers.double(), inputs.codes))


class NeuralRegressor(RegressorMixin, _Neural):  # type: ignore[misc]  # scikit-learn is untyped
    """A TabM-style net for numbers; arguments as in scikit-learn's estimators."""

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from X (N, F) and y (N,)."""
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        self._learn(X, pl.Series("y", y, dtype=pl.Float64), Number("y"))
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predicted numbers (N,) for X (N, F)."""
        return self._scores(X)


class NeuralClassifier(ClassifierMixin, _Neural):  # type: ignore[misc]  # scikit-learn is untyped
    """A TabM-style net for two or more classes; arguments as in scikit-learn's estimators."""

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from X (N, F) and class labels y (N,)."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"NeuralClassifier needs at least two classes; y has one class: {self.classes_}."
            )
        self._learn(X, pl.Series("y", numbers, dtype=pl.Int64), Category("y"))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities (N, K) of the classes in `classes_`."""
        return self._scores(X)

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest class of each row (N,)."""
        likeliest = self.predict_proba(X).argmax(axis=1)
        return self.classes_[likeliest]


def _parted(rows: int, fraction: float, random: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Rows that judge and rows that are learnt from; when there are few, all do both."""
    order = random.permutation(rows)
    if rows < 40:
        return order, order
    held = round(fraction * rows)
    return order[:held], order[held:]


def _table(X: np.ndarray) -> Table:
    """Numbers as a table of columns x0, x1, ..."""
    frame = pl.DataFrame({f"x{place}": X[:, place] for place in range(X.shape[1])})
    schema = Schema(dict.fromkeys(frame.columns, "number"))
    return Table(frame, np.arange(len(X)), "frame", schema, Account(read=len(X)))
