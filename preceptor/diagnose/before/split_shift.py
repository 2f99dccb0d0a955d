"""Training and validation rows are not of one kind (11).

    symptom   a forest tells validation rows from training rows, ROC AUC out of bag > 0.7; or the answers
              differ, Kolmogorov-Smirnov or class shares, by more than 0.2 and p < 1e-6
    harm      rows are not windows of a series, whose validation part is later by right

Source: Deepchecks, "train-test drift"; the classifier two-sample test (Lopez-Paz & Oquab, 2017).
"""

import numpy as np
import torch

from preceptor.diagnose.case import Case, Rows, labels_of
from preceptor.diagnose.rival import features
from preceptor.finding import Finding

AUC, APART, CERTAIN, MOST, FEWEST = 0.7, 0.2, 1e-6, 600, 25


def split_shift(case: Case) -> Finding | None:
    """Validation rows from elsewhere."""
    held = case.validation
    if held is None or held.number < FEWEST or case.train.number < FEWEST or in_time(case.train):
        return None
    train, held = case.train.few(MOST), held.few(MOST)
    apart, p = _answers_apart(train, held)
    auc = _told_apart(train, held)
    answers_differ = apart > APART and p < CERTAIN
    if not answers_differ and auc <= AUC:
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
        evidence={"auc": auc, "answers_apart": apart, "p": p},
        remedy="Shuffle before splitting, stratified by answer (train_test_split(..., stratify=y)); a sorted"
        " file is the usual cause.",
    )


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
    return float(np.mean(slid)) > 0.5


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
    """The ROC AUC of a forest that says which side a row comes from, out of bag."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import roc_auc_score

    sides = [features(train), features(held)]
    width = min(side.shape[1] for side in sides)
    x = np.concatenate([side[:, :width] for side in sides])
    y = np.repeat([0, 1], [len(side) for side in sides])
    forest = RandomForestClassifier(
        40, oob_score=True, random_state=0, class_weight="balanced", min_samples_leaf=5, max_features="sqrt"
    ).fit(x, y)
    told = np.nan_to_num(forest.oob_decision_function_[:, 1], nan=0.5)
    return float(roc_auc_score(y, told))
