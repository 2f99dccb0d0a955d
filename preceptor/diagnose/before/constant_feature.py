"""A feature that is the same in every training row (4).

    symptom   max x_j = min x_j over the training rows
    harm      x_j varies among the validation rows, so often that training rows would have shown it; or three
              tenths of the columns are constant: a loading fault, not a column of ones, a picture's rim, or
              words that these rows do not use (tables of which four fifths are 0 are sparse by right)

Source: TheDeepChecker; Deepchecks.
"""

import torch

from preceptor.diagnose.case import Case
from preceptor.finding import Finding

MANY, FEWEST, EXPECTED, SPARSE = 0.3, 20, 10, 0.8


def constant_feature(case: Case) -> Finding | None:
    """Columns of a table without variance."""
    x = case.train.numbers
    if x.ndim != 2 or not x.is_floating_point() or len(x) < FEWEST:
        return None
    constant = (x == x[:1]).all(0)
    if not constant.any() or constant.all():
        return None
    columns = torch.nonzero(constant).flatten().tolist()
    moves = _moves(case, constant)
    many = len(columns) > MANY * x.shape[1] and float((x[:, ~constant] == 0).float().mean()) < SPARSE
    if moves is False:
        return None
    return Finding(
        "constant-feature",
        "warning" if moves or many else "note",
        f"Feature {columns[0]} is {float(x[0, columns[0]]):.3g} in all {len(x)} training rows"
        + (", but not in the validation rows" if moves else "")
        + f" ({len(columns)} such of {x.shape[1]}). It can teach nothing.",
        evidence={"columns": columns[:50], "features": x.shape[1], "varies_in_validation": bool(moves)},
        remedy=f"Look at what loads column {columns[0]}; if it is meant, drop it: x = x[:, x.std(0) > 0].",
    )


def _moves(case: Case, constant: torch.Tensor) -> bool | None:
    """Whether these columns vary among the validation rows: True, plainly; False, as rarely as chance may
    leave out of the training rows; None, not at all.
    """
    if case.validation is None:
        return None
    x, held = case.train.numbers, case.validation.numbers
    if held.shape[1] != x.shape[1]:
        return None
    moved = float((held[:, constant] != x[0, constant]).double().mean(0).max())
    return None if moved == 0 else moved * len(x) > EXPECTED
