"""Does the signal keep its size from layer to layer before training? (diagnosis 14)

    symptom   the largest standard deviation of a dense layer's outputs over the smallest > 10
    harm      the net cannot learn one batch by heart

A signal that shrinks or swells with every layer leaves the first ones with gradients that are next to
nothing or far too large. Layers that start silent, with zero weights, are meant to and are passed over.
Source: He et al. (2015), Glorot & Bengio (2010); SageMaker Debugger's "poor initialisation".
"""

from typing import Any

import torch
from torch import Tensor, nn

from preceptor.diagnose.check import Check, copy_of, undisturbed
from preceptor.diagnose.one_batch import LEARNT, Rehearsal
from preceptor.finding import Finding

RATIO = 10.0


def check_signal_scale(rehearsal: Rehearsal) -> Check:
    """The spread of every dense layer's outputs in the untrained net."""
    spread = _spread(rehearsal)
    if len(spread) < 2:
        return Check("signal-scale", "no layers to compare", {"spread": spread})
    low, high = min(spread, key=spread.__getitem__), max(spread, key=spread.__getitem__)
    ratio = spread[high] / max(spread[low], 1e-30)
    evidence = {"spread": spread, "ratio": ratio}
    if ratio <= RATIO:
        return Check("signal-scale", "the signal keeps its size through the layers", evidence)
    finding = Finding(
        "signal-scale",
        "note" if rehearsal.share <= LEARNT else "warning",
        f"Before training the outputs of {high!r} vary {ratio:.3g} times as much as those of {low!r}.",
        layer=low,
        evidence=evidence,
        remedy="Draw each layer's weights with variance 2 / inputs (ReLU) or 1 / inputs; standardise inputs.",
    )
    return Check("signal-scale", f"the signal varies {ratio:.3g}-fold between layers", evidence, finding)


@torch.no_grad()
def _spread(rehearsal: Rehearsal) -> dict[str, float]:
    """The standard deviation of each dense layer's outputs, by the layer's name, in the order of use."""
    net, spread = copy_of(rehearsal.untrained), {}

    def listening(name: str) -> Any:
        def listen(_: nn.Module, __: Any, output: Tensor) -> None:
            spread[name] = float(output.std())

        return listen

    for name, module in net.named_modules():
        if isinstance(module, nn.Linear) and bool(module.weight.any()):
            module.register_forward_hook(listening(name))
    with undisturbed(), torch.no_grad():
        net(*rehearsal.inputs)
    return spread
