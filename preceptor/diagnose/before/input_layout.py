"""The inputs have the wrong type or their axes in the wrong order (5). Certain.

    error     the net cannot take the probe at all
    integers  an integer type, and half of the columns go below 0, or a quarter below -1: neither tokens nor
              categories (of which -1 says "missing"), but amounts that were cut off at the point
    pictures  (N, H, W, C) given to a convolution: the last axis is 1, 3 or 4 long, the second is not
    series    (to nets that do not convolve) a single step of many features that neighbour each other, given
              to a recurrent layer; or (N, F, T) given for (N, T, F): neighbours along the second axis have
              nothing in common (correlation < 0.2), those along the third nearly everything (> 0.8)

Source: UMLAUT ("non-float", "image shape").
"""

import torch
from torch import Tensor, nn

from preceptor.diagnose.case import Case
from preceptor.diagnose.check import undisturbed
from preceptor.finding import Finding

CHANNELS, ALIKE, STRANGE, BELOW = (1, 3, 4), 0.8, 0.2, ((0, 0.5), (-1, 0.25))


def input_layout(case: Case) -> Finding | None:
    """Axes or types that the net was not built for."""
    try:
        with undisturbed(), torch.no_grad():
            case.loss_of(case.answer(case.reflect(first=True), case.probe), case.probe.goal)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        said = str(error).splitlines()[0][:200]
        return _finding(case, "error", f"The net or the loss cannot take the probe: {said}.")
    if cut := [place for place, one in enumerate(case.train.inputs) if _cut_off(one)]:
        seen = f"Input {cut[0]} holds whole numbers on both sides of zero: amounts cast to an integer type."
        return _finding(case, "warning", seen)
    x = case.probe.inputs[0]
    first = next((step for step in case.trace.weighted if "convolution" in step.op), None)
    seen = ""
    if x.ndim == 4 and first is not None and first.given.shape == x.shape:
        seen = _pictures(x)
    if x.ndim == 3 and x.is_floating_point() and first is None:
        seen = _series(case, x)
    return _finding(case, "warning", seen) if seen else None


def _cut_off(x: Tensor) -> bool:
    """Whether integers are what is left of amounts."""
    if x.is_floating_point() or x.ndim < 2:
        return False
    lowest = x.reshape(len(x), -1).amin(0)
    return any(float((lowest < value).double().mean()) > share for value, share in BELOW)


def _pictures(x: Tensor) -> str:
    if x.shape[1] in CHANNELS or not {x.shape[2], x.shape[3]} & set(CHANNELS):
        return ""
    place = "last" if x.shape[3] in CHANNELS else "third"
    return f"Pictures of shape {tuple(x.shape)} have their channels {place}; torch wants them second."


def _series(case: Case, x: Tensor) -> str:
    if x.shape[1] == 1 and x.shape[2] > 4 and _recurrent(case) and _neighbours(x, 2) > ALIKE:
        return f"The recurrent layer is given one step of {x.shape[2]} features: time runs along them."
    if min(x.shape[1:]) < 3:
        return ""
    along, across = _neighbours(x, 1), _neighbours(x, 2)
    if along > STRANGE or across < ALIKE:
        return ""
    return (
        f"Neighbours along axis 1 of {tuple(x.shape)} correlate by {along:.2f}, those along axis 2 by"
        f" {across:.2f}: time seems to run along the last axis."
    )


def _recurrent(case: Case) -> bool:
    return any(isinstance(module, nn.RNNBase) for module in case.net.modules())


def _neighbours(x: Tensor, axis: int) -> float:
    """The correlation of neighbours along an axis, each place standardised over rows."""
    z = (x - x.mean(0)) / x.std(0).clamp(min=1e-9)
    first, second = z.narrow(axis, 0, x.shape[axis] - 1), z.narrow(axis, 1, x.shape[axis] - 1)
    return float((first * second).mean())


def _finding(case: Case, severity: str, seen: str) -> Finding:
    return Finding(
        "input-layout",
        "error" if severity == "error" else "warning",
        seen + " What the net reads is not what was meant.",
        evidence={"seen": seen, "shape": list(case.probe.inputs[0].shape)},
        remedy="Give floats in the order the first layer wants: x = x.float().permute(0, 3, 1, 2) for"
        " pictures, x.transpose(1, 2) for series; classes as int64.",
    )
