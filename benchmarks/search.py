"""A search: 16 settings of an MLP 8-64-64-1, each cross-validated on 5 folds of 20,640 rows, 20 epochs."""

from typing import Any

from benchmarks.contest import Contestant, contest
from benchmarks.tasks import Task, numbers

SCIKIT_LEARN = Contestant("scikit-learn GridSearchCV", "search_scikit_learn")
LIGHTNING = Contestant("Optuna over Lightning, lean", "search_lightning", "lightning-optuna")
OURS = Contestant("preceptor", "search_own", options={"halve": True})
WHOLE = Contestant("preceptor, no setting dropped early", "search_own", options={"halve": False})


def run(rounds: int, quick: bool = False) -> dict[str, Any]:
    task = Task(*numbers(2_560 if quick else 20_640), (8, 64, 64, 1), batch=256, epochs=8 if quick else 20)
    targets = [
        {"ours": OURS.name, "theirs": SCIKIT_LEARN.name, "at_least": 5.0},
        {"ours": OURS.name, "theirs": LIGHTNING.name, "at_least": 20.0},
    ]
    rows = contest(task, [OURS, WHOLE, SCIKIT_LEARN, LIGHTNING], rounds)
    return {"search": {"title": __doc__, "unit": "s", "contestants": rows, "targets": targets}}
