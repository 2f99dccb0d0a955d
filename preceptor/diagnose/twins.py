"""Rows that are alike: what duplicates, leaks and conflicting answers are found by.

Rows are compared by their bytes. Where rows can take few values, chance alone makes twins; `telling` says
whether a row holds so many bits that chance does not.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from preceptor.diagnose.case import Rows

BITS, COMPARED = 30.0, 20_000


def keys(tensors: Sequence[Tensor]) -> list[bytes]:
    """Each row of some tensors as bytes, equal when all its values are."""
    parts = [np.ascontiguousarray(x.detach().cpu().reshape(len(x), -1).numpy()) for x in tensors]
    wide = np.concatenate([part.view(np.uint8).reshape(len(part), -1) for part in parts], axis=1)
    return [row.tobytes() for row in wide]


def telling(rows: Rows) -> bool:
    """Whether inputs hold so many bits that equal rows are the same row, not a coincidence.

    The columns' entropies are summed, over rows that are distinct.
    """
    few = rows.few(512)
    first = {key: place for place, key in enumerate(keys(few.inputs))}
    few = few.take(torch.tensor(sorted(first.values())))
    bits = 0.0
    for x in few.inputs:
        for column in x.detach().cpu().reshape(len(x), -1).numpy().T[:64]:
            shares = np.unique(column, return_counts=True)[1] / len(column)
            bits += float(-(shares * np.log2(shares)).sum())
    return bits > min(BITS, 0.6 * math.log2(max(len(few.goal), 2)) * _width(few))


def _width(rows: Rows) -> int:
    return sum(x[:1].numel() for x in rows.inputs)
