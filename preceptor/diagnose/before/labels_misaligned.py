"""Answers that do not belong to their rows (37).

    a forest explains less than 1 % of the loss of 100 and more training answers, out of bag; for next
    tokens, what pairs of neighbours explain of the other half of the rows

A forest finds something in nearly all data that a net can learn from; that it finds nothing is symptom and
harm in one, since then there is nothing to be learnt or answers have come apart from their rows. Where they
have only slipped, moving them by one to three rows shows it. Source: TheDeepChecker; the trial of the slip
is ours.
"""

import numpy as np
import torch

from preceptor.diagnose.case import Case, Rows, labels_of
from preceptor.diagnose.rival import compete, features
from preceptor.finding import Finding

CHANCE, BETTER, SLIPS, MOST, WIDE, FEWEST = 0.01, 0.15, (-1, 1, -2, 2, -3, 3), 1_000, 64, 100


def labels_misaligned(case: Case) -> Finding | None:
    """Answers that say nothing about their rows."""
    rival = case.once("rival", lambda: compete(case))
    explained = _next_explained(case) if rival is None else 1 - rival.train
    if explained is None or case.train.number < FEWEST or explained > CHANCE:
        return None
    slip = _slip(case) if rival is not None else None
    return Finding(
        "labels-misaligned",
        "warning",
        f"Without a net {max(explained, 0):.1%} of {case.train.number} training answers can be explained by"
        " their rows"
        + (f", and much more when answers are moved by {slip:+d} rows" if slip else "")
        + ". Answers and rows seem to have come apart; trained like this, the net learns nonsense by heart.",
        evidence={"explained": explained, "slip": slip, "rows": case.train.number},
        remedy=f"y = y.roll({slip}, 0); then look where x and y are read: a header or a missing row."
        if slip
        else "Look where x and y are read, sorted and shuffled: both must go the same way.",
    )


def _next_explained(case: Case) -> float | None:
    """For the next token: how much pairs (token, next) explain over the tokens' shares, on the other half of
    rows.
    """
    x, goal = case.train.inputs[0], case.train.goal
    if x.is_floating_point() or goal.is_floating_point() or x.shape != goal.shape or x.ndim != 2:
        return None
    size, half = int(max(x.max(), goal.max())) + 1, len(x) // 2
    if size > 2_000:
        return None
    pairs = torch.zeros(size, size, dtype=torch.float64)
    places = x[:half].flatten().long() * size + goal[:half].flatten().long()
    pairs.view(-1).scatter_add_(0, places, torch.ones(len(places), dtype=torch.float64))
    alone = (pairs.sum(0) + 0.5) / (pairs.sum() + 0.5 * size)
    given = (pairs + 5 * alone) / (pairs.sum(1, keepdim=True) + 5)
    seen, told = x[half:].flatten().long(), goal[half:].flatten().long()
    return float(1 - given[seen, told].log().mean() / alone[told].log().mean())


def _slip(case: Case) -> int | None:
    """By how many rows the answers have slipped, where moving them helps."""
    rows = case.train.take(slice(MOST))
    x = features(rows)
    if x.shape[1] > WIDE:
        return None
    plain, moved = _score(x, rows, 0), {slip: _score(x, rows, slip) for slip in SLIPS}
    best = max(moved, key=moved.__getitem__)
    return best if moved[best] - plain > BETTER else None


def _score(x: np.ndarray, rows: Rows, slip: int) -> float:
    """How much of the answers a forest explains out of bag, over the commonest answer, when y is moved."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    labels = labels_of(rows)
    y = np.roll(rows.goal.numpy().ravel()[: len(x)] if labels is None else labels.numpy(), slip, axis=0)
    kind = RandomForestRegressor if labels is None else RandomForestClassifier
    forest = kind(25, oob_score=True, random_state=0, min_samples_leaf=3, max_features="sqrt").fit(x, y)
    if labels is None:
        return max(float(forest.oob_score_), 0.0)
    prior = np.bincount(y).max() / len(y)
    return max((float(forest.oob_score_) - prior) / max(1 - prior, 1e-9), 0.0)
