"""How each rival is made, from scikit-learn's own methods; the quick first, the strongest last.

Whoever shares out time among them in this order leaves what the quick do not need to those that use it best.

Settings are those that scikit-learn's users would try first; boosting's were chosen on out-of-fold rows
(see LOG.md). A task's seed makes every one deterministic.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

Estimator = Any  # scikit-learn's estimators share verbs, not a type


# One-hot columns of a category; its rarer values share the last of them.
MOST_CATEGORIES = 60


class Task(NamedTuple):
    """What a recipe may go by; `categories` are columns of codes, `rarest` counts the rarest class's rows.

    `outputs` are the numbers asked for at once: 1, or the K of a series.
    """

    seed: int
    categories: list[int]
    rows: int
    classes: int
    rarest: int
    outputs: int = 1


Maker = Callable[[Task], Estimator]


@dataclass(frozen=True)
class Recipe:
    """A rival's name, what makes it for a number and for classes (None: it cannot), and its limits.

    `sees_codes`: category codes as they are; otherwise one-hot. `most_rows`: beyond, it is left out.
    `jointly`: it learns several numbers at once, so that it can foretell a series.
    `reads`: the shape family it is made for: its estimator is handed that one column raw, pictures
    (N, C, H, W) uint8, tokens (N, L) int32 or steps (N, T, D) float32. None: any table; it sees numbers,
    codes, and classical features of other columns.
    """

    name: str
    title: str
    for_numbers: Maker | None
    for_classes: Maker | None
    sees_codes: bool = False
    most_rows: int = 100_000_000
    jointly: bool = False
    reads: str | None = None


def _mean(task: Task) -> Estimator:
    from sklearn.dummy import DummyRegressor

    return DummyRegressor()


def shares(task: Task) -> Estimator:
    """The dumb classifier: every class as often as it occurs."""
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior")


def _least_squares(task: Task) -> Estimator:
    from sklearn.linear_model import LinearRegression

    return LinearRegression()


def _ridge(task: Task) -> Estimator:
    from sklearn.linear_model import RidgeCV

    return RidgeCV(alphas=[0.01, 0.1, 1.0, 10.0, 100.0, 1000.0])


def _logistic(task: Task) -> Estimator:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=300)


def _perceptron(task: Task) -> Estimator:
    from sklearn.linear_model import Perceptron

    return Perceptron(random_state=task.seed)


def _naive_bayes(task: Task) -> Estimator:
    from sklearn.naive_bayes import GaussianNB

    return GaussianNB(var_smoothing=1e-3)


def _neighbours(distance: str) -> tuple[Maker, Maker]:
    exactly = {"weights": "distance", "metric": distance, "algorithm": "brute"}

    def for_numbers(task: Task) -> Estimator:
        from sklearn.neighbors import KNeighborsRegressor

        return KNeighborsRegressor(min(10, task.rows), **exactly)

    def for_classes(task: Task) -> Estimator:
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(
            min(10, task.rows), weights="distance", metric=distance, algorithm="brute"
        )

    return for_numbers, for_classes


def _linear_svr(task: Task) -> Estimator:
    from sklearn.svm import LinearSVR

    return LinearSVR(random_state=task.seed, dual="auto")


def _linear_svc(task: Task) -> Estimator:
    from sklearn.svm import LinearSVC

    return LinearSVC(random_state=task.seed, dual="auto")


def _svr(task: Task) -> Estimator:
    from sklearn.svm import SVR

    return SVR()


def _svc(task: Task) -> Estimator:
    from sklearn.svm import SVC

    return SVC(random_state=task.seed)


def _tree_of_numbers(task: Task) -> Estimator:
    from sklearn.tree import DecisionTreeRegressor

    return DecisionTreeRegressor(min_samples_leaf=10, random_state=task.seed)


def _tree_of_classes(task: Task) -> Estimator:
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(min_samples_leaf=10, random_state=task.seed)


def _forest(task: Task, least: int) -> dict[str, Any]:
    """A hundred trees whose leaves hold so many rows that the forest fits in memory and in a file."""
    leaf = max(least, task.rows * task.classes // 50_000)
    return {"min_samples_leaf": leaf, "n_jobs": -1, "random_state": task.seed}


def _forest_of_numbers(task: Task) -> Estimator:
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(100, max_features=0.5, **_forest(task, least=3))


def _forest_of_classes(task: Task) -> Estimator:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(100, **_forest(task, least=2))


# Below so many rows, or rows of a class, a tenth of them is too few to tell when to stop.
STOPS_EARLY_FROM, STOPS_EARLY_FROM_CLASS = 1_000, 10


def _boosting(task: Task) -> dict[str, Any]:
    """Slow and stopped early; with few rows as scikit-learn has it."""
    shared = {"random_state": task.seed, "categorical_features": task.categories, "max_features": 0.5}
    if task.rows < STOPS_EARLY_FROM or task.rarest < STOPS_EARLY_FROM_CLASS:
        return {**shared, "early_stopping": False}
    return {**shared, "learning_rate": 0.05, "max_iter": 1000, "n_iter_no_change": 20, "early_stopping": True}


def _boosting_of_numbers(task: Task) -> Estimator:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(**_boosting(task))


def _boosting_of_classes(task: Task) -> Estimator:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(**_boosting(task))


TABLE = (
    Recipe("dumb", "always the same", _mean, shares, sees_codes=True, jointly=True),
    Recipe("linear", "linear regression", _least_squares, None, jointly=True),
    Recipe("ridge", "ridge regression", _ridge, None, jointly=True),
    Recipe("logistic", "logistic regression", None, _logistic),
    Recipe("perceptron", "perceptron", None, _perceptron),
    Recipe("naive-bayes", "naive Bayes", None, _naive_bayes),
    Recipe("tree", "decision tree", _tree_of_numbers, _tree_of_classes, sees_codes=True, jointly=True),
    Recipe("linear-svm", "linear support vectors", _linear_svr, _linear_svc, most_rows=50_000),
    Recipe(
        "neighbours", "nearest neighbours (L2)", *_neighbours("euclidean"), most_rows=50_000, jointly=True
    ),
    Recipe(
        "neighbours-l1", "nearest neighbours (L1)", *_neighbours("manhattan"), most_rows=50_000, jointly=True
    ),
    Recipe("svm", "support vectors (RBF)", _svr, _svc, most_rows=6_000),
    Recipe("boosting", "gradient boosting", _boosting_of_numbers, _boosting_of_classes, sees_codes=True),
    Recipe("forest", "random forest", _forest_of_numbers, _forest_of_classes, sees_codes=True, jointly=True),
)
"""The rivals of any table."""
