"""Layers with nothing curved between them (18). Certain.

    none       two or more products with weights, no activation anywhere, and, for a table of numbers,
               f((a + b) / 2) = (f(a) + f(b)) / 2 for all rows a, b asked: the net is a straight line
    adjacent   a dense layer's output is the next one's input, and no other's, nor passes by it (a residual
               connection), and it is no narrower than both sides: the two are one layer, and even in shape
               they save nothing

Depth without curves is one linear layer in disguise. Narrower middles are low-rank factors, and meant.
Source: UMLAUT; NeuraLint.
"""

from torch import Tensor, nn

from preceptor.diagnose.case import Case
from preceptor.diagnose.trace import CURVED, RECURRENT, Applied
from preceptor.finding import Finding

DENSE, EXACT = ("addmm", "mm", "linear", "mkldnn_linear"), 1e-4


def nonlinearity_missing(case: Case) -> Finding | None:
    """A linear net with hidden layers, or one such pair in it."""
    layers = [step for step in case.trace.weighted if not step.recurrent]
    recurrent = any(isinstance(module, RECURRENT) for module in case.net.modules())
    curved = recurrent or any(step.op in CURVED for step in case.trace.steps)
    pair, straight = _adjacent(case), len(layers) > 1 and not curved and _affine(case)
    if pair is None and not straight:
        return None
    first, second = pair or (layers[0].layer, layers[1].layer)
    return Finding(
        "nonlinearity-missing",
        "warning",
        f"Between {first!r} and {second!r} there is no activation"
        + (", nor is there any in the net" if straight else "")
        + ". Two linear layers in a row are one, so the net can draw nothing but straight lines there.",
        layer=second,
        evidence={
            "layers": [step.layer for step in layers][:50],
            "none_at_all": straight,
            "chain": [step.layer or step.op for step in case.trace.steps][:40],
        },
        remedy=f"Put an activation between them: nn.ReLU() after {first!r}.",
    )


def _affine(case: Case) -> bool:
    """Whether the net draws straight lines between rows; without numbers to go between, taken for granted."""
    rehearsal = case.rehearsal
    convolves = any("convolution" in step.op for step in case.trace.steps)  # and pools at will
    if convolves or not any(x.is_floating_point() for x in rehearsal.inputs):
        return True

    def numbers(change: float) -> Tensor:
        return rehearsal.answer(
            [x + change * (x.roll(1, 0) - x) if x.is_floating_point() else x for x in rehearsal.inputs]
        )

    ends, between = numbers(0.0) + numbers(1.0), 2 * numbers(0.5)
    return float((ends - between).abs().max()) <= EXACT * float(ends.abs().max())


def _adjacent(case: Case) -> tuple[str, str] | None:
    """The first pair of dense layers that follow each other directly and are not narrow in the middle."""
    steps = case.trace.steps
    dense = [place for place, step in enumerate(steps) if step.op in DENSE and not step.recurrent]
    for place in dense:
        first = steps[place]
        after = {
            steps[later].layer: steps[later]
            for later in dense
            if later > place and _reads(steps[later], first)
        }
        bent = any(
            step.op in CURVED and step.made.data_ptr() == first.made.data_ptr() for step in steps[place:]
        )
        passes_by = first.made.data_ptr() in case.trace.joined
        if len(after) != 1 or bent or passes_by or first.layer in after:
            continue
        (second,) = after.values()
        attends = isinstance(case.net.get_submodule(second.layer), nn.MultiheadAttention)
        if not attends and first.made.shape[-1] >= min(first.given.shape[-1], second.made.shape[-1]):
            return first.layer, second.layer
    return None


def _reads(second: Applied, first: Applied) -> bool:
    """Whether a layer is given what lies where another one put it: activations in place leave it there."""
    return second.weight is not None and second.given.data_ptr() == first.made.data_ptr()
