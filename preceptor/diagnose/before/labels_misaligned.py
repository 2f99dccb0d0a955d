"""Answers that do not belong to their rows (37).

    symptom   a forest explains less than 1 % of 100 and more training answers, or 400 of rows wider than
              64, out of bag; for next tokens, pairs of neighbours explain as little of the other half of the
              rows
    harm      nor has any single column to do with the answers: noisy data say little, these say nothing

A forest finds something in nearly all data that a net can learn from; where nothing is found, there is
nothing to be learnt or answers have come apart from their rows. Where they have only slipped, moving them by
one to three rows shows it. Source: TheDeepChecker; the trial of the slip is ours.
"""

import numpy as np
import torch
from torch import Tensor

from preceptor.diagnose.before.explained import CHANCE, explained, related
from preceptor.diagnose.case import Case, Rows, labels_of
from preceptor.diagnose.rival import features
from preceptor.finding import Finding

BETTER, SLIPS, MOST, WIDE, FEWEST, MORE = 0.15, (-1, 1, -2, 2, -3, 3), 1_000, 64, 100, 400


def labels_misaligned(case: Case) -> Finding | None:
    """Answers that say nothing about their rows."""
    known = explained(case)
    known, table = (_next_explained(case), False) if known is None else (known, True)
    if known is None or case.train.number < _fewest(case) or known > CHANCE or (table and related(case)):
        return None
    slip, moved = _slip(case) if table else (None, None)
    return Finding(
        "labels-misaligned",
        "warning",
        f"Without a net {max(known, 0):.1%} of {case.train.number} training answers can be explained by"
        " their rows"
        + (f", and much more when answers are moved by {slip:+d} rows" if slip else "")
        + ". Answers and rows seem to have come apart; trained like this, the net learns nonsense by heart.",
        evidence={"explained": known, "slip": slip, "moved": moved, "rows": case.train.number},
        remedy=f"y = y.roll({slip}, 0); then look where x and y are read: a header or a missing row."
        if slip
        else "Look where x and y are read, sorted and shuffled: both must go the same way.",
    )


def _fewest(case: Case) -> int:
    """So many rows it takes: more where each column says little, as in texts and pictures."""
    return FEWEST if sum(x[:1].numel() for x in case.train.inputs) <= WIDE else MORE


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
    known = _answered(x[:half], goal[:half])
    pairs.view(-1).scatter_add_(0, known[0] * size + known[1], torch.ones(len(known[0]), dtype=torch.float64))
    alone = (pairs.sum(0) + 0.5) / (pairs.sum() + 0.5 * size)
    given = (pairs + 5 * alone) / (pairs.sum(1, keepdim=True) + 5)
    seen, told = _answered(x[half:], goal[half:])
    return float(1 - given[seen, told].log().mean() / alone[told].log().mean()) if len(told) else None


def _answered(x: Tensor, goal: Tensor) -> tuple[Tensor, Tensor]:
    """Tokens and their answers, without the places that the loss is to pass over (below zero)."""
    asked = (goal >= 0) & (x >= 0)
    return x[asked].long(), goal[asked].long()


def _slip(case: Case) -> tuple[int | None, float | None]:
    """By how many rows the answers have slipped, where moving them helps, and what is then explained."""
    rows = case.train.take(slice(MOST))
    x = features(rows)
    if x.shape[1] > WIDE:
        return None, None
    plain, moved = _score(x, rows, 0), {slip: _score(x, rows, slip) for slip in SLIPS}
    best = max(moved, key=moved.__getitem__)
    return (best, moved[best]) if moved[best] - plain > BETTER else (None, None)


def _score(x: np.ndarray, rows: Rows, slip: int) -> float:
    """How much a forest that has learnt every other row explains of the rest, when y is moved."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    labels = labels_of(rows)
    y = np.roll(
        rows.goal.cpu().numpy().reshape(len(x), -1)[:, 0] if labels is None else labels.cpu().numpy(), slip
    )
    kind = RandomForestRegressor if labels is None else RandomForestClassifier
    score = (
        kind(25, random_state=0, min_samples_leaf=3, max_features="sqrt")
        .fit(x[::2], y[::2])
        .score(x[1::2], y[1::2])
    )
    prior = 0.0 if labels is None else np.bincount(y).max() / len(y)
    return max((float(score) - prior) / max(1 - prior, 1e-9), 0.0)
