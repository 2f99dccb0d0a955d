"""By how much the best of many looks better than it is (Tibshirani & Tibshirani, 2009).

    optimism([[3.1, 3.4], [3.0, 3.6]], best=0)   # 0.05: what its score on new rows will be worse by

Each fold has a favourite of its own. How much worse the overall winner is there than the fold's favourite is
how much a favourite owes to luck, so the mean over the folds is the luck of the winner.
"""

from collections.abc import Sequence

import numpy as np


def optimism(scores: Sequence[Sequence[float]], best: int, *, higher_is_better: bool = False) -> float | None:
    """From each trial's scores, one a fold; not negative. None with fewer than two folds or trials."""
    table = np.array(scores, dtype=float)
    if table.ndim != 2 or min(table.shape) < 2:
        return None
    favourites = table.max(axis=0) if higher_is_better else table.min(axis=0)
    return float(np.abs(favourites - table[best]).mean())
