"""The yardsticks: what a score is, over true values and a model's scores."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Metric:
    """A yardstick. `function(truth, scores, weights)` gives a float; weights (N,) may be None.

    `unit` is "target" (the target's own units), "share" (0 to 1) or "" (none). `title` is what a
    person reads ("typical error"), `sentence` a template with {score} for the verdict.
    """

    name: str
    title: str
    higher_is_better: bool
    unit: str
    function: Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]
    sentence: str
