"""Rows that are alike: what duplicates, leaks and conflicting answers are found by.

Rows are compared by a digest of their bytes. Where rows can take few values, chance alone makes twins;
`telling` says whether a row holds so many bits that chance does not.
"""

import math
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import torch
from torch import Tensor

from preceptor.diagnose.case import Case, Rows

BITS, COMPARED, VALUES, COLUMNS = 30.0, 20_000, 20_000_000, 64


def keys(tensors: Sequence[Tensor]) -> list[bytes]:
    """A digest of each row of some tensors, equal when all its values are."""
    parts = [np.ascontiguousarray(x.detach().cpu().reshape(len(x), -1).numpy()) for x in tensors]
    return [
        blake2b(b"".join(part.tobytes() for part in row), digest_size=16).digest()
        for row in zip(*parts, strict=True)
    ]


def compared(rows: Rows) -> Rows:
    """The first rows, as many as are compared: 20,000 at most, and 20 million values."""
    return rows.take(slice(min(COMPARED, max(1, VALUES // max(_width(rows), 1)))))


def input_keys(case: Case) -> list[bytes]:
    """The digests of the compared training rows' inputs."""
    found: list[bytes] = case.once("input keys", lambda: keys(compared(case.train).inputs))
    return found


def telling(case: Case) -> bool:
    """Whether inputs hold so many bits that equal rows are the same row, not a coincidence.

    The columns' entropies are summed, over rows that are distinct; of wide rows, columns drawn evenly.
    """
    return bool(case.once("telling", lambda: _telling(case.train.few(512))))


def _telling(few: Rows) -> bool:
    first = {key: place for place, key in enumerate(keys(few.inputs))}
    few = few.take(torch.tensor(sorted(first.values())))
    bits = 0.0
    for x in few.inputs:
        columns = x.detach().cpu().reshape(len(x), -1).numpy().T
        for column in columns[:: max(1, len(columns) // COLUMNS)]:
            shares = np.unique(column, return_counts=True)[1] / len(column)
            bits += float(-(shares * np.log2(shares)).sum())
    return bits > min(BITS, 0.6 * math.log2(max(len(few.goal), 2)) * _width(few))


def _width(rows: Rows) -> int:
    return sum(x[:1].numel() for x in rows.inputs)
