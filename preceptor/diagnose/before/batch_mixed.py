"""Rows of a batch see each other (21). Certain.

    ∂ output_i / ∂ x_j != 0 for i ≠ j, in eval mode: by more than 1e-4 of the outputs' size

A row's answer must not depend on which other rows happen to lie in its batch. A `view` or `permute`
in the wrong place, or a mean over the wrong axis, mixes them: training looks fine and every prediction
on other batches is off. Half of the rows are exchanged and the other half's outputs compared, both ways
round, so that leaks in either direction show. Source: Karpathy (2019), "use backprop to chart
dependencies".
"""

from preceptor.diagnose.case import Case
from preceptor.finding import Finding

NOTHING = 1e-4


def batch_mixed(case: Case) -> Finding | None:
    """Answers that change when other rows do."""
    half = len(case.rehearsal.goal) // 2
    if half == 0:
        return None
    first, second = slice(0, half), slice(half, 2 * half)
    change = max(_change(case, first, second), _change(case, second, first))
    if change <= NOTHING:
        return None
    return Finding(
        "batch-mixed",
        "warning",
        f"A row's answer changes by {change:.2g} of its size when only other rows of its batch change. Every"
        " prediction then depends on what happens to be asked along with it.",
        evidence={"rows": 2 * half, "change": change},
        remedy="Look for view, permute, softmax or mean over the axis of the rows, and for missing eval().",
    )


def _change(case: Case, keep: slice, exchange: slice) -> float:
    """The largest change of the outputs of `keep` when the rows of `exchange` become copies of them."""
    rehearsal = case.rehearsal
    inputs = [x.clone() for x in rehearsal.inputs]
    for x in inputs:
        x[exchange] = x[keep]
    size = rehearsal.output.abs().max().clamp(min=1e-12)
    return float((rehearsal.answer(inputs)[keep] - rehearsal.output[keep]).abs().max() / size)
