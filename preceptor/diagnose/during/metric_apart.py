"""The metric told does not move with the loss (43).

    opposed   up to its best epoch the validation loss has fallen by a tenth of the constant answer's and
              more, and the metric (higher is better) has fallen by 3 · noise, first to last third of these 3
              epochs and more, with a rank correlation of metric and -loss below -0.3
    wrong     the net's answers on a classification's rows held out are right more often than luck by 0.2 and
              6 standard errors, and every metric told, of 2 epochs and more, lies within 3 of them of luck,
              Σ p_k q_k of answers given and wanted; or the last two within 3 of the share answered wrongly

Noise is the larger of the metric's own, around its trend (second differences), and, for shares of N rows
held out, the binomial √(m (1 - m) / N): a metric that moves by a few rows proves nothing. One of the two
measures something else. Source: TheDeepChecker; the bands are ours.
"""

from typing import Any

import numpy as np
import torch

from preceptor.diagnose.case import Case, labels_of
from preceptor.finding import Finding

FEWEST, FALLEN, OPPOSED, BAND, TWICE, CLEARLY, SURELY, ROWS = 3, 0.1, -0.3, 3.0, 2, 0.2, 6.0, 2_000


def metric_apart(case: Case) -> Finding | None:
    """A metric that goes its own way while the loss falls."""
    pairs = [(m.validation, m.metric) for m in case.record.marks]
    told = np.array([pair for pair in pairs if None not in pair], dtype=float).reshape(-1, 2)
    if not np.isfinite(told).all():
        return None
    evidence = _opposed(case, told) or _wrong(case, told[:, 1])
    if evidence is None:
        return None
    losses, metric = _shares(case, told[:, 0]), told[:, 1]
    return Finding(
        "metric-apart",
        "warning",
        f"Up to step {case.record.step}, over {len(told)} epochs, the validation loss goes from"
        f" {losses[0]:.2f} to {losses[-1]:.2f} of the constant answer's, and the metric from {metric[0]:.3g}"
        f" to {metric[-1]:.3g} (higher meant better)"
        + (f", while {evidence['right']:.0%} are answered rightly" if "right" in evidence else "")
        + ". One of the two measures something else, so that neither can be trusted to choose by.",
        evidence={"losses": losses.tolist(), "metric": metric.tolist(), **evidence},
        remedy="Compare outputs and answers of the same rows; give error rates with a minus (higher is"
        " better).",
    )


def _opposed(case: Case, told: np.ndarray) -> dict[str, Any] | None:
    """Whether the metric falls as the loss does."""
    from scipy.stats import spearmanr

    upto = int(told[:, 0].argmin()) + 1 if len(told) else 0
    losses, metric = _shares(case, told[:upto, 0]), told[:upto, 1]
    if upto < FEWEST or losses[0] - losses[-1] < FALLEN or np.ptp(metric) == 0:
        return None
    third = upto // 3
    fallen, noise = float(metric[:third].mean() - metric[-third:].mean()), _noise(case, metric)
    together = float(spearmanr(metric, -losses).statistic)
    if fallen <= BAND * noise or together >= OPPOSED:
        return None
    return {"epochs": upto, "fallen": fallen, "noise": noise, "correlation": together}


def _shares(case: Case, losses: np.ndarray) -> np.ndarray:
    return np.array([case.share(float(loss), case.dumb_held_out) for loss in losses])


def _noise(case: Case, metric: np.ndarray) -> float:
    """What the metric moves by from one epoch to the next without a reason."""
    bends = np.diff(metric, n=2)
    own = 1.4826 * float(np.median(np.abs(bends))) / 6**0.5 if len(bends) > 1 else 0.0
    if case.validation is None or metric.min() < 0 or metric.max() > 1:
        return own
    return max(own, _error(float(metric.mean()), case.validation.number))


@torch.no_grad()
def _wrong(case: Case, metric: np.ndarray) -> dict[str, Any] | None:
    """Whether the metric is that of answers to other rows, or counts what it should not."""
    if len(metric) < TWICE or not case.classifies or case.validation is None:
        return None
    rows = case.validation.few(ROWS)
    labels, output = labels_of(rows), case.answer(case.reflect(), rows)
    if labels is None:
        return None
    right = case.right(output, rows.goal)
    given = output.flatten(1).argmax(1) if output[0].numel() > 1 else torch.where(right, labels, 1 - labels)
    counts = [torch.bincount(each, minlength=1 + int(labels.max())).double() for each in (given, labels)]
    luck = float(sum(p * q for p, q in zip(*counts, strict=False))) / len(labels) ** 2
    share, error = float(right.double().mean()), _error(luck, len(labels))
    if share - luck < max(CLEARLY, SURELY * error):
        return None
    by_luck = np.abs(metric - luck).max() <= BAND * error
    errors = np.abs(metric[-TWICE:] - (1 - share)).max() <= BAND * _error(share, len(labels)) < share - 0.5
    return {"right": share, "luck": luck} if by_luck or errors else None


def _error(share: float, rows: int) -> float:
    """The standard error of a share of so many rows."""
    return float((max(share * (1 - share), 1 / rows) / rows) ** 0.5)
