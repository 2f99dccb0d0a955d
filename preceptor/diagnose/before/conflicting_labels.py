"""Equal rows with different answers (10).

    share of training rows whose input occurs with another answer too > 2 %, of rows too long to be alike by
    chance

No net can be right about both. Certain. Source: Deepchecks, "conflicting labels".
"""

from preceptor.diagnose.case import Case
from preceptor.diagnose.twins import COMPARED, keys, telling
from preceptor.finding import Finding

SHARE = 0.02


def conflicting_labels(case: Case) -> Finding | None:
    """Rows that contradict each other."""
    rows = case.train.take(slice(COMPARED))
    if rows.number < 20:
        return None
    answers: dict[bytes, set[bytes]] = {}
    inputs = keys(rows.inputs)
    for key, answer in zip(inputs, keys([rows.goal]), strict=True):
        answers.setdefault(key, set()).add(answer)
    torn = [place for place, key in enumerate(inputs) if len(answers[key]) > 1]
    if len(torn) <= SHARE * rows.number or not telling(rows):
        return None
    return Finding(
        "conflicting-labels",
        "warning",
        f"{len(torn)} of {rows.number} training rows ({len(torn) / rows.number:.0%}) have the same input as"
        f" another row and a different answer, such as row {torn[0]}. No net can be right about both.",
        evidence={"rows": len(torn), "of": rows.number, "first": torn[:20]},
        remedy="See which answer is right, and keep one of each.",
    )
