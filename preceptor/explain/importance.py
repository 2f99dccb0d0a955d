"""What the answers lean on: each column shuffled in turn, on the exam's rows, choosing nothing.

    rows = ledger.decide("rows for importance", lambda: importance_rows(predict, table, columns, seconds=10))
    permutation_importance(predict, table, columns, truth, metric, rows=rows)

Shapes: N rows, as many in `table` as in `truth` and in what `predict` gives.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from preceptor.data.table import Table
from preceptor.intervals import paired_interval
from preceptor.metrics import Metric

Array = np.ndarray
Predict = Callable[[Table], Array]

FEWEST_ROWS = 100
TIMED_ROWS = 1_000
MOST_ROWS = 20_000


def importance_rows(
    predict: Predict, table: Table, columns: Sequence[str], seconds: float, repeats: int = 3
) -> int:
    """How many rows `permutation_importance` can afford in so many seconds: measured; 0 for too few.

    Also 0 where there is one column only: an answer that has nothing else leans on that.
    """
    if len(columns) < 2:
        return 0
    few = table.take(np.arange(min(TIMED_ROWS, len(table))))
    predict(few)  # the first call may still have to warm up
    began = time.perf_counter()
    predict(few)
    each = (time.perf_counter() - began) / len(few)
    rows = int(seconds / (each * (len(columns) * repeats + 1)))
    return min(rows, len(table), MOST_ROWS) if rows >= min(FEWEST_ROWS, len(table)) else 0


def permutation_importance(
    predict: Predict,
    table: Table,
    columns: Sequence[str],
    truth: Array,
    metric: Metric,
    *,
    rows: int,
    repeats: int = 3,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """How much worse the answers become when one column is shuffled: {column, drop, interval}, largest first.

    The drop is in the metric's unit, above 0 where the column helps (Breiman, 2001; Fisher et al., 2019).
    It shows what *this* predictor leans on: of two columns that say the same, either may look idle.
    """
    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.permutation(len(table))[:rows])
    if not len(drawn):
        return []
    few, truth = table.take(drawn), np.concatenate([truth[drawn]] * repeats)
    whole = np.concatenate([predict(few)] * repeats)
    same_row = np.tile(np.arange(len(drawn)), repeats)
    found = []
    for column in columns:
        shuffled = [predict(_shuffled(few, column, rng)) for _ in range(repeats)]
        spoilt = np.concatenate(shuffled)
        drop = metric.function(truth, whole, None) - metric.function(truth, spoilt, None)
        ends = paired_interval(truth, whole, spoilt, metric, groups=same_row, seed=seed)
        found.append({"column": column, "drop": drop if metric.higher_is_better else -drop, "interval": ends})
    return sorted(found, key=lambda one: -one["drop"])


def _shuffled(table: Table, column: str, rng: np.random.Generator) -> Table:
    values = table.frame[column].gather(rng.permutation(len(table)))
    return replace(table, frame=table.frame.with_columns(values))
