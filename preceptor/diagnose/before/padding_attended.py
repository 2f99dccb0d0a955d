"""Padding is read as if it were text (46). Certain.

    symptom   tokens end in a run of one number, which stands nowhere else, in a tenth of the places and more;
              taking these places away changes a row's answer by more than 5 % of what rows differ by

An answer must not depend on how long the longest row of its batch was. Source: DEFault++ (attention mask).
"""

import torch

from preceptor.diagnose.case import Case, Rows
from preceptor.diagnose.check import undisturbed
from preceptor.finding import Finding

SHARE, CHANGE, ASKED, FEWEST = 0.1, 0.05, 12, 3


def padding_attended(case: Case) -> Finding | None:
    """Answers that change with the length of the padding."""
    x = case.probe.inputs[0]
    if x.ndim != 2 or x.is_floating_point() or len(case.probe.inputs) != 1 or case.probe.goal.ndim > 2:
        return None
    padding, lengths = _padded(x)
    if padding is None or float((x.shape[1] - lengths).float().mean()) < SHARE * x.shape[1]:
        return None
    asked = [row for row in range(len(x)) if FEWEST <= lengths[row] <= 0.8 * x.shape[1]][:ASKED]
    if len(asked) < FEWEST:
        return None
    change = _change(case, case.probe, asked, lengths)
    if not change > CHANGE:
        return None
    return Finding(
        "padding-attended",
        "warning",
        f"Taking away the padding (number {padding}) changes answers by {change:.0%} of what rows differ by."
        " The net reads padding as text, so that an answer depends on how long other rows of the batch are.",
        evidence={"padding": padding, "share": float((x == padding).float().mean()), "change": change},
        remedy="Mask it: src_key_padding_mask=(x == pad) for attention, pack_padded_sequence for recurrent"
        " layers, a masked mean for pooling.",
    )


def _padded(x: torch.Tensor) -> tuple[int | None, torch.Tensor]:
    """The number that rows are filled up with, and each row's length without it."""
    ends, counts = torch.unique(x[:, -1], return_counts=True)
    padding = int(ends[counts.argmax()])
    filled = (x != padding).int().flip(1).cumsum(1).flip(1)  # zero where only padding follows
    lengths = (filled > 0).sum(1)
    within = (x == padding) & (torch.arange(x.shape[1], device=x.device) < lengths[:, None])
    once = int(counts.max()) > 0.3 * len(x) and not bool(within.any())
    return (padding if once else None), lengths


def _change(case: Case, rows: Rows, asked: list[int], lengths: torch.Tensor) -> float:
    """The median change of an answer without padding, by the spread of answers over rows."""
    net, x = case.reflect(first=True), rows.inputs[0]
    with undisturbed(), torch.no_grad():
        full = net(x)
        spread = float(full.std(0).mean().clamp(min=1e-12))
        try:
            short = [net(x[[row], : int(lengths[row])]) for row in asked]
        except (RuntimeError, IndexError):  # a net for one length only
            return 0.0
    if short[0].shape[1:] != full.shape[1:]:
        return 0.0
    moved = [float((one[0] - full[row]).abs().mean()) / spread for one, row in zip(short, asked, strict=True)]
    return float(torch.tensor(moved).median())
