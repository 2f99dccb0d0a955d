"""Rectifiers that are silent from the start (28).

    symptom   more than half of a rectifier's units, and six at least, are 0 for every probe row
    harm      the net cannot learn a handful of rows by heart (loss > 0.5 of the constant answer's); or 19 of
              20 and more are so

Units are counted, not elements: that half of all outputs of a ReLU are 0 is as it should be, which is what
other tools alarm at. Sources: TheDeepChecker; SageMaker (active < 1 % of rows).
"""

from collections.abc import Mapping
from typing import Any

from preceptor.diagnose.case import Case
from preceptor.diagnose.look import first_look
from preceptor.diagnose.record import Unit
from preceptor.finding import Finding

HALF, MOST, FEWEST = 0.5, 0.95, 6


def dead_units(case: Case) -> Finding | None:
    """Rectifiers through which nothing passes."""
    units = [unit for unit in first_look(case).units if unit.dead * unit.units >= FEWEST]
    worst = max(units, key=lambda unit: unit.dead, default=None)
    if worst is None or worst.dead <= HALF or (worst.dead <= MOST and case.rehearsal.share <= HALF):
        return None
    layers = {unit.layer: unit.dead for unit in first_look(case).units if unit.op == worst.op}
    return dead(worst, 0, {"learnt_by_heart": case.rehearsal.share, "layers": layers})


def dead(unit: Unit, step: int, harm: Mapping[str, Any]) -> Finding:
    """The finding, at whatever step."""
    return Finding(
        "dead-units",
        "warning",
        f"In layer {unit.layer!r} {unit.dead:.0%} of the ReLU units are 0 for every probe row at step {step}."
        " No gradient passes through a dead unit, so it never comes back.",
        layer=unit.layer,
        evidence={"step": step, "dead": unit.dead, **harm},
        remedy="Lower the learning rate, start biases at 0 (nn.init.zeros_(layer.bias)), or take"
        " nn.LeakyReLU.",
    )
