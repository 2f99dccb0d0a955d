"""Training rows that stand there more than once (7).

    (rows - distinct rows) / rows > 10 %, input and answer together, of rows too long to be alike by chance

They weigh double, and a split drawn by lot puts their copies on both sides. Deepchecks warns from 5 %; here
10 %, since text messages and the like repeat themselves by nature. Certain.
"""

from preceptor.diagnose.case import Case
from preceptor.diagnose.twins import COMPARED, keys, telling
from preceptor.finding import Finding

MANY = 0.1


def duplicate_rows(case: Case) -> Finding | None:
    """More copies than come about by themselves."""
    rows = case.train.take(slice(COMPARED))
    if rows.number < 20:
        return None
    distinct = len(set(keys([*rows.inputs, rows.goal])))
    share = 1 - distinct / rows.number
    if share <= MANY or not telling(rows):
        return None
    return Finding(
        "duplicate-rows",
        "warning",
        f"{rows.number - distinct} of {rows.number} training rows ({share:.0%}) are copies of others. They"
        " weigh double, and a random split puts copies of one row on both sides, which flatters every score.",
        evidence={"rows": rows.number, "distinct": distinct, "share": share},
        remedy="Keep the first of each before splitting: x, y = x[first], y[first] (numpy.unique, axis=0).",
    )
