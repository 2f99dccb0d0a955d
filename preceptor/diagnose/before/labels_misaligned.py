"""Answers that do not belong to their rows (37).

    symptom   a forest predicts the training answers no better than chance, out of bag (loss > 0.97 of the
              constant answer's)
    harm      with the answers moved by one to three rows, back or forth, it predicts them (loss lower by 0.15)

Answers that were drawn at random cannot be told, before training, from inputs that say nothing; answers that
have slipped can. Source: TheDeepChecker; the trial of the slip is ours.
"""

import numpy as np

from preceptor.diagnose.case import Case, Rows, labels_of
from preceptor.diagnose.rival import compete, features
from preceptor.finding import Finding

CHANCE, BETTER, SLIPS, MOST = 0.97, 0.15, (-1, 1, -2, 2, -3, 3), 1_500


def labels_misaligned(case: Case) -> Finding | None:
    """Answers that have slipped by a row or a few."""
    rival = case.once("rival", lambda: compete(case))
    if rival is None or rival.train <= CHANCE:
        return None
    rows = case.train.take(slice(MOST))
    x = features(rows)
    plain, slipped = _score(x, rows, 0), {slip: _score(x, rows, slip) for slip in SLIPS}
    slip = max(slipped, key=slipped.__getitem__)
    if slipped[slip] - plain < BETTER:
        return None
    return Finding(
        "labels-misaligned",
        "warning",
        f"The answers have slipped by {abs(slip)}: a forest explains {plain:.0%} of them as they stand, and"
        f" {slipped[slip]:.0%} when they are moved by {slip:+d} rows. Trained like this, the net learns nonsense by heart.",
        evidence={"slip": slip, "as_is": plain, "moved": slipped[slip]},
        remedy=f"Look where x and y are read: a header line or a missing row. y = y.roll({slip}, 0) shows it.",
    )


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
