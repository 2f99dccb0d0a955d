"""Pictures of scale: inputs, first weights, and layers at rest. A drawer's parameters are evidence by name.

faded(ratio=1e-6, layer="0.weight").title         # "The gradient fades on its way back"
"""

import math
from collections.abc import Mapping, Sequence

from preceptor.figures.drawing import SHARE_OF_DUMB, Bar, Drawer, Line, bars, dots, lines, percent
from preceptor.figures.figure import Figure

USUAL = (0.16, 1.41)
"""Sizes of first weights, times the root of the inputs: GPT-2's 0.02 at width 64, and He et al. (2015)."""


def standardised(loss_as_is: float, loss_standardised: float) -> Figure:
    """Where the same net comes with its inputs as they are, and standardised."""
    return bars(
        "With standardised inputs the same net learns",
        "The loss after the same few steps from the same first weights; 1 (dashed) is always the same "
        "answer, 0 is perfect.",
        SHARE_OF_DUMB,
        [
            Bar("inputs as they are", loss_as_is, "wrong"),
            Bar("inputs standardised", loss_standardised, "train"),
        ],
        line=1.0,
        cut=True,
    )


def off_centre(
    means: Sequence[float], pooled_means: Sequence[float], pooled_exact: bool = False
) -> Figure | None:
    """The columns' means over training rows, and over training and validation rows together."""
    seen = "all rows together" if pooled_exact else "more rows than these"
    return lines(
        f"The columns were standardised by the statistics of {seen}",
        "The mean of each column after it was standardised. A scaler that was fitted on the training rows "
        "alone makes their means zero.",
        ("column", "mean"),
        [
            Line("training rows", list(enumerate(means)), "wrong"),
            Line("all rows together", list(enumerate(pooled_means)), "validation"),
        ],
    )


def weight_scales(scales: Mapping[str, float]) -> Figure:
    """The size of each layer's first weights."""
    marked = max(scales, key=lambda name: abs(math.log(scales[name])))
    return dots(
        "The first weights are not of one size",
        "The spread of each layer's first weights, times the root of its inputs, from the first layer "
        "down to the last. Grey is what the usual recipes draw.",
        "size of the first weights",
        scales,
        marked=marked,
        band=USUAL,
    )


def signal_sizes(spread: Mapping[str, float], layer: str | None = None) -> Figure:
    """How much each layer's outputs vary before training."""
    return dots(
        "The signal does not keep its size",
        "How much each layer's outputs vary before training, from the first layer down to the last.",
        "spread of the outputs",
        spread,
        marked=layer,
    )


def first_guess(start: float, expected: float) -> Figure | None:
    """The loss before training beside that of someone who knows nothing."""
    if isinstance(start, str):
        return None
    return bars(
        "The first guess is worse than none" if start > expected else "The first guess is suspiciously good",
        "The loss before the first step, and the loss of someone who knows nothing and always says the same.",
        "loss",
        [Bar("the net, untrained", start, "wrong"), Bar("knowing nothing", expected)],
        cut=True,
    )


def at_rest(layers: Mapping[str, float], layer: str | None = None) -> Figure:
    """The share of each layer's units that are at rest."""
    marked = layer if layer and layer in layers else max(layers, key=lambda name: layers[name])
    rows = [Bar(name, part, "wrong" if name == marked else "other") for name, part in layers.items()]
    return _resting(marked, layers[marked], rows, " Layers run from the first, at the top, to the last.")


def dead(dead: float, layer: str) -> Figure:
    """Dead units of one layer."""
    return _resting(layer, dead, [Bar("dead", dead, "wrong"), Bar("alive", 1 - dead, "train")])


def saturated(saturated: float, layer: str) -> Figure:
    """Saturated units of one layer."""
    rows = [Bar("at the edge", saturated, "wrong"), Bar("in the middle", 1 - saturated, "train")]
    return _resting(layer, saturated, rows)


def _resting(layer: str, share: float, rows: Sequence[Bar], more: str = "") -> Figure:
    return bars(
        f"In layer {layer} {percent(share)} of the units are at rest",
        "The share of a layer's units that pass on nothing the error could travel along, for any of the rows "
        "looked at." + more,
        "units",
        rows,
        say=percent,
    )


def gradients(layers: Mapping[str, float], layer: str | None = None) -> Figure:
    """How large the gradient is in each layer."""
    return dots(
        "The gradient fades on its way back",
        "The size of the gradient in each layer. The error enters at the last layer, at the bottom, and "
        "is passed back to the first, at the top. The scale is one of powers of ten.",
        "gradient for each weight",
        layers,
        marked=layer,
    )


def faded(ratio: float, layer: str) -> Figure:
    """The first layer's gradient beside the last one's."""
    return gradients({layer: ratio, "the last layer": 1.0}, layer)


DRAWERS: dict[str, tuple[Drawer, ...]] = {
    "inputs-unnormalised": (standardised,),
    "normalised-twice": (standardised,),
    "preprocessing-leak": (off_centre,),
    "signal-scale": (weight_scales, signal_sizes),
    "starting-loss": (first_guess,),
    "dead-units": (at_rest, dead),
    "saturated-units": (at_rest, saturated),
    "vanishing-gradient": (gradients, faded),
}
