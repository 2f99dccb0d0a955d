"""Inputs as they came, on scales of their own (1), or scaled down twice (2).

    symptom   rms of all inputs that are not 0 > 12, or the largest column's > 30 times the median one's
              (unnormalised); or < 0.05 (normalised twice)
    harm      the first loss is half as high again, or hidden units saturate, by that alone; or the same net
              with the inputs standardised first comes lower in 60 steps, by a tenth of the dumb loss and
              more, with the loop's own optimiser or with a slower or faster one

Not "outside [-1, 1]": pixels from 0 to 1 and standardised values of 5 are healthy, and a net that begins with
a normalisation takes any scale, which the trial shows. Zeros are left out, since word counts and one-hot
columns are mostly that. Source: TheDeepChecker; CS231n; UMLAUT.
"""

from typing import Any

import torch
from torch import Tensor, nn

from preceptor.diagnose.case import Case, Rows
from preceptor.diagnose.check import undisturbed
from preceptor.diagnose.look import first_look
from preceptor.diagnose.trial import trial, tried
from preceptor.finding import Finding

LARGE, UNEVEN, TINY, GAIN, BAD, HALF = 12.0, 30.0, 0.05, 0.1, 1.5, 0.5


class Standardised(nn.Module):
    """The net with its inputs of numbers standardised, by column where rows are a table."""

    def __init__(self, net: nn.Module, rows: Rows):
        super().__init__()
        self.net = net
        self.scales = [_scale(x) if x.is_floating_point() and x.ndim > 1 else None for x in rows.inputs]

    def forward(self, *given: Tensor) -> Tensor:
        """The net's output."""
        scaled = [
            x if scale is None else (x - scale[0]) / scale[1]
            for x, scale in zip(given, self.scales, strict=True)
        ]
        output: Tensor = self.net(*scaled)
        return output


def _scale(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation, by column where rows are a table."""
    over = (0,) if x.ndim == 2 else tuple(range(x.ndim))
    spread = x.std(over, keepdim=True)
    return x.mean(over, keepdim=True), torch.where(spread > 1e-12, spread, 1.0)


def inputs_unnormalised(case: Case) -> Finding | None:
    """Inputs whose scale keeps the net from learning."""
    rows = case.train.few(2_000)
    x = rows.numbers
    if not x.is_floating_point() or x.ndim < 2:
        return None
    size = float(_sizes(x.reshape(-1, 1)))
    uneven = _uneven(x)
    large = size > LARGE or uneven > UNEVEN
    if (not large and size >= TINY) or size == 0:
        return None
    raw, even = tried(case).train, trial(case, edit=lambda net: Standardised(net, rows)).train
    if not (raw - even) > GAIN and not (large and _startled(case, rows)):
        return None
    evidence = {
        "sizes": _told_sizes(x),
        "rms": size,
        "uneven": uneven,
        "loss_as_is": min(raw, 1e9),
        "loss_standardised": min(even, 1e9),
    }
    return _large(evidence) if large else _tiny(evidence)


def _large(evidence: dict[str, Any]) -> Finding:
    times = evidence["uneven"]
    size, wide = evidence["rms"], f", the widest column {times:.0f} times the usual one"
    return Finding(
        "inputs-unnormalised",
        "warning",
        f"The inputs' size is {size:.3g} (rms){wide if times > UNEVEN / 2 else ''}. The first layer's"
        " gradients grow with them, so that no learning rate suits it and the others." + _shown(evidence),
        evidence=evidence,
        remedy="Standardise by training rows: x = (x - x_train.mean(0)) / x_train.std(0); pixels: x / 255.",
    )


def _tiny(evidence: dict[str, Any]) -> Finding:
    return Finding(
        "normalised-twice",
        "warning",
        f"The inputs' size is only {evidence['rms']:.2g} (rms), as if they had been scaled down twice. The"
        " net"
        " hardly hears them beside its biases." + _shown(evidence),
        evidence=evidence,
        remedy="Scale once: look for x / 255 in the transform and again in the loop.",
    )


def _told_sizes(x: Tensor) -> list[float]:
    """The columns' sizes in order, sixty at most; none for what is no table."""
    return _sizes(x).sort().values[:: max(1, x.shape[1] // 60)][:60].tolist() if x.ndim == 2 else []


def _shown(evidence: dict[str, Any]) -> str:
    return (
        f" In 60 steps it gets to {_told(evidence['loss_as_is'])} of the constant answer's loss, with inputs"
        f" standardised to {_told(evidence['loss_standardised'])}."
    )


def _told(loss: float) -> str:
    return f"{loss:.2f}" if loss < 1e6 else "infinity"


def _uneven(x: Tensor) -> float:
    """The largest column's size over the median one's, columns that never change left out."""
    if x.ndim != 2:
        return 1.0
    sizes = _sizes(x[:, x.std(0) > 1e-9])
    return float(sizes.max() / sizes.median().clamp(min=1e-12)) if len(sizes) > 1 else 1.0


def _sizes(x: Tensor) -> Tensor:
    """The root mean square of each column's values that are not 0 (D,)."""
    squares = x.double().square()
    return (squares.sum(0) / (squares > 0).sum(0).clamp(min=1)).sqrt()


def _startled(case: Case, rows: Rows) -> bool:
    """Whether the scale alone makes a bad start: a first loss half as high with inputs standardised, or
    units at rest that then are not.
    """
    net = Standardised(case.reflect(first=True), rows)
    with undisturbed(), torch.no_grad():
        even = case.loss_of(net(*case.probe.inputs), case.probe.goal)
    first = first_look(case)
    at_rest = max((unit.saturated for unit in first.units), default=0.0)
    return first.train > BAD * max(even / case.dumb, 1.0) or at_rest > HALF
