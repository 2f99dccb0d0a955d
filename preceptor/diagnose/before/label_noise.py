"""Wrong answers among the right ones (36).

    symptom   of the quarter of training rows that a forest is surest about, out of bag, more than 6 % are
              answered otherwise; amounts are answered otherwise when they lie on the other side of the median
    harm      the share is near that among all rows (at least 0.4 of it), and the forest explains half of what
              there is, so that it can know; or the two are as good as equal (0.7), and it explains a seventh

Hard tasks have errors where the forest is unsure; wrong labels are everywhere alike. Source: cleanlab,
confident learning (Northcutt et al., 2021), whose joint this reads along one line; the median is ours.
"""

from typing import NamedTuple

import numpy as np

from preceptor.diagnose.before.explained import forest
from preceptor.diagnose.case import Case, labels_of
from preceptor.diagnose.rival import Rival
from preceptor.finding import Finding

SURE, SHARE, FEWEST = 0.25, 0.06, 100
ALIKE, EXPLAINED = 0.4, 0.5
EQUAL, GLIMPSED = 0.7, 0.15


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
    told = _told(case, rival) if rival is not None and len(rival.rows) >= FEWEST else None
    if rival is None or told is None:
        return None
    surest = np.argsort(-told.sure, kind="stable")[: int(SURE * len(told.sure))]
    among_sure, overall = float(told.wrong[surest].mean()), float(told.wrong.mean())
    alike = among_sure >= ALIKE * overall and overall <= (1 - EXPLAINED) * told.prior
    equal = among_sure >= EQUAL * overall and overall <= (1 - GLIMPSED) * told.prior
    if among_sure < SHARE or not (alike or equal):
        return None
    places = rival.rows[surest[told.wrong[surest]]][:20].tolist()
    amounts = labels_of(case.train) is None
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
