"""Equal rows with different answers (10).

    share of training rows whose input occurs with another answer too > 2 %, of rows too long to be alike by
    chance; amounts differ when they lie half of all amounts' deviation apart: what is measured twice differs
    a little

No net can be right about both. Certain. Source: Deepchecks, "conflicting labels".
"""

from collections import defaultdict

import numpy as np

from preceptor.diagnose.case import Case, labels_of
from preceptor.diagnose.twins import compared, input_keys, telling
from preceptor.finding import Finding

SHARE, APART, FEWEST = 0.02, 0.5, 20


def conflicting_labels(case: Case) -> Finding | None:
    """Rows that contradict each other."""
    rows = compared(case.train)
    if rows.number < FEWEST:
        return None
    alike: dict[bytes, list[int]] = defaultdict(list)
    for place, key in enumerate(input_keys(case)):
        alike[key].append(place)
    goal = rows.goal.detach().cpu().reshape(rows.number, -1).double().numpy()
    apart = 0.0 if labels_of(case.train) is not None else APART * goal.std(0)
    torn = sorted(place for same in alike.values() if _differ(goal, same, apart) for place in same)
    if len(torn) <= SHARE * rows.number or not telling(case):
        return None
    return Finding(
        "conflicting-labels",
        "warning",
        f"{len(torn)} of {rows.number} training rows ({len(torn) / rows.number:.0%}) have the same input as"
        f" another row and a different answer, such as row {torn[0]}. No net can be right about both.",
        evidence={"rows": len(torn), "of": rows.number, "first": torn[:20]},
        remedy="See which answer is right, and keep one of each.",
    )


def _differ(goal: np.ndarray, places: list[int], apart: np.ndarray | float) -> bool:
    """Whether the answers in these places lie further apart than that, in any column."""
    return len(places) > 1 and bool((np.ptp(goal[places], axis=0) > apart).any())
