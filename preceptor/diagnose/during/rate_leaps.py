"""A few steps at a rate far above all others (23): a restart without warm-up, a schedule that starts wrongly.

    symptom   at most a twentieth of the steps, and one at least, had more than 5 times the median rate
    harm      at the median rate throughout the same net comes lower by 0.1 and a fifth in a trial of as many
              steps (`progress.paced`, `progress.behind`), and lower than the loop's own course by 0.05

Where the high rate lasts longer it is the run's own, and `learning_rate_too_high` judges it. Source: Gotmare
et al. (2019), on warm-up.
"""

import numpy as np

from preceptor.diagnose.case import Case
from preceptor.diagnose.during.range_test import matters, number, rate, said, suspected
from preceptor.diagnose.progress import MARGIN, again, behind, plain, reached, so_long
from preceptor.finding import Finding

FAR, PART, STEPS = 5.0, 0.05, 20


def rate_leaps(case: Case) -> Finding | None:
    """Steps that undo what the others do."""
    rates = np.array(case.record.rates)
    usual = float(np.median(rates)) if len(rates) else 0.0
    leaps = np.flatnonzero(rates > FAR * usual)
    if len(rates) < STEPS or not usual or not 0 < len(leaps) <= PART * len(rates) or not suspected(case):
        return None
    calm = again(case, level=usual)
    if plain(case).train - calm.train < MARGIN / 2 or not matters(behind(case, calm), case):
        return None
    highest, place = float(rates.max()), int(leaps[0]) + 1
    return Finding(
        "learning-rate-too-high",
        "warning",
        f"At {len(leaps)} of {len(rates)} steps, first at step {place}, the learning rate was up to"
        f" {highest:.2g}, {highest / usual:.0f} times the usual {usual:.2g}. The loss is now at"
        f" {said(reached(case))} of the constant answer's; {so_long(case)} at the usual rate throughout bring"
        f" it to {calm.train:.2f}.",
        evidence={
            "step": place,
            "rate": highest,
            "better_rate": usual,
            "now": number(reached(case)),
            "trial": calm.train,
        },
        remedy="Look at the schedule's first values, and warm up from below instead of above.",
        change=rate(usual),
    )
