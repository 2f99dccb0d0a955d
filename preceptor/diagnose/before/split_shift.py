"""Training and validation rows are not of one kind (11).

    symptom   a forest tells validation rows from training rows, ROC AUC out of bag > 0.75 and 4 standard
              errors beyond chance; or the answers differ, Kolmogorov-Smirnov or class shares, by more than
              0.2 and p < 1e-6
    harm      rows are not a series, whose validation part is later by right: neither windows that slide, nor
              rows of which each resembles the one before in most columns and none is sorted, but for a
              clock's even steps

Source: Deepchecks, "train-test drift"; the classifier two-sample test (Lopez-Paz & Oquab, 2017).
"""

from typing import Any

import numpy as np
import torch

from preceptor.diagnose.case import Case, Rows, labels_of
from preceptor.diagnose.rival import features
from preceptor.finding import Finding

AUC, APART, CERTAIN, MOST, FEWEST, ALIKE, FLOWING = 0.75, 0.2, 1e-6, 600, 25, 0.7, 2_000


def split_shift(case: Case) -> Finding | None:
    """Validation rows from elsewhere."""
    held = case.validation
    if held is None or held.number < FEWEST or case.train.number < FEWEST or in_time(case.train):
        return None
    train, held = case.train.few(MOST), held.few(MOST)
    apart, p = _answers_apart(train, held)
    auc = _told_apart(train, held)
    answers_differ = apart > APART and p < CERTAIN
    error = ((train.number + held.number + 1) / (12 * train.number * held.number)) ** 0.5
    if not answers_differ and auc <= max(AUC, 0.5 + 4 * error):
        return None
    seen = (
        f"the answers' distributions differ by {apart:.2f}"
        if answers_differ
        else f"a forest tells them apart with a ROC AUC of {auc:.2f}"
    )
    return Finding(
        "split-shift",
        "warning",
        f"Validation rows are of another kind than training rows: {seen}. The net is judged on what it has"
        " not been taught, and the score says little about either kind.",
        evidence={"auc": auc, "answers_apart": apart, "p": p, **_answers(train, held)},
        remedy="Shuffle before splitting, stratified by answer (train_test_split(..., stratify=y)): a sorted"
        " file is the usual cause. The next is another scaling: scale both parts by the training rows.",
    )


def _answers(train: Rows, held: Rows) -> dict[str, Any]:
    """The class shares, or the deciles, of both sides' answers."""
    sides = {"training": train, "validation": held}
    if labels_of(train) is None:
        deciles = torch.linspace(0.1, 0.9, 9, dtype=torch.float64)
        return {
            "quantiles": {n: r.goal.double().flatten().quantile(deciles).tolist() for n, r in sides.items()}
        }
    counts = {name: torch.bincount(rows.goal.flatten().long())[:20] for name, rows in sides.items()}
    return {
        "shares": {
            name: {str(k): float(part) for k, part in enumerate(count / count.sum())}
            for name, count in counts.items()
        }
    }


def in_time(rows: Rows) -> bool:
    """Whether rows are the windows of a series, or a language's stretches: later by right."""
    x = rows.inputs[0]
    if x.ndim == 3 or (rows.goal.ndim == 2 and not rows.goal.is_floating_point()):
        return True
    if x.ndim != 2 or x.shape[1] < 4 or len(x) < 3:
        return False
    slid = [
        bool(torch.isclose(x[i, 1:], x[i + 1, :-1], atol=1e-5).all()) for i in range(0, min(len(x), 60) - 1)
    ]
    return float(np.mean(slid)) > 0.5 or _flows(x[:FLOWING].double())


def _flows(x: torch.Tensor) -> bool:
    """Whether rows follow each other in time: most columns change little, and none was sorted by."""
    x = x[:, x.std(0) > 0]
    steps = x.diff(dim=0)
    sorted_by = ((steps >= 0).all(0) | (steps <= 0).all(0)) & (steps.std(0) > 1e-3 * steps.abs().mean(0))
    z = (x - x.mean(0)) / x.std(0)
    alike = (z[1:] * z[:-1]).mean(0)
    return bool((alike > ALIKE).double().mean() > 0.5) and not bool(sorted_by.any())


def _answers_apart(train: Rows, held: Rows) -> tuple[float, float]:
    """How far the answers' distributions lie apart, from 0 to 1, and how likely that is by chance."""
    from scipy import stats

    labels, others = labels_of(train), labels_of(held)
    if labels is not None and others is not None:
        size = int(torch.cat([labels, others]).max()) + 1
        counts = np.stack([np.bincount(y.numpy(), minlength=size) for y in (labels, others)])
        counts = counts[:, counts.sum(0) > 0]
        shares = counts / counts.sum(1, keepdims=True)
        p = stats.chi2_contingency(counts).pvalue if counts.shape[1] > 1 else 1.0
        return float(np.abs(shares[0] - shares[1]).sum() / 2), float(p)
    if train.goal.numel() != len(train.goal):
        return 0.0, 1.0
    test = stats.ks_2samp(train.goal.numpy().ravel(), held.goal.numpy().ravel())
    return float(test.statistic), float(test.pvalue)


def _told_apart(train: Rows, held: Rows) -> float:
    """The ROC AUC of a forest that says which side a row comes from, out of bag.

    Columns that never change in training are named themselves (`constant_feature`).
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import roc_auc_score

    learnt, other = features(train), features(held, train)
    moving = np.ptp(learnt, axis=0) > 0 if train.inputs[0].is_floating_point() else slice(None)
    x = np.concatenate([learnt, other])[:, moving]
    y = np.repeat([0, 1], [len(learnt), len(other)])
    forest = RandomForestClassifier(
        40, oob_score=True, random_state=0, min_samples_leaf=5, max_features="sqrt"
    ).fit(x, y)
    told = np.nan_to_num(forest.oob_decision_function_[:, 1], nan=0.5)
    return float(roc_auc_score(y, told))
