"""Is each row answered on its own? (diagnosis 21)

    ∂ output_i / ∂ x_j = 0 for i ≠ j, in eval mode

A row's answer must not depend on which other rows happen to lie in its batch. A `view` or `permute`
in the wrong place, or a mean over the wrong axis, mixes them: training looks fine and every prediction
on other batches is off. Half of the rows are exchanged and the other half's outputs compared, both ways
round, so that leaks in either direction show. Source: Karpathy (2019), "use backprop to chart
dependencies".
"""

import torch

from preceptor.diagnose.check import Check, undisturbed
from preceptor.diagnose.one_batch import Rehearsal
from preceptor.finding import Finding

NOTHING = 1e-4


@undisturbed()
def check_mixed_batch(rehearsal: Rehearsal) -> Check:
    """Whether exchanging half of a batch changes the other half's outputs."""
    half = len(rehearsal.goal) // 2
    if half == 0:
        return Check("mixed-batch", "one row only: nothing to mix", {"rows": len(rehearsal.goal)})
    first, second = slice(0, half), slice(half, 2 * half)
    change = max(_change(rehearsal, first, second), _change(rehearsal, second, first))
    evidence = {"rows": 2 * half, "change": change}
    if change <= NOTHING:
        return Check("mixed-batch", "no mixing inside the batch", evidence)
    finding = Finding(
        "batch-mixed",
        "warning",
        f"A row's answer changes by {change:.2g} of its size when only other rows of its batch change.",
        evidence=evidence,
        remedy="Look for view, permute, softmax or mean over the axis of the rows, and for missing eval().",
    )
    return Check("mixed-batch", "rows of a batch see each other", evidence, finding)


@torch.no_grad()
def _change(rehearsal: Rehearsal, keep: slice, exchange: slice) -> float:
    """The largest change of the outputs of `keep` when the rows of `exchange` become copies of them."""
    output = rehearsal.output
    inputs = [x.clone() for x in rehearsal.inputs]
    for x in inputs:
        x[exchange] = x[keep]
    size = output.abs().max().clamp(min=1e-12)
    return float((rehearsal.net(*inputs)[keep] - output[keep]).abs().max() / size)
