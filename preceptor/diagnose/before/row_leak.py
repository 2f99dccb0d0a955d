"""Validation rows that are training rows too (8).

    share of validation rows whose input stands among the training rows > 2 %, and > 1.5 times the share of
    training rows that have a twin there: more than the data's own repetitions explain

Every score on such rows measures memory. Certain. Source: Deepchecks (there 5 % and a warning).
"""

from preceptor.diagnose.case import Case
from preceptor.diagnose.twins import COMPARED, keys, telling
from preceptor.finding import Finding

SHARE, NATURAL = 0.02, 1.5


def row_leak(case: Case) -> Finding | None:
    """More rows on both sides of the split than come about by themselves."""
    if case.validation is None or case.train.number < 20 or not telling(case.train):
        return None
    train = keys(case.train.take(slice(COMPARED)).inputs)
    held = keys(case.validation.take(slice(COMPARED)).inputs)
    counts: dict[bytes, int] = {}
    for key in train:
        counts[key] = counts.get(key, 0) + 1
    both = sum(key in counts for key in held)
    twins = sum(count for count in counts.values() if count > 1) / len(train)
    if both / len(held) <= max(SHARE, NATURAL * twins):
        return None
    return Finding(
        "row-leak",
        "warning",
        f"{both} of {len(held)} validation rows ({both / len(held):.0%}) stand among the training rows too."
        " The score on them measures memory, so that the net will do worse on rows that are really new.",
        evidence={"both": both, "validation": len(held), "twins_in_training": twins},
        remedy="Remove them from one side, or split by the group that the rows belong to"
        " (GroupShuffleSplit).",
    )
