"""The net cannot learn a handful of rows by heart (19).

    symptom   L, after at most 200 steps on at most 32 rows > 20 % of the best constant's
    harm      > 50 % of it

A net that cannot has a fault in its wiring, its loss or its labels, or is far too small: no amount of data or
tuning helps before that is mended. Where a layer of a few units explains it, that is named (31); a net
that is to give back its own input is narrow on purpose, and one whose body is kept still on purpose can only
learn what that body tells apart. Source: Karpathy (2019), "overfit one batch"; CS231n.
"""

import math

import torch
from torch import nn

from preceptor.diagnose.case import Case
from preceptor.diagnose.rehearsal import LEARNT, Rehearsal
from preceptor.diagnose.trace import by_unit
from preceptor.finding import Finding

HALF, NARROW = 0.5, 5


def one_batch(case: Case) -> Finding | None:
    """A net that fails at its easiest exercise."""
    rehearsal = case.rehearsal
    if rehearsal.share <= LEARNT:
        return None
    held_back = bool(case.frozen) or _returns_input(rehearsal)
    narrow, severe = _narrowest(case), rehearsal.share > HALF and not held_back
    if severe and narrow:
        return _too_narrow(case, *narrow)
    steps, rows = len(rehearsal.losses) - 1, len(rehearsal.goal)
    losses = {"first": rehearsal.losses[0], "last": rehearsal.losses[-1], "share": rehearsal.share}
    told = {name: value if math.isfinite(value) else str(value) for name, value in losses.items()}
    return Finding(
        "one-batch",
        "warning" if severe else "note",
        f"After {steps} steps on {rows} rows alone the loss is still {rehearsal.share:.0%} of the dumb"
        " predictor's. What cannot be learnt by heart cannot be understood either.",
        evidence={"rows": rows, "steps": steps, **told, "losses": _thinned(rehearsal.losses)},
        remedy="Look at the wiring, the loss, and whether answers belong to rows; then widen the net.",
    )


def _thinned(losses: list[float]) -> list[float | None]:
    """A hundred of them at most, evenly."""
    few = losses[:: max(1, len(losses) // 100)][:100]
    return [loss if math.isfinite(loss) else None for loss in few]


def _too_narrow(case: Case, layer: str, width: int) -> Finding:
    rehearsal = case.rehearsal
    return Finding(
        "underfitting",
        "warning",
        f"All that layer {layer!r} passes on are {width} numbers a row, and on {len(rehearsal.goal)}"
        f" rows alone the loss stays at {rehearsal.share:.0%} of the constant answer's. The net is too narrow"
        " for its own exercises.",
        layer=layer,
        evidence={"width": width, "share": rehearsal.share, "widths": _widths(case)},
        remedy="Make the layer wider: 32 units and more.",
    )


def _widths(case: Case) -> dict[str, int]:
    """How many numbers a row each layer passes on."""
    return {step.layer: by_unit(step.made).shape[1] for step in case.trace.weighted}


def _narrowest(case: Case) -> tuple[str, int] | None:
    """The hidden layer that passes on the least: at most 5 numbers, and fewer than it is given."""
    hidden = [step for step in case.trace.weighted if not step.recurrent][:-1]
    found = [(step.layer, by_unit(step.made).shape[1], by_unit(step.given).shape[1]) for step in hidden]
    found += [
        (name, module.hidden_size, NARROW + 1)
        for name, module in case.mirror.named_modules()
        if isinstance(module, nn.RNNBase | nn.RNNCellBase)
    ]
    tight = [(layer, width) for layer, width, given in found if width <= NARROW and width < given]
    return min(tight, key=lambda pair: pair[1], default=None)


def _returns_input(rehearsal: Rehearsal) -> bool:
    """Whether the answers are the inputs themselves, as an autoencoder's are."""
    return any(
        x.numel() == rehearsal.goal.numel() and torch.equal(x.flatten(), rehearsal.goal.flatten())
        for x in rehearsal.inputs
    )
