"""The learning rate has gone to zero long before the end (41).

    symptom   η <= 1e-3 of its highest for a twentieth of the plan (10 steps at least), before 85 % of it; or
              η falls by a constant factor a step (R² > 0.999 of log η), and would be there at half of the
              plan
    harm      going on from here at the highest η lowers the loss by a twentieth of the constant answer's and
              a tenth of itself (`progress.behind`); none is needed where η falls by a constant factor a step

Usually a schedule meant for epochs is stepped at each batch. A schedule that ends at zero, and warm restarts
that pass through it, are as they should be. Source: Karpathy (2019), "learning rate decay".
"""

from typing import Any

import numpy as np

from preceptor.diagnose.case import Case
from preceptor.diagnose.progress import behind, done, reached
from preceptor.diagnose.trial import tried
from preceptor.finding import Finding

NOTHING, LATE, STRAIGHT, FEWEST, GAIN = 1e-3, 0.85, 0.999, 20, 0.05


def schedule_collapsed(case: Case) -> Finding | None:
    """A learning rate that is as good as zero too early."""
    rates = np.array(case.record.rates)
    if len(rates) < FEWEST or rates.max() <= 0:
        return None
    idle = _idle(rates)
    if case.steps and len(rates) - idle > LATE * case.steps:
        return None
    still, falling = idle >= max(10, 0.05 * (case.steps or 0)), _falling(rates, case.steps)
    if not still and not falling:
        return None
    onward = tried(case, 64, now=True)
    gain = behind(case, onward)
    if not falling and not (gain > GAIN and gain > 0.1 * reached(case)):
        return None
    evidence = {"step": len(rates), "rate": float(rates[-1]), "highest": float(rates.max())}
    return _finding(case, onward.train, {**evidence, "idle_steps": idle, "gain": gain})


def _finding(case: Case, later: float, evidence: dict[str, Any]) -> Finding:
    part = done(case)
    return Finding(
        "schedule-collapsed",
        "warning",
        f"At step {evidence['step']}{f', {part:.0%} of the plan,' if part else ''} the learning rate is"
        f" {evidence['rate']:.1e}, down from {evidence['highest']:.1e}. The weights no longer move; 64 steps"
        f" at the old rate would bring the loss from {reached(case):.2f} to {later:.2f} of the constant"
        " answer's.",
        evidence=evidence,
        remedy="Step the schedule once an epoch, or give it all batches: T_max=epochs * len(loader).",
        change={"training": {"schedule": "cosine"}},
    )


def _idle(rates: np.ndarray) -> int:
    """How many of the last steps were as good as none."""
    idle = rates[::-1] <= NOTHING * rates.max()
    return len(rates) if idle.all() else int(np.argmin(idle))


def _falling(rates: np.ndarray, steps: int | None) -> bool:
    """Whether the rate falls like a power, and will be nothing by half of the plan."""
    if steps is None or rates[-1] <= 0 or rates[-1] >= rates[0]:
        return False
    place, logs = np.arange(len(rates)), np.log(np.maximum(rates, 1e-300))
    slope, level = np.polyfit(place, logs, 1)
    straight = 1 - np.var(logs - slope * place - level) / max(np.var(logs), 1e-12)
    return bool(straight > STRAIGHT and level + slope * steps / 2 < np.log(NOTHING * rates.max()))
