"""Does it hurt? The test that makes a fault a fault and a control a control.

Five seeds, each once without and once with the change, on the same split and from the same random numbers.
It hurts when the test rows' metric is worse by 0.02 or their honest loss by a tenth of the dumb predictor's
on average, and a one-sided sign-flip permutation of the five differences gives p <= 0.05: of the 32 ways to
flip five signs only the one observed may be so bad, so that all five must agree (p = 1/32).
What does not hurt is neither faulty nor healthy: it is set aside, unless it is a fault by construction.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SEEDS = 5
LEVEL, METRIC, LOSS = 0.05, 0.02, 0.1


@dataclass(frozen=True)
class Score:
    """Metric and honest loss on the test rows, and the dumb predictor's loss."""

    metric: float
    loss: float
    dumb: float

    @property
    def share(self) -> float:
        """The loss as a share of the dumb predictor's, ten at most."""
        share = self.loss / self.dumb
        return min(share, 10.0) if math.isfinite(share) else 10.0


@dataclass(frozen=True)
class Harm:
    """The mean losses in metric and in share of the dumb loss, positive when worse, and their p."""

    metric: float
    metric_p: float
    loss: float
    loss_p: float

    @property
    def hurts(self) -> bool:
        """By the stated test."""
        by_metric = self.metric >= METRIC and self.metric_p <= LEVEL
        return by_metric or (self.loss >= LOSS and self.loss_p <= LEVEL)


def harm(well: Sequence[Score], ill: Sequence[Score]) -> Harm:
    """The test on paired seeds."""
    metric = np.array([max(a.metric, -1) - max(b.metric, -1) for a, b in zip(well, ill, strict=True)])
    loss = np.array([b.share - a.share for a, b in zip(well, ill, strict=True)])
    return Harm(float(metric.mean()), sign_flip(metric), float(loss.mean()), sign_flip(loss))


def sign_flip(differences: np.ndarray) -> float:
    """The share of all ways to flip signs whose mean is at least the one observed."""
    signs = np.array(list(itertools.product((1, -1), repeat=len(differences))))
    return float(((signs * differences).mean(1) >= differences.mean() - 1e-12).mean())
