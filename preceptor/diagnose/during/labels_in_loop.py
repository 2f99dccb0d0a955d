"""The loop gives rows the answers of other rows (37). Certain.

    of the first batches' rows that stand among the training rows, more than half have an answer that is
    another row's there, and not their own

Answers that are no training row's, as smoothed, mixed or shaken ones, say nothing. Source: TheDeepChecker,
"label misalignment".
"""

from preceptor.diagnose.case import Case
from preceptor.diagnose.twins import COMPARED, keys
from preceptor.finding import Finding

HALF, FEWEST = 0.5, 8


def labels_in_loop(case: Case) -> Finding | None:
    """Answers that came apart from their rows between data set and loop."""
    told = [batch for batch in case.record.batches if batch.inputs is not None]
    if case.given_train is None or not told or case.train.number > COMPARED:
        return None
    own, goal = case.train.goal, told[0].goal
    if goal.dtype != own.dtype or goal.shape[1:] != own.shape[1:]:
        return None
    wrong, found = case.once(f"answers {len(told)}", lambda: _counted(case))
    if found < FEWEST or wrong <= HALF * found:
        return None
    return Finding(
        "labels-misaligned",
        "warning",
        f"{wrong} of {found} rows of the first batches have another answer than among the training rows. The"
        " net is taught answers that belong to other rows, and learns nothing that is true.",
        evidence={"wrong": wrong, "found": found},
        remedy="Index x and y with the same rows: x[rows], y[rows]; look for a shuffle of one of them.",
    )


def _counted(case: Case) -> tuple[int, int]:
    answers: dict[bytes, set[bytes]] = {}
    for key, answer in zip(keys(case.train.inputs), keys([case.train.goal]), strict=True):
        answers.setdefault(key, set()).add(answer)
    given = set().union(*answers.values())
    wrong = found = 0
    for batch in case.record.batches:
        if batch.inputs is None:
            continue
        for key, answer in zip(keys(batch.inputs), keys([batch.goal]), strict=True):
            found += key in answers
            wrong += key in answers and answer not in answers[key] and answer in given
    return wrong, found
