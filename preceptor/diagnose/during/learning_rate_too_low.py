"""The learning rate is too low (24).

    symptom   gained < 0.1, where gained = L_0 - L now, in the end min(L_0, 1) - L, on training rows; and,
              going on from here at the highest rate so far, gained' · (planned steps / steps then) is less
              than 0.6 · promised
    harm      promised = what ten, a hundred, a thousand times the rate gain in a trial (`progress.paced`), on
              training rows and, where there are some, on rows held out; promised > 0.1 and > 3 · gained'

An unknown plan counts as ten times the steps so far. While the rate is still rising nothing is said before
the plan's end, and steps count as far as the rate has carried them (warm-up). Nets that crawl before they
run, such as deep and attentive ones, show it in the steps that are tried from here. Source: CS231n; Smith
(2017).
"""

import math

from preceptor.diagnose.case import Case
from preceptor.diagnose.during.range_test import best, rate
from preceptor.diagnose.look import first_look
from preceptor.diagnose.progress import LATE, MARGIN, carried, done, reached, so_long, start
from preceptor.diagnose.trial import Outcome, remakeable, tried
from preceptor.finding import Finding

FACTORS = (10.0, 100.0, 1e3, 1e5)
STRAIGHT, UNPLANNED, STEPS, WARM, FURTHER = 0.6, 10, 12, 1.2, 64


def learning_rate_too_low(case: Case) -> Finding | None:
    """Training that crawls."""
    gained = _origin(case) - reached(case)
    slow = start(case) - reached(case) > -MARGIN / 5 and gained < MARGIN < reached(case)
    if not slow or carried(case) < STEPS or _warming(case) or not remakeable(case):
        return None
    factor, faster = best(case, FACTORS)
    promised = _promised(case, faster)
    if promised < MARGIN or _hopeful(case, gained, case.record.step, promised):
        return None
    further = tried(case, FURTHER, now=True)
    later = _origin(case) - further.train
    if _hopeful(case, later, case.record.step + FURTHER, promised):
        return None
    seen = {"gained": gained, "gained_later": later, "trial_gains": promised}
    return _finding(case, factor * max(case.record.rates), further, faster, seen)


def _finding(case: Case, better: float, further: Outcome, faster: Outcome, seen: dict[str, float]) -> Finding:
    highest = max(case.record.rates)
    return Finding(
        "learning-rate-too-low",
        "warning",
        f"In {case.record.step} steps the loss has come from {start(case):.3f} to {reached(case):.3f} of the"
        f" constant answer's at a learning rate of {highest:.1g}, and {FURTHER} more bring"
        f" {further.train:.3f}; {so_long(case)} at {better:.1g} bring {faster.train:.2f}. At this pace it"
        " will not get there.",
        evidence={"step": case.record.step, "rate": highest, "better_rate": better, **seen},
        remedy=f"Set lr={better:.1g}.",
        change=rate(better),
    )


def _origin(case: Case) -> float:
    """What is to be beaten: the loss at the start; in the end a constant answer's, where that is lower."""
    return _least(case, start(case))


def _least(case: Case, first: float) -> float:
    return min(first, 1.0) if (done(case) or 0.0) >= LATE else first


def _warming(case: Case) -> bool:
    """Whether the rate is still on its way up, before the end, or never was more than nothing."""
    rates, over = case.record.rates, (done(case) or 0.0) >= LATE
    return not any(rates) or (not over and rates[-1] > WARM * rates[len(rates) // 2])


def _promised(case: Case, faster: Outcome) -> float:
    """What a trial gains, on the rows where it gains less."""
    held, first = faster.validation, first_look(case).validation
    own = _origin(case) - faster.train
    return own if held is None or first is None else min(own, _least(case, first) - held)


def _hopeful(case: Case, gained: float, steps: int, promised: float) -> bool:
    """Whether what was gained in these steps, straight on to the end of the plan, is nearly as much."""
    ahead = (case.steps or UNPLANNED * case.record.step) / steps
    return (
        not math.isfinite(gained)
        or max(gained, 0.0) * max(ahead, 1.0) > STRAIGHT * promised
        or (promised < 3 * gained)
    )
