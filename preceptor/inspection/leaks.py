"""Inputs that give the answer away: copies of it, parts of it, or values known only afterwards."""

import numpy as np
import polars as pl

from preceptor.data.table import Table
from preceptor.finding import Finding
from preceptor.inspection.roles import Roles
from preceptor.inspection.sampling import as_numbers, thinned
from preceptor.inspection.wording import several

ROWS, FEWEST_ROWS, RAREST, MOST_LEAVES = 5_000, 30, 5, 100
# An R², AUC or kappa that an honest column hardly reaches alone (diagnosis fault 9).
TOO_GOOD, EXACT = 0.98, 1 - 1e-6


def leaks(table: Table, roles: Roles) -> list[Finding]:
    """Inputs that alone tell the answer nearly perfectly, or whose weighted sum is the answer."""
    sample = thinned(table.frame.select(roles.target, *roles.inputs), ROWS)
    if len(sample) < FEWEST_ROWS:
        return []
    found = []
    for name in roles.inputs:
        measure, value = _told(as_numbers(sample[name]), sample[roles.target], roles)
        if value > TOO_GOOD:
            found.append(_alone(name, measure, value))
    return found or _sum(sample, roles)


def _told(values: np.ndarray, answers: pl.Series, roles: Roles) -> tuple[str, float]:
    """How well a column alone tells the answers: a measure's name and its value, 1 for perfectly."""
    if not np.ptp(values):
        return "", 0.0
    if roles.asks_number:
        return "R²", _r_squared(values, answers.cast(pl.Float64).to_numpy())
    truth = answers.cast(pl.String).rank("dense").fill_null(0).to_numpy()
    common = np.bincount(truth)[truth] >= RAREST
    if common.sum() < FEWEST_ROWS or not np.ptp(truth[common]):
        return "", 0.0
    if answers.n_unique() == 2:
        return "AUC", _auc(values, truth == truth.max())
    return "kappa", _kappa(values[common], truth[common])


def _r_squared(values: np.ndarray, answers: np.ndarray) -> float:
    """On a line, on a rising curve, or on any curve that a tree can follow."""
    ranks = _ranks(answers)
    on_a_line = np.corrcoef(values, answers)[0, 1] ** 2
    rising = np.corrcoef(_ranks(values), ranks)[0, 1] ** 2
    error = ((_out_of_fold(values, ranks) - ranks) ** 2).mean()
    return float(max(on_a_line, rising, 1 - error / ranks.var()))


def _auc(values: np.ndarray, truth: np.ndarray) -> float:
    rising = _ranked_right(values, truth)
    any_shape = _ranked_right(_out_of_fold(values, truth.astype(float)), truth)
    return float(max(rising, 1 - rising, any_shape))


def _ranked_right(values: np.ndarray, truth: np.ndarray) -> float:
    """The share of pairs in the right order, ties by half: the ROC AUC by way of Mann and Whitney's U."""
    positive, ranks = truth.sum(), _ranks(values)
    excess = ranks[truth].sum() - positive * (positive + 1) / 2
    return float(excess / (positive * (len(truth) - positive)))


def _kappa(values: np.ndarray, truth: np.ndarray) -> float:
    """Cohen's: 0 for always saying the commonest class, 1 for always being right."""
    chance = np.bincount(truth).max() / len(truth)
    right = (_out_of_fold(values, truth, classes=True) == truth).mean()
    return float((right - chance) / (1 - chance))


def _out_of_fold(values: np.ndarray, goal: np.ndarray, *, classes: bool = False) -> np.ndarray:
    """(N,) what a small tree on this column says of each row after learning from the other half."""
    # Whoever only predicts does without.
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeClassifier if classes else DecisionTreeRegressor
    first = np.random.default_rng(0).permutation(len(goal)) % 2 == 0
    said = np.empty_like(goal)
    for learnt in (first, ~first):
        tree = kind(max_leaf_nodes=MOST_LEAVES, random_state=0).fit(values[learnt, None], goal[learnt])
        said[~learnt] = tree.predict(values[~learnt, None])
    return said


def _ranks(values: np.ndarray) -> np.ndarray:
    from scipy.stats import rankdata  # likewise

    return rankdata(values)


def _alone(name: str, measure: str, value: float) -> Finding:
    return Finding(
        "answer-given-away",
        "warning",
        f"'{name}' alone tells the answer almost perfectly ({measure} {value:.3f}).",
        column=name,
        evidence={"measure": measure, "value": value, "threshold": TOO_GOOD},
        done="kept: only you can know when its values become known",
        remedy=f"If '{name}' is a form of the answer, or known only after it: --ignore {name}.",
        change={"ignore": [name]},
    )


def _sum(sample: pl.DataFrame, roles: Roles) -> list[Finding]:
    """Number columns that add up to the answer, each with its own factor, to six digits."""
    numbers = [sample[name] for name in roles.inputs if sample[name].dtype.is_numeric()]
    full = [column.name for column in numbers if column.is_finite().fill_null(False).all()]
    if not roles.asks_number or not full or len(sample) < 5 * len(full):
        return []
    values = sample.select(pl.col(full).cast(pl.Float64)).to_numpy()
    deviations = values.std(axis=0)
    values = (values - values.mean(axis=0)) / np.where(deviations > 0, deviations, 1)
    answers = sample[roles.target].cast(pl.Float64).to_numpy()
    answers = answers - answers.mean()
    factors = np.linalg.lstsq(values, answers)[0]
    explained = 1 - ((values @ factors - answers) ** 2).sum() / (answers**2).sum()
    if not explained > EXACT:
        return []
    parts = [name for name, factor in zip(full, factors, strict=True) if abs(factor) > 0.01 * answers.std()]
    return [
        Finding(
            "answer-is-a-sum",
            "warning",
            f"The answer is an exact weighted sum of {several(parts)} (R² {explained:.7f}).",
            column=parts[0],
            evidence={"columns": parts, "r2": explained, "threshold": EXACT},
            done="kept: only you can know when their values become known",
            remedy="If these are parts of the answer, known only with it, leave them out: --ignore COLUMN.",
            change={"ignore": parts},
        )
    ]
