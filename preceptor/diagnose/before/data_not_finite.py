"""NaN or infinity in the inputs or the answers (3). Certain: it needs no second key.

    not isfinite(x) anywhere in training, validation or probe rows

One such value spoils every weight it reaches in a single step. Source: UMLAUT; TheDeepChecker.
"""

import torch

from preceptor.diagnose.case import Case, Rows
from preceptor.finding import Finding


def data_not_finite(case: Case) -> Finding | None:
    """The rows and columns whose values are no numbers."""
    parts = {"training": case.train, "validation": case.validation, "probe": case.probe}
    for name, rows in parts.items():
        if rows and (places := _places(rows)):
            where, count = next(iter(places.items()))
            return Finding(
                "data-not-finite",
                "error",
                f"{count:.0f} of {rows.number} {name} rows hold NaN or infinity in {where}."
                " A single one turns the loss, and then every weight, into NaN.",
                evidence={"part": name, "rows": places, "of": rows.number},
                remedy="Fill or drop them before training: x = torch.nan_to_num(x), or"
                " x[x.isfinite().all(1)].",
            )
    return None


def _places(rows: Rows) -> dict[str, int]:
    """How many rows are spoilt, by the place where."""
    named = [(f"input {place}", x) for place, x in enumerate(rows.inputs)] + [("the answers", rows.goal)]
    found: dict[str, int] = {}
    for name, x in named:
        if x.is_floating_point():
            spoilt = ~torch.isfinite(x.detach()).reshape(len(x), -1).all(1)
            found |= {name: int(spoilt.sum())} if spoilt.any() else {}
    return found
