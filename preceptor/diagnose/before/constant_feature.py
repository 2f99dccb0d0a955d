"""A feature that is the same in every training row (4).

    symptom   max x_j = min x_j over the training rows
    harm      x_j varies among the validation rows, or the rows are a table of few columns (at most 50), where a
              column that says nothing is a loading fault rather than the rim of a picture

Source: TheDeepChecker; Deepchecks.
"""

import torch

from preceptor.diagnose.case import Case
from preceptor.finding import Finding

NARROW, FEWEST = 50, 20


def constant_feature(case: Case) -> Finding | None:
    """Columns of a table without variance."""
    x = case.train.inputs[0]
    if x.ndim != 2 or not x.is_floating_point() or len(x) < FEWEST:
        return None
    constant = (x == x[:1]).all(0)
    if not constant.any() or constant.all():
        return None
    columns = torch.nonzero(constant).flatten().tolist()
    moves = case.validation is not None and bool(
        (case.validation.inputs[0][:, constant] != x[0, constant]).any()
    )
    return Finding(
        "constant-feature",
        "warning" if moves or x.shape[1] <= NARROW else "note",
        f"Feature {columns[0]} is {float(x[0, columns[0]]):.3g} in all {len(x)} training rows"
        + (", but not in the validation rows" if moves else "")
        + f" ({len(columns)} such of {x.shape[1]}). It can teach nothing.",
        evidence={"columns": columns[:50], "features": x.shape[1], "varies_in_validation": moves},
        remedy=f"Look at what loads column {columns[0]}; if it is meant, drop it: x = x[:, x.std(0) > 0].",
    )
