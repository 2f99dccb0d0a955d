"""One feature gives the answer away (9).

    the error of the best single feature < 0.15 of the constant answer's, and < a fifth of the second best's,
    which is > 0.15

The error is 1 - accuracy over 1 - prior for classes, 1 - R² for numbers, of a one-feature tree on half of the
rows judged on the other. A strong feature is no leak: what gives it away is how far it stands out; nor is
the answer of the row before, in a series. Certain.
Source: Deepchecks (predictive power score >= 0.8), sharpened by the comparison.
"""

import numpy as np
import torch

from preceptor.diagnose.case import Case, Rows, labels_of
from preceptor.finding import Finding

TINY, APART, REST, FEWEST, WIDEST, SAME = 0.15, 0.2, 0.15, 40, 400, 0.9999


def target_leak(case: Case) -> Finding | None:
    """A column of a table, or a place in a window, that knows the answer."""
    if not _table(case.train):
        return None
    errors = _errors(case)
    order = np.argsort(errors)
    best, second = order[:2]
    alone = errors[best] <= min(TINY, APART * errors[second]) and errors[second] >= REST
    if not alone or _earlier(case, int(best)):
        return None
    return Finding(
        "target-leak",
        "warning",
        f"Feature {best} alone predicts the answer with {errors[best]:.2%} of the constant answer's error,"
        " the"
        f" next best feature with {errors[second]:.0%}. Most likely it was made from the answer, and will be"
        " missing when the net is used.",
        evidence={
            "feature": int(best),
            "error": float(errors[best]),
            "next": float(errors[second]),
            "features": {f"feature {j}": float(errors[j]) for j in order[:10]},
        },
        remedy=f"Drop it, x = x[:, [j for j in range(x.shape[1]) if j != {best}]], or find out when it is"
        " known.",
    )


def _table(rows: Rows) -> bool:
    """Whether these are enough rows of a table, or windows, not too wide, each with one answer."""
    x, goal = rows.numbers, rows.goal
    numbers = x.ndim in (2, 3) and x.is_floating_point() and 2 <= x[:1].numel() <= WIDEST
    return numbers and goal.numel() == len(goal) >= FEWEST


def _earlier(case: Case, column: int) -> bool:
    """Whether a column holds the answers of rows before, as a forecast's inputs do."""
    x, y = case.train.numbers.flatten(1)[:, column].double().cpu(), case.train.goal.flatten().double().cpu()
    return abs(float(torch.corrcoef(torch.stack([x[1:], y[:-1]]))[0, 1])) > SAME


def _errors(case: Case) -> np.ndarray:
    """Of a small tree on each feature alone (D,): its share of the constant answer's error."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    rows = case.train.few(1_000)
    x, labels, half = rows.numbers.flatten(1).numpy(), labels_of(rows), rows.number // 2
    y = rows.goal.numpy().ravel() if labels is None else labels.numpy()
    kind = DecisionTreeRegressor if labels is None else DecisionTreeClassifier
    errors = np.ones(x.shape[1])
    for j in range(x.shape[1]):
        tree = kind(min_samples_leaf=3, max_leaf_nodes=64, random_state=0).fit(x[:half, [j]], y[:half])
        told = tree.predict(x[half:, [j]])
        wrong = np.mean(told != y[half:]) if labels is not None else np.mean((told - y[half:]) ** 2)
        constant = 1 - np.bincount(y[half:]).max() / len(told) if labels is not None else y[half:].var()
        errors[j] = wrong / max(constant, 1e-12)
    return errors
