"""What a forest knows of the answers, out of bag, whatever loss the net is given.

    explained    1 - its log loss over the entropy of the class shares; for amounts 1 - squared error over
                 variance, of the column that is explained best
    related      a single column and the answers go together (F test, p < 0.01 over all columns): what is too
                 weak or too straight for a forest

Shapes: N rows, D columns.
"""

import numpy as np
import torch

from preceptor.diagnose.case import Case, labels_of
from preceptor.diagnose.rival import Rival, compete, features

CHANCE, COLUMNS = 0.01, 512


def forest(case: Case) -> Rival | None:
    """The rival, asked once for all symptoms."""
    found: Rival | None = case.once("rival", lambda: compete(case))
    return found


def explained(case: Case) -> float | None:
    """The share of what there is to know that the forest knows; None where it cannot be asked."""
    rival, labels = forest(case), labels_of(case.train)
    if rival is None:
        return None
    if labels is None:
        y = case.train.goal.detach().cpu().reshape(case.train.number, -1).numpy()[rival.rows]
        return float((1 - np.square(rival.answers - y).mean(0) / np.maximum(y.var(0), 1e-12)).max())
    y = labels.cpu().numpy()[rival.rows]
    shares = np.bincount(y) / len(y)
    entropy = -float(sum(share * np.log(share) for share in shares if share > 0))
    return 1 + float(np.log(rival.answers[np.arange(len(y)), y]).mean()) / max(entropy, 1e-12)


def related(case: Case) -> bool:
    """Whether any single column has to do with the answers."""
    from sklearn.feature_selection import f_classif, f_regression

    rival, labels = forest(case), labels_of(case.train)
    if rival is None:
        return False
    x = features(case.train.take(torch.as_tensor(rival.rows)))
    x = x[:, x.std(0) > 0]
    x = x[:, :: max(1, x.shape[1] // COLUMNS)]
    goal = case.train.goal.detach().cpu().reshape(case.train.number, -1).numpy()[rival.rows]
    if labels is not None:
        p = f_classif(x, labels.cpu().numpy()[rival.rows])[1]
    else:
        p = np.concatenate([f_regression(x, column)[1] for column in goal.T if column.std() > 0])
    return bool(np.nanmin(p) * p.size < CHANCE)
