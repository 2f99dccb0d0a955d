"""Validation rows that are training rows too (8).

    share of validation rows whose input stands among the training rows > 2 %, and > 1.5 times the share of
    training rows that have a twin there, and more than two: more than the data's own repetitions explain

Every score on such rows measures memory. Certain. Source: Deepchecks (there 5 % and a warning).
"""

from collections import Counter

from preceptor.diagnose.case import Case
from preceptor.diagnose.twins import compared, input_keys, keys, telling
from preceptor.finding import Finding

SHARE, NATURAL, FEWEST, TWO = 0.02, 1.5, 20, 2


def row_leak(case: Case) -> Finding | None:
    """More rows on both sides of the split than come about by themselves."""
    if case.validation is None or case.train.number < FEWEST or not telling(case):
        return None
    counts, held = Counter(input_keys(case)), keys(compared(case.validation).inputs)
    both = sum(key in counts for key in held)
    twins = sum(count for count in counts.values() if count > 1) / counts.total()
    if both <= TWO or both / len(held) <= max(SHARE, NATURAL * twins):
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
