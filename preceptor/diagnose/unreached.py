"""Does training move every parameter? (diagnosis 22)

    some step of the rehearsal changes each parameter tensor: max |W_after - W_before| > 0

A tensor that never moves is no part of the training: `requires_grad` is off (frozen), or the output
does not depend on it (unreached). Both are certain, and neither shows in the loss curve. Adam moves
whatever has any gradient at all by about the learning rate, so that zero means zero.
Source: TheDeepChecker (Ben Braiek & Khomh, 2022), "untrained parameters".
"""

from collections.abc import Collection

import torch
from torch import nn

from preceptor.diagnose.check import Check
from preceptor.finding import Finding


def check_parameters(untrained: nn.Module, trained: nn.Module, frozen: Collection[str] = ()) -> Check:
    """Which parameters the rehearsal did not move; `frozen` names those that are kept still on purpose."""
    after = dict(trained.named_parameters())
    still = [
        name
        for name, before in untrained.named_parameters()
        if before.numel() and torch.equal(before, after[name]) and name not in frozen
    ]
    evidence = {"parameters": len(after), "unmoved": still}
    if not still:
        return Check("parameters", "gradients reach every layer", evidence)
    why = "frozen" if not after[still[0]].requires_grad else "not reached by any gradient"
    finding = Finding(
        "parameters-unmoved",
        "warning",
        f"{len(still)} of {len(after)} parameters do not learn, first {still[0]!r}, which is {why}.",
        layer=still[0],
        evidence=evidence,
        remedy="Unfreeze them (requires_grad), or see that the output is computed from them.",
    )
    return Check("parameters", f"{len(still)} parameters do not learn", evidence, finding)
