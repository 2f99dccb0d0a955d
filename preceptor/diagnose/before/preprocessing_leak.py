"""The inputs were standardised with statistics of all rows, not of the training rows (12).

    pooled    |mean| < 1e-4 and |std - 1| < 1e-3 over training and validation rows together, but not over the
              training rows alone; or
    nearly    the training rows' own means are not 0 and their deviations not 1, yet for nine tenths of the
              columns within 4 standard errors of it, as those of a part of what a scaler was fitted on are;
              columns that are plainly not normal, so that no one drew them that way; and the means of
              training and validation rows together are nearer 0 than those of rows that were not fitted

The validation rows have then helped to prepare the training rows. It flatters little, as a rule, and is a
fault all the same. Certain, for a table of three columns and more. Source: CS231n, "common pitfall".
"""

import torch
from torch import Tensor

from preceptor.diagnose.case import Case
from preceptor.finding import Finding

EXACT, ERRORS, MOST, COLUMNS, FEWEST, NEARER = 1e-4, 4.0, 0.9, 3, 40, 0.75


def preprocessing_leak(case: Case) -> Finding | None:
    """Statistics that give away what the scaler was fitted on."""
    x = case.train.numbers
    if x.ndim != 2 or not x.is_floating_point() or len(x) < FEWEST or case.validation is None:
        return None
    moving = x.std(0) > 1e-6
    x, held = x[:, moving].double(), case.validation.numbers[:, moving].double()
    if x.shape[1] < COLUMNS or _exact(x):
        return None
    both = torch.cat([x, held])
    pooled = _exact(both)
    if not pooled and not (_nearly(x) and _shaped(x) and _shared(both)):
        return None
    mean = float(x.mean(0).abs().mean())
    return Finding(
        "preprocessing-leak",
        "warning",
        f"The training columns are standardised, but not by their own statistics: their means are {mean:.2g}"
        " off"
        f" zero on average{', while those of training and validation rows together are 0' if pooled else ''}."
        " The scaler has seen rows that it must not know.",
        evidence={
            "mean_off": mean,
            "pooled_exact": pooled,
            "columns": x.shape[1],
            "means": x.mean(0)[:60].tolist(),
            "pooled_means": both.mean(0)[:60].tolist(),
        },
        remedy="Fit on training rows alone: mean, std = x_train.mean(0), x_train.std(0); use them for all"
        " rows.",
    )


def _exact(x: Tensor) -> bool:
    """Whether nearly all columns have mean 0 and deviation 1 (either way of dividing)."""
    off, spread = x.mean(0).abs(), (x.std(0, unbiased=False) - 1).abs()
    return float(((off < 10 * EXACT) & (spread < 10 * EXACT + 1 / len(x))).double().mean()) > MOST


def _nearly(x: Tensor) -> bool:
    """Whether means and deviations are those of a part of rows that were standardised."""
    kurtosis = ((x - x.mean(0)) / x.std(0)).pow(4).mean(0)
    off = x.mean(0).abs() * len(x) ** 0.5
    spread = (x.std(0) - 1).abs() * len(x) ** 0.5 / ((kurtosis - 1).clamp(min=0.5).sqrt() / 2)
    return float(((off < ERRORS) & (spread < ERRORS)).double().mean()) > MOST


def _shaped(x: Tensor) -> bool:
    """Whether at least a fifth of the columns are plainly not normal."""
    z = (x - x.mean(0)) / x.std(0)
    skew, tails = z.pow(3).mean(0).abs(), (z.pow(4).mean(0) - 3).abs()
    errors = torch.maximum(skew / (6 / len(x)) ** 0.5, tails / (24 / len(x)) ** 0.5)
    return float((errors > 3.5).double().mean()) > 0.2


def _shared(both: Tensor) -> bool:
    """Whether the rows of both sides belong to what was fitted: then their means lie nearer 0 than chance."""
    return float(both.mean(0).square().mean()) * len(both) < NEARER**2
