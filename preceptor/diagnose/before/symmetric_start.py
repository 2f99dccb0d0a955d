"""Units that start alike and stay alike (15). Certain.

    all rows of a hidden weight matrix are equal, and not zero; or zero, and the output is the same for all
    rows

Equal rows get equal gradients, so that a layer of a hundred units is one unit. What is frozen is no start; a
last layer that starts at zero is no fault, nor is a branch beside which the signal passes. Source:
TheDeepChecker; NeuraLint.
"""

import torch
from torch import Tensor

from preceptor.diagnose.case import Case
from preceptor.finding import Finding


def symmetric_start(case: Case) -> Finding | None:
    """Weight matrices whose rows are all the same."""
    first = dict(case.reflect(first=True).named_parameters())
    used = [step.weight.data_ptr() for step in case.trace.weighted if step.weight is not None]
    hidden = {n: p for n, p in first.items() if p.requires_grad and p.data_ptr() in used[:-1]}
    silent = not bool((case.output != case.output[:1]).any())
    alike = [name for name, weight in hidden.items() if _alike(weight) and (silent or bool(weight.any()))]
    if not alike:
        return None
    return Finding(
        "symmetric-start",
        "warning",
        f"All {first[alike[0]].shape[0]} units of {alike[0]!r} start with the same weights. They get the same"
        " gradients, so they stay alike and work as a single unit.",
        layer=alike[0],
        evidence={"layers": alike, "units": {name: first[name].shape[0] for name in alike}},
        remedy="Draw first weights at random: nn.init.kaiming_uniform_(layer.weight).",
    )


@torch.no_grad()
def _alike(weight: Tensor) -> bool:
    """Whether a matrix of two and more rows has them all equal."""
    return weight.ndim > 1 and weight.shape[0] > 1 and torch.allclose(weight, weight[:1], atol=1e-9)
