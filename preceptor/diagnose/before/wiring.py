"""The wiring checks of the house, asked of any net: input ignored (20), batch mixed (21), one batch (19),
shuffled answers learnt (8). Each is explained in the check's own file.
"""

from preceptor.diagnose.before.still_layers import dead_units, saturated_units, vanishing_gradient
from preceptor.diagnose.case import Case
from preceptor.diagnose.ignored_input import check_ignored_input
from preceptor.diagnose.mixed_batch import check_mixed_batch
from preceptor.diagnose.one_batch import check_one_batch
from preceptor.diagnose.trace import by_unit
from preceptor.finding import Finding

NARROW = 5
"""So few units and fewer let next to nothing through."""


def input_ignored(case: Case) -> Finding | None:
    """See `preceptor.diagnose.ignored_input`; layers at rest keep the input back too, and are named
    themselves.
    """
    finding = check_ignored_input(case.rehearsal).finding
    first = next((step.given for step in case.trace.weighted), None)
    arrives = first is not None and bool((first != first[:1]).any())
    at_rest = arrives and (dead_units(case) or saturated_units(case) or vanishing_gradient(case))
    return None if at_rest else finding


def batch_mixed(case: Case) -> Finding | None:
    """See `preceptor.diagnose.mixed_batch`."""
    return check_mixed_batch(case.rehearsal).finding


def one_batch(case: Case) -> Finding | None:
    """See `preceptor.diagnose.one_batch`; a layer of a unit or two explains it, and is named itself."""
    finding, narrow = check_one_batch(case.rehearsal).finding, _narrowest(case)
    if finding is None or finding.severity == "note" or narrow is None:
        return finding
    layer, width = narrow
    return Finding(
        "underfitting",
        "warning",
        f"All that layer {layer!r} passes on are {width} numbers a row, and on {len(case.rehearsal.goal)}"
        " rows alone the"
        f" loss stays at {case.rehearsal.share:.0%} of the constant answer's. The net is too narrow for its"
        " own exercises.",
        layer=layer,
        evidence={"width": width, "share": case.rehearsal.share},
        remedy="Make the layer wider: 32 units and more.",
    )


def _narrowest(case: Case) -> tuple[str, int] | None:
    """The hidden layer of at most `NARROW` units, and fewer than it is given and the net gives out or
    four.
    """
    hidden = [step for step in case.trace.weighted if not step.recurrent][:-1]
    found = [(step.layer, by_unit(step.made).shape[1], by_unit(step.given).shape[1]) for step in hidden]
    tight = [(layer, width) for layer, width, given in found if width <= NARROW and width < given]
    return min(tight, key=lambda pair: pair[1], default=None)
