"""Which examples that the net has learnt from are most like a new one, in the net's own eyes.

    rows, alike = most_alike(net, few, learnt, 4)        # (B, 4) rows of `learnt`, and how alike (B, 4)

Alike is the cosine between what the encoders say of two rows (their features): 1 is the same direction.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from preceptor.data.table import Table
from preceptor.explain.purse import Purse
from preceptor.explain.subject import Subject
from preceptor.net import Net
from preceptor.problem import Inputs

Array = np.ndarray
ALIKE, COMPARED, TRIED = 4, 4_000, 64
"""How many are shown, out of how many at most, and on how many the time that it takes is measured."""


def most_alike(net: Net, few: Inputs, learnt: Inputs, most: int) -> tuple[Array, Array]:
    """For each of `few` the rows of `learnt` nearest to it, the nearest first, and their cosines."""
    ours, theirs = (functional.normalize(net.features(inputs), dim=1) for inputs in (few, learnt))
    alike, rows = torch.topk(ours @ theirs.T, min(most, len(theirs)), dim=1)
    return rows.numpy(), alike.numpy()


def nearest_learnt(
    subject: Subject, rows: Array, purse: Purse, shown: Callable[[Table, Array], list[Any]]
) -> list[list[dict[str, Any]]]:
    """For each examined row the learnt rows most like it: {truth, alike, and what `shown` makes of it}.

    Empty without a net that reads pictures, words or series, and where there is no time to compare.
    """
    net, learnt = subject.net, subject.learnt
    if net is None or not subject.problem.further or not len(rows):
        return []

    def once() -> int:
        few = learnt.take(np.arange(min(TRIED, len(learnt))))
        return len(net.features(subject.problem.encode(few)))

    many = purse.rows("comparisons", min(COMPARED, len(learnt)), 0.8, once)
    if many < ALIKE:
        return []
    some = learnt.take(np.linspace(0, len(learnt) - 1, many).astype(np.int64))
    near, alike = most_alike(net, subject.encoded(rows), subject.problem.encode(some), ALIKE)
    truths = some.frame[subject.target.column].cast(str)
    return [
        [{"truth": truths[int(row)], "alike": float(cosine), "shown": one}
         for row, cosine, one in zip(own, likeness, shown(some, own), strict=True)]
        for own, likeness in zip(near, alike, strict=True)
    ]  # fmt: skip
