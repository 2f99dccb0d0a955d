"""Training rows that stand there more than once (7).

    (rows - distinct rows) / rows > 10 %, input and answer together, of rows too long to be alike by chance

They weigh double, and a split drawn by lot puts their copies on both sides. Deepchecks warns from 5 %; here
10 %, since text messages and the like repeat themselves by nature. Certain.
"""

from preceptor.diagnose.case import Case
from preceptor.diagnose.twins import compared, input_keys, keys, telling
from preceptor.finding import Finding

MANY, FEWEST = 0.1, 20


def duplicate_rows(case: Case) -> Finding | None:
    """More copies than come about by themselves."""
    if case.train.number < FEWEST:
        return None
    inputs, answers = input_keys(case), keys([compared(case.train).goal])
    distinct = len(set(zip(inputs, answers, strict=True)))
    share = 1 - distinct / len(inputs)
    if share <= MANY or not telling(case):
        return None
    return Finding(
        "duplicate-rows",
        "warning",
        f"{len(inputs) - distinct} of {len(inputs)} training rows ({share:.0%}) are copies of others. They"
        " weigh double, and a random split puts copies of one row on both sides, which flatters every score.",
        evidence={"rows": len(inputs), "distinct": distinct, "share": share},
        remedy="Keep the first of each before splitting: x, y = x[first], y[first] (numpy.unique, axis=0).",
    )
