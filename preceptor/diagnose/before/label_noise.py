"""Wrong answers among the right ones (36).

    symptom   of the quarter of training rows that a forest is surest about, out of bag, more than 6 % are
              answered otherwise; amounts are answered otherwise when they lie on the other side of the median
    harm      the share is near that among all rows (at least 0.4 of it), and the forest explains half of what
              there is, so that it can know; or, of classes, the two are all but equal (0.7), and it
              explains a third
    mistyped  0.2 % to 20 % of the amounts lie further from the median than 10 robust deviations; a forest
              cannot tell from the rows which (ROC AUC out of bag < 0.65), though it explains half of the
              other amounts: what stands out by right is foretold by something

Hard tasks have errors where the forest is unsure; wrong labels are everywhere alike. Source: cleanlab,
confident learning (Northcutt et al., 2021), whose joint this reads along one line; the median is ours.
"""

from typing import NamedTuple

import numpy as np
import torch

from preceptor.diagnose.before.explained import forest
from preceptor.diagnose.case import Case, labels_of
from preceptor.diagnose.rival import Rival, features
from preceptor.finding import Finding

SURE, SHARE, FEWEST = 0.25, 0.06, 100
ALIKE, EXPLAINED = 0.4, 0.5
EQUAL, GLIMPSED = 0.7, 0.35
FAR, MANY, LEAST, MOST, GUESS, TREES = 10.0, 5, 0.002, 0.2, 0.65, 40


class Told(NamedTuple):
    """How sure a forest is of each row (N,), which of them are answered otherwise, and the share that would
    be by someone who always says the commonest.
    """

    sure: np.ndarray
    wrong: np.ndarray
    prior: float


def label_noise(case: Case) -> Finding | None:
    """Answers that contradict rows which are easy."""
    rival = forest(case)
    if rival is None or len(rival.rows) < FEWEST:
        return None
    if mistyped := _mistyped(case, rival):
        return mistyped
    told = _told(case, rival)
    if told is None:
        return None
    surest = np.argsort(-told.sure, kind="stable")[: int(SURE * len(told.sure))]
    among_sure, overall = float(told.wrong[surest].mean()), float(told.wrong.mean())
    alike = among_sure >= ALIKE * overall and overall <= (1 - EXPLAINED) * told.prior
    amounts = labels_of(case.train) is None
    equal = among_sure >= EQUAL * overall and overall <= (1 - GLIMPSED) * told.prior
    if among_sure < SHARE or not (alike or (equal and not amounts)):
        return None
    places = rival.rows[surest[told.wrong[surest]]][:20].tolist()
    return Finding(
        "label-noise",
        "warning",
        f"Of the training rows whose {'amount' if amounts else 'class'} is plainest, {among_sure:.0%}"
        f" {'lie on the other side of the median' if amounts else 'bear another label'}, such as row"
        f" {places[0]}; among all rows it is {overall:.0%}. So the answers are wrong, not the rows hard, and"
        " a net that trains long enough learns these errors by heart.",
        evidence={"among_surest": among_sure, "among_all": overall, "rows": places},
        remedy="Look at these rows and correct them; else a loss that bears outliers (SmoothL1Loss) and early"
        " stopping."
        if amounts
        else "Look at these rows and relabel; else CrossEntropyLoss(label_smoothing=0.1) and early stopping.",
    )


def _mistyped(case: Case, rival: Rival) -> Finding | None:
    """Amounts that nothing in their rows foretells, and that lie far beyond all others."""
    rows = case.train.take(torch.as_tensor(rival.rows))
    if labels_of(case.train) is not None or rows.goal.numel() != rows.number:
        return None
    y = rows.goal.detach().cpu().flatten().double().numpy()
    middle, (low, high) = float(np.median(y)), np.quantile(y, [0.25, 0.75])
    limit = FAR * float(high - low) / 1.349
    far = np.abs(y - middle) > limit
    if not max(MANY, LEAST * len(y)) <= far.sum() <= MOST * len(y) or not limit:
        return None
    foretold, explained = _foretold(features(rows), far, y)
    if foretold > GUESS or explained < EXPLAINED:
        return None
    places = rival.rows[far][:20].tolist()
    return Finding(
        "label-noise",
        "warning",
        f"{int(far.sum())} of {len(y)} training answers lie further than {limit:.3g} from the median"
        f" {middle:.3g}, such as {float(y[far][0]):.3g} in row {places[0]}, and nothing in the rows"
        " foretells it. They look mistyped, and a squared loss heeds them more than all others.",
        evidence={
            "far": int(far.sum()),
            "among_all": float(far.mean()),
            "foretold": foretold,
            "rows": places,
        },
        remedy="Look at these rows: a lost decimal point, another unit, a code for missing; or take"
        " HuberLoss.",
    )


def _foretold(x: np.ndarray, far: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """How well rows tell which amounts are far off, ROC AUC; and what they explain of the others, R²."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.metrics import roc_auc_score

    which = RandomForestClassifier(TREES, oob_score=True, random_state=0, min_samples_leaf=3).fit(x, far)
    much = RandomForestRegressor(TREES, oob_score=True, random_state=0, max_features=0.5)
    much.fit(x[~far], y[~far])
    told = np.nan_to_num(which.oob_decision_function_[:, 1], nan=float(far.mean()))
    return float(roc_auc_score(far, told)), float(much.oob_score_)


def _told(case: Case, rival: Rival) -> Told | None:
    """What the forest says of the training rows' answers, out of bag."""
    labels = labels_of(case.train)
    if labels is not None:
        y = labels.cpu().numpy()[rival.rows]
        prior = 1 - float(np.bincount(y).max()) / len(y)
        wrong = rival.answers.argmax(1) != y
        return Told(rival.answers.max(1), wrong, prior) if case.classifies else None
    goal = case.train.goal.detach().cpu().reshape(case.train.number, -1).numpy()[rival.rows]
    if goal.shape[1] > 1:
        return None
    high = goal[:, 0] > np.median(goal)
    share = 1 - float(high.mean())
    place = np.argsort(np.argsort(rival.answers[:, 0])) / len(high)
    return Told(np.abs(place - share), (place >= share) != high, min(share, 1 - share))
