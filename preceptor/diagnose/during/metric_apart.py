"""The metric told does not move with the loss (43).

    the validation loss has fallen by a tenth of the constant answer's and more, over 4 epochs and more up to
    its best, and the metric (higher is better) does not rise with it: rank correlation of metric and -loss <
    0.3

One of the two measures something else. Source: TheDeepChecker.
"""

import numpy as np

from preceptor.diagnose.case import Case
from preceptor.finding import Finding

FEWEST, FALLEN, TOGETHER, OPPOSED = 4, 0.1, 0.3, -0.7


def metric_apart(case: Case) -> Finding | None:
    """A metric that goes its own way while the loss falls."""
    from scipy.stats import spearmanr

    pairs = [(m.validation, m.metric) for m in case.record.marks]
    told = np.array([pair for pair in pairs if None not in pair], dtype=float).reshape(-1, 2)
    upto = int(told[:, 0].argmin()) + 1 if len(told) else 0
    losses, metric = told[:upto, 0] / case.dumb_held_out, told[:upto, 1]
    if upto < FEWEST or not np.isfinite(losses).all() or losses[0] - losses[-1] < FALLEN:
        return None
    if np.ptp(metric) == 0:
        return None
    together = float(spearmanr(metric, -losses).statistic)
    if together >= (TOGETHER if upto > FEWEST else OPPOSED):
        return None
    return Finding(
        "metric-apart",
        "warning",
        f"Over {upto} epochs the validation loss falls from {losses[0]:.2f} to {losses[-1]:.2f} of the"
        " constant answer's,"
        f" and the metric goes from {metric[0]:.3g} to {metric[-1]:.3g} (rank correlation {together:.2f},"
        " higher meant better). One of the two measures something else.",
        evidence={
            "epochs": upto,
            "losses": losses.tolist(),
            "metric": metric.tolist(),
            "correlation": together,
        },
        remedy="Compare outputs and answers of the same rows; give error rates with a minus (higher is"
        " better).",
    )
