"""Gradients that fade on their way to the first layer (26).

    symptom   the first weight layer's gradient, per weight's size, is < 1e-4 of the last one's
    harm      the net cannot learn a handful of rows by heart: loss > 0.5 of the constant answer's

Source: AutoTrainer (the ratio, there 1e-3 and without harm); Glorot & Bengio (2010).
"""

from collections.abc import Mapping
from typing import Any

from preceptor.diagnose.case import Case
from preceptor.diagnose.look import first_look
from preceptor.finding import Finding

FADED, POOR, FEWEST = 1e-4, 0.5, 3


def vanishing_gradient(case: Case) -> Finding | None:
    """First layers that the error hardly reaches."""
    layers = slopes(case, first_look(case).fresh)
    ratio = faded(case, first_look(case).fresh)
    if ratio is None or not 0 < ratio[1] < FADED or case.rehearsal.share <= POOR:
        return None
    return vanishing(ratio, 0, {"learnt_by_heart": case.rehearsal.share, "layers": layers})


def vanishing(ratio: tuple[str, float], step: int, harm: Mapping[str, Any]) -> Finding:
    """The finding, at whatever step."""
    return Finding(
        "vanishing-gradient",
        "warning",
        f"At step {step} the gradient of {ratio[0]!r} is {ratio[1]:.1e} of the last layer's. The error fades"
        " on its way back, so that the first layers stay as they were drawn.",
        layer=ratio[0],
        evidence={"step": step, "ratio": ratio[1], **harm},
        remedy="Take ReLU in place of sigmoid or tanh, residual connections, or a normalisation between"
        " layers.",
    )


def slopes(case: Case, gradients: dict[str, float]) -> dict[str, float]:
    """Each weight matrix's gradient norm per root of its size, in the net's order."""
    return {
        name: gradients[name] / p.numel() ** 0.5
        for name, p in case.net.named_parameters()
        if p.ndim > 1 and gradients.get(name) is not None
    }


def faded(case: Case, gradients: dict[str, float]) -> tuple[str, float] | None:
    """The first weight layer that learns, and its gradient over the last one's, each per root of its size."""
    sizes = slopes(case, gradients)
    if len(sizes) < FEWEST:
        return None
    first, last = next(iter(sizes)), list(sizes)[-1]
    return (first, sizes[first] / sizes[last]) if sizes[last] > 0 else None
