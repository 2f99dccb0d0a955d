"""Validation rows that are training rows too (8).

    the same   share of validation rows whose input stands among the training rows > 2 %, and > 1.5 times the
               share of training rows that have a twin there, by more than two and 3 standard errors: more
               than the data's own repetitions explain
    between    share of validation rows that are windows one place after a training row and one place before
               another > 20 %: windows that overlap were shuffled before they were split
    near       share of validation rows of numbers, none of the same, whose nearest training row is ten times
               nearer than the fifth > 10 %, and > 3 times what D dimensions make by chance, 1 - (1 - 10⁻ᴰ)⁴:
               copies that were shaken a little before the split. D by the distances' growth from the fifth
               to the twentieth neighbour, ln(d₂₀ / d₅) ≈ 1.46 / D

Every score on such rows measures memory. Certain. Source: Deepchecks (there 5 % and a warning); cleanlab
(near duplicates); the dimension after Levina & Bickel (2004).
"""

from collections import Counter

import torch
from torch import Tensor

from preceptor.diagnose.case import Case, Rows
from preceptor.diagnose.rival import features
from preceptor.diagnose.twins import compared, input_keys, keys, telling
from preceptor.finding import Finding

SHARE, NATURAL, FEWEST, TWO, ERRORS = 0.02, 1.5, 20, 2, 3.0
BETWEEN, LONG = 0.2, 4
NEAR, TENTH, CHANCE, TWENTY, GROWTH, ASKED, AMONG = 0.1, 0.1, 3.0, 20, 1.464, 400, 5_000


def row_leak(case: Case) -> Finding | None:
    """More rows on both sides of the split than come about by themselves."""
    if case.validation is None or case.train.number < FEWEST:
        return None
    rows = compared(case.validation)
    held, counts = keys(rows.inputs), Counter(input_keys(case))
    same = sum(key in counts for key in held)
    twins = sum(count for count in counts.values() if count > 1) / counts.total()
    expected = NATURAL * twins * len(held)
    if same > max(SHARE * len(held), expected + TWO + ERRORS * expected**0.5):
        return _finding(same, len(held), "stand among the training rows too", twins)
    between = _between(compared(case.train).numbers, rows.numbers) if telling(case) else 0
    if between > BETWEEN * len(held):
        where = "are windows that overlap with the training windows just before and just after them"
        return _finding(between, len(held), where, twins)
    new = torch.tensor([place for place, key in enumerate(held) if key not in counts][:ASKED])
    numbers = all(x.is_floating_point() for x in rows.inputs)
    if numbers and len(new) >= FEWEST and (near := _near(case.train.few(AMONG), rows.take(new))):
        return _finding(near, len(new), "are all but copies of training rows", twins)
    return None


def _finding(both: int, held: int, where: str, twins: float) -> Finding:
    return Finding(
        "row-leak",
        "warning",
        f"{both} of {held} validation rows ({both / held:.0%}) {where}."
        " The score on them measures memory, so that the net will do worse on rows that are really new.",
        evidence={"both": both, "validation": held, "twins_in_training": twins},
        remedy="Remove them from one side, or split by the group that the rows belong to (GroupShuffleSplit):"
        " copies stay with their rows, windows are cut at one moment.",
    )


def _between(x: Tensor, held: Tensor) -> int:
    """How many rows held out are the window after one training row and the window before another."""
    if x.ndim not in (2, 3) or x.shape[1:] != held.shape[1:]:
        return 0
    return max(_along(x, held, axis) for axis in range(1, x.ndim))


def _along(x: Tensor, held: Tensor, axis: int) -> int:
    """The same, if time runs along this axis."""
    length = x.shape[axis] - 1
    if length < LONG:
        return 0
    ends, beginnings = set(keys([x.narrow(axis, 1, length)])), set(keys([x.narrow(axis, 0, length)]))
    before, after = keys([held.narrow(axis, 0, length)]), keys([held.narrow(axis, 1, length)])
    return sum(one in ends and other in beginnings for one, other in zip(before, after, strict=True))


def _near(rows: Rows, new: Rows) -> int:
    """How many new rows are all but copies; 0 where chance explains them."""
    if rows.number < TWENTY:
        return 0
    x, other = (torch.from_numpy(one) for one in (features(rows), features(new, rows)))
    spread = x.std(0)
    x, other = ((one / spread.clamp(min=1e-9))[:, spread > 0].float() for one in (x, other))
    nearest = torch.cdist(other, x).topk(TWENTY, largest=False).values.clamp(min=1e-12)
    first, fifth, twentieth = (nearest[:, place] for place in (0, 4, TWENTY - 1))
    near = int((first < TENTH * fifth).sum())
    dimensions = GROWTH / float((twentieth / fifth).log().median().clamp(min=1e-3))
    chance = 1 - (1 - TENTH**dimensions) ** 4
    return near if near > max(NEAR, CHANCE * chance) * new.number else 0
