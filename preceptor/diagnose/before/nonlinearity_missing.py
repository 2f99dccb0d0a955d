"""Layers with nothing curved between them (18). Certain.

    none       two or more products with weights, and no activation anywhere
    adjacent   a dense layer's output is the next one's input, and it is as wide as the wider of both sides:
               the two are one layer, and even in shape they save nothing

Depth without curves is one linear layer in disguise. Narrower middles are low-rank factors, and meant.
Source: UMLAUT; NeuraLint.
"""

from preceptor.diagnose.case import Case
from preceptor.diagnose.trace import CURVED, RECURRENT, Applied
from preceptor.finding import Finding

DENSE = ("addmm", "mm", "linear", "mkldnn_linear")


def nonlinearity_missing(case: Case) -> Finding | None:
    """A linear net with hidden layers, or one such pair in it."""
    layers = [step for step in case.trace.weighted if not step.recurrent]
    recurrent = any(isinstance(module, RECURRENT) for module in case.net.modules())
    straight = not any(step.op in CURVED for step in case.trace.steps) and not recurrent
    pair = _adjacent(layers)
    if pair is None and not (straight and len(layers) > 1):
        return None
    first, second = pair or (layers[0].layer, layers[1].layer)
    return Finding(
        "nonlinearity-missing",
        "warning",
        f"Between {first!r} and {second!r} there is no activation"
        + (", nor is there any in the net" if straight else "")
        + ". Two linear layers in a row are one, so the net can draw nothing but straight lines there.",
        layer=second,
        evidence={"layers": [step.layer for step in layers][:50], "none_at_all": straight},
        remedy=f"Put an activation between them: nn.ReLU() after {first!r}.",
    )


def _adjacent(layers: list[Applied]) -> tuple[str, str] | None:
    """The first pair of dense layers that follow each other directly and are wide in the middle."""
    for first in layers:
        for second in layers:
            follows = second.given.data_ptr() == first.made.data_ptr() and second is not first
            dense = first.op in DENSE and second.op in DENSE and first.layer != second.layer
            ends = first.given.shape[-1], second.made.shape[-1]
            if follows and dense and first.made.shape[-1] >= max(ends) and "attn" not in second.layer:
                return first.layer, second.layer
    return None
