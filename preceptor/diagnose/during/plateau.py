"""A plateau or saddle (30).

    symptom   over the last third of the steps (30 at least) the batch losses have no trend: their halves'
              means differ by less than 1 %, or twice the standard error; since a look in the second half of
              the run, 16 steps ago at least, the probe's loss, which has no such noise, has come down by less
              than 0.02 of the constant answer's; it is above 0.35; and the rate is not zero
    harm      64 steps from here at ten times the learning rate lower it by 0.1 and a fifth
              (`progress.behind`), and at the present rate by less than a third of that

Source: tuning playbook; TheDeepChecker.
"""

import numpy as np

from preceptor.diagnose.case import Case
from preceptor.diagnose.during.range_test import matters, rate
from preceptor.diagnose.progress import POOR, SURE, behind, beyond, reached
from preceptor.diagnose.trial import tried
from preceptor.finding import Finding

FLAT, STILL, FEWEST, AGO, STEPS, TIMES = 0.01, 0.02, 30, 16, 64, 10.0


def plateau(case: Case) -> Finding | None:
    """A loss that stands still, and need not."""
    losses, rates = np.array(case.record.losses), case.record.rates
    third = losses[-(len(losses) // 3) :]
    if len(third) < FEWEST or not np.isfinite(losses).all() or not beyond(case, 0.2, 100):
        return None
    if not _flat(third) or not _still(case) or reached(case) < POOR or not rates[-1]:
        return None
    faster = tried(case, STEPS, now=True, factor=TIMES)
    gained, own = behind(case, faster), reached(case) - tried(case, STEPS, now=True).train
    if not matters(gained, case) or own > gained / 3:
        return None
    return Finding(
        "plateau",
        "warning",
        f"For {len(third)} steps up to step {len(losses)} the loss has stood at {reached(case):.2f} of the"
        f" constant answer's; {STEPS} steps at ten times the learning rate bring it to {faster.train:.2f}. It"
        " lies on a plateau.",
        evidence={
            "step": len(losses),
            "steps": len(third),
            "now": reached(case),
            "trial": faster.train,
            "gained_as_it_is": own,
        },
        remedy="Raise the learning rate for a while (a warm restart), or take momentum or Adam.",
        change=rate(TIMES * max(rates)),
    )


def _flat(losses: np.ndarray) -> bool:
    """Whether there is no trend to be seen."""
    halves = np.array_split(losses, 2)
    first, second = (half.mean() for half in halves)
    error = sum(half.var(ddof=1) / len(half) for half in halves) ** 0.5
    return bool(abs(second - first) < max(FLAT * abs(first), SURE * error))


def _still(case: Case) -> bool:
    """Whether the probe's loss is what it was a while ago."""
    step = case.record.step
    earlier = [look.train for look in case.record.looks if step / 2 <= look.step <= step - AGO]
    return bool(earlier) and earlier[0] - reached(case) < STILL
