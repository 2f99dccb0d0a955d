"""How wide the final interval will be, told before training starts."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import stats


@dataclass(frozen=True)
class Expected:
    """Half the width of the final 95 % interval: a share of the score where `relative`."""

    halfwidth: float
    relative: bool

    @property
    def sentence(self) -> str:
        """What a person reads before training starts."""
        width = f"{100 * self.halfwidth:.2g} %" if self.relative else f"{self.halfwidth:.2g}"
        return f"expect the final score to within ±{width}"


def expected_width(task: str, answers: pl.Series, sealed: int, groups: np.ndarray | None = None) -> Expected:
    """How far chance alone will move the final score on `sealed` rows, told from the open `answers`.

    Two classes: the ROC AUC at an assumed 0.85 (Hanley and McNeil 1982). More classes and tags: accuracy
    halfway between the commonest answer's share and 1, binomial. Numbers: RMSE, from the kurtosis of the
    errors, taken to be the answers' own and at least 9, as boosting's on real tables; few rows show only a
    part of such tails; forecasts of several numbers likewise, by their means. Rows of one group count for
    less (Kish's design effect).
    """
    if task == "series":
        answers, task = _means(answers), "number"
    value = _numbers(answers) if task == "number" else _is_commonest(answers)
    rows = sealed / (_design_effect(value, groups) if groups is not None else 1.0)
    if task == "number":
        excess = max(6.0, float(stats.kurtosis(value))) * rows / (rows + 300)
        return Expected(1.96 * float(np.sqrt((2 + excess) / (4 * rows))), relative=True)
    share = float(value.mean())
    if task == "two-class":
        return Expected(min(0.5, 1.96 * _auc_deviation(rows * share, rows * (1 - share))), relative=False)
    accuracy = (1 + share) / 2
    return Expected(1.96 * float(np.sqrt(accuracy * (1 - accuracy) / rows)), relative=False)


def _means(answers: pl.Series) -> pl.Series:
    """Each forecast's mean over its steps and series, every series in its own spread."""
    values = answers.to_numpy().reshape(len(answers), -1)
    return pl.Series(((values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-150)).mean(axis=1))


def _numbers(answers: pl.Series) -> np.ndarray:
    return answers.cast(pl.Float64, strict=False).fill_null(strategy="mean").to_numpy()


def _is_commonest(answers: pl.Series) -> np.ndarray:
    """(N,) floats: 1 where the answer is the commonest one."""
    commonest = answers.mode().sort()[0]
    return (answers == commonest).fill_null(False).cast(pl.Float64).to_numpy()


def _auc_deviation(positives: float, negatives: float, auc: float = 0.85) -> float:
    positives, negatives = max(positives, 1.0), max(negatives, 1.0)
    both_positive, both_negative = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = (positives - 1) * (both_positive - auc**2) + (negatives - 1) * (both_negative - auc**2)
    return float(np.sqrt((auc * (1 - auc) + spread) / (positives * negatives)))


def _design_effect(value: np.ndarray, groups: np.ndarray) -> float:
    """How many grouped rows are worth one: 1 + (size - 1) · intraclass correlation (Kish 1965)."""
    sizes = np.bincount(groups)
    means = np.bincount(groups, value) / sizes
    total, count = len(value), len(sizes)
    if count < 2 or count == total:
        return 1.0
    between = float(sizes @ (means - value.mean()) ** 2) / (count - 1)
    within = float(((value - means[groups]) ** 2).sum()) / (total - count)
    size = float(total - (sizes**2).sum() / total) / (count - 1)
    alike = (between - within) / max(between + (size - 1) * within, 1e-300)
    return 1 + (size - 1) * max(alike, 0.0)
