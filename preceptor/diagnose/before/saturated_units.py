"""Squashed units that stand at the edge of their range from the start (29).

    symptom   more than half of a tanh's or sigmoid's units lie at the edge in 85 % of their places
    harm      the net cannot learn a handful of rows by heart (loss > 0.5 of the constant answer's); or 19 of
              20 and more are so

The activation that makes the output may stand at its edge by right. Sources: TheDeepChecker; DeepDiagnosis.
"""

from collections.abc import Mapping
from typing import Any

from preceptor.diagnose.case import Case
from preceptor.diagnose.look import first_look
from preceptor.diagnose.record import Unit
from preceptor.finding import Finding

HALF, MOST = 0.5, 0.95


def saturated_units(case: Case) -> Finding | None:
    """Units whose curve is flat where they stand."""
    units = [unit for unit in first_look(case).units if not _makes_output(case, unit)]
    worst = max(units, key=lambda unit: unit.saturated, default=None)
    if worst is None or worst.saturated <= HALF or (worst.saturated <= MOST and case.rehearsal.share <= HALF):
        return None
    layers = {unit.layer: unit.saturated for unit in units}
    return saturated(worst, 0, {"learnt_by_heart": case.rehearsal.share, "layers": layers})


def saturated(unit: Unit, step: int, harm: Mapping[str, Any]) -> Finding:
    """The finding, at whatever step."""
    return Finding(
        "saturated-units",
        "warning",
        f"In layer {unit.layer!r} {unit.saturated:.0%} of the {unit.op} units stand at the edge of"
        f" their range for nearly all probe rows at step {step}. There the curve is flat and the gradient"
        " next to nothing.",
        layer=unit.layer,
        evidence={"step": step, "saturated": unit.saturated, **harm},
        remedy="Draw smaller weights (nn.init.xavier_uniform_), standardise the inputs, or put a LayerNorm"
        " before it.",
    )


def _makes_output(case: Case, unit: Unit) -> bool:
    return bool(case.last) and unit.op == case.last and unit.layer == case.trace.activations[-1].layer
