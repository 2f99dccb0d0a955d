"""All training answers are the same (4). Certain.

    max y = min y over the training rows

There is nothing to learn; any loss curve looks splendid. Source: TheDeepChecker; Deepchecks.
"""

from preceptor.diagnose.case import Case
from preceptor.finding import Finding


def constant_target(case: Case) -> Finding | None:
    """A target without variance."""
    goal = case.train.goal
    if len(goal) < 2 or bool((goal != goal[:1]).any()):
        return None
    return Finding(
        "constant-target",
        "error",
        f"All {len(goal)} training answers are the same. There is nothing to tell apart, so nothing is"
        " learnt.",
        evidence={"rows": len(goal), "answer": float(goal.flatten()[0])},
        remedy="Look at what loads y: a wrong column, or a sorted file of which only the beginning was read.",
    )
