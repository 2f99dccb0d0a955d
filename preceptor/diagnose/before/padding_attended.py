"""Padding is read as if it were text (46). Certain.

    symptom   tokens end in a run of one number, which stands nowhere else, in a tenth of the places and more;
              taking these places away changes a row's answer by more than 5 % of what rows differ by; or, in
              a net for rows of one length only, another vector in the padding's place does

An answer must not depend on how long the longest row of its batch was, nor on what stands for nothing.
Source: DEFault++ (attention mask).
"""

import torch
from torch import nn

from preceptor.diagnose.case import Case
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
    change, how = _shortened(case, asked, lengths), "Taking away the padding"
    if change is None:
        change, how = _replaced(case, asked, padding), "Another vector for the padding"
    if not change > CHANGE:
        return None
    return Finding(
        "padding-attended",
        "warning",
        f"{how} (number {padding}) changes answers by {change:.0%} of what rows differ by."
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


def _shortened(case: Case, asked: list[int], lengths: torch.Tensor) -> float | None:
    """The change of answers without padding; None where the net takes rows of one length only."""
    net, x = case.reflect(first=True), case.probe.inputs[0]
    with undisturbed(), torch.no_grad():
        try:
            short = [net(x[[row], : int(lengths[row])])[0] for row in asked]
        except (RuntimeError, IndexError):
            return None
        full = net(x)
    if short[0].shape != full.shape[1:]:
        return 0.0
    return _moved(torch.stack(short), full[asked], full)


def _replaced(case: Case, asked: list[int], padding: int) -> float:
    """The change of answers when embeddings hold another vector for the padding."""
    net, x = case.reflect(first=True), case.probe.inputs[0]
    with undisturbed(), torch.no_grad():
        full = net(x)
        for module in net.modules():
            if isinstance(module, nn.Embedding) and module.num_embeddings > max(padding, int(x.max())):
                module.weight[padding] = module.weight[-1 - padding].flip(0)  # nobody's vector
        return _moved(net(x[asked]), full[asked], full)


def _moved(told: torch.Tensor, before: torch.Tensor, full: torch.Tensor) -> float:
    """The median change of an answer, by the spread of answers over rows."""
    spread = float(full.std(0).mean().clamp(min=1e-12))
    return float((told - before).abs().reshape(len(told), -1).mean(1).median()) / spread
