"""The learning rate is too high (23).

    symptom   the loss is above 0.35 of the constant answer's, or a rival is better on rows held out by 0.1
    harm      a tenth of the rate, a hundredth or a thousandth comes lower by 0.1 and a fifth in a
              trial (`progress.paced`, `progress.behind`), and does so still after the run has gone on for a
              while, cooled where a schedule is at work; and the rate itself, in a loop known to be right,
              stays 0.05 above

A large rate that swings at first, or waits for its schedule to cool it, comes down when it goes on: that
is the last key. Source: CS231n, "babysitting the learning process"; Smith (2017).
"""

from preceptor.diagnose.case import Case
from preceptor.diagnose.during.range_test import best, matters, number, rate, said, suspected
from preceptor.diagnose.progress import MARGIN, behind, carried, plain, reached, so_long
from preceptor.finding import Finding

FACTORS, STEPS = (0.1, 0.01, 0.001), 8


def learning_rate_too_high(case: Case) -> Finding | None:
    """Steps that jump over the valley."""
    if carried(case) < STEPS or not suspected(case):
        return None
    factor, slower = best(case, FACTORS)
    if plain(case).train - slower.train < MARGIN / 2:
        return None
    if not matters(behind(case, slower, lasting=True), case):
        return None
    highest, now = max(case.record.rates, default=0.0), reached(case)
    return Finding(
        "learning-rate-too-high",
        "warning",
        f"After {case.record.step} steps at a learning rate of {highest:.2g} the loss is at {said(now)} of"
        f" the constant answer's; {so_long(case)} at {factor * highest:.1g} bring it to {slower.train:.2f}."
        " The steps jump over the valley.",
        evidence={
            "step": case.record.step,
            "rate": highest,
            "better_rate": factor * highest,
            "now": number(now),
            "trial": slower.train,
        },
        remedy=f"Set lr={factor * highest:.1g}, or warm up to it over the first steps.",
        change=rate(factor * highest),
    )
