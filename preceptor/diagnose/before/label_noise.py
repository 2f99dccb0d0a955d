"""Wrong answers among the right ones (36).

    symptom   of the quarter of training rows that a forest is surest about, out of bag, more than 6 % are
              answered otherwise
    harm      the share is near that among all rows (at least 0.4 of it): errors that do not depend on how
              hard a row is come from the labels; and the forest explains half of what there is, so that it
              can know

Hard tasks have errors where the forest is unsure; wrong labels are everywhere alike. Source: cleanlab,
confident learning (Northcutt et al., 2021), whose joint this reads along one line.
"""

import numpy as np

from preceptor.diagnose.before.explained import forest
from preceptor.diagnose.case import Case, labels_of
from preceptor.finding import Finding

SURE, SHARE, ALIKE, EXPLAINED, FEWEST = 0.25, 0.06, 0.4, 0.5, 100


def label_noise(case: Case) -> Finding | None:
    """Answers that contradict rows which are easy."""
    rival, labels = forest(case), labels_of(case.train)
    if rival is None or labels is None or not case.classifies or len(rival.rows) < FEWEST:
        return None
    told, y = rival.answers, labels.cpu().numpy()[rival.rows]
    wrong, surest = told.argmax(1) != y, np.argsort(-told.max(1))[: int(SURE * len(y))]
    among_sure, overall = float(wrong[surest].mean()), float(wrong.mean())
    prior = 1 - float(np.bincount(y).max()) / len(y)
    if among_sure < max(SHARE, ALIKE * overall) or overall > (1 - EXPLAINED) * prior:
        return None
    places = rival.rows[surest[wrong[surest]]][:20].tolist()
    return Finding(
        "label-noise",
        "warning",
        f"Of the training rows whose class is plainest, {among_sure:.0%} bear another label, such as row"
        f" {places[0]};"
        f" among all rows it is {overall:.0%}. So the labels are wrong, not the rows hard, and a net that"
        " trains long enough learns these errors by heart.",
        evidence={"among_surest": among_sure, "among_all": overall, "rows": places},
        remedy="Look at these rows and relabel; else CrossEntropyLoss(label_smoothing=0.1) and early"
        " stopping.",
    )
