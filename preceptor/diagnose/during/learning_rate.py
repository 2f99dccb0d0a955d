"""The learning rate: too high (23), too low (24), or too high for so small a batch (38).

    too high    symptom  the loss is above 0.35 of the constant answer's, or a rival's validation loss is
                lower
                harm     a tenth of the rate, a hundredth or a thousandth comes lower by 0.1 and a fifth, in
                         half of the steps, and the rate itself does not in a loop known to be right
    too low     symptom  what has been gained, prolonged in a straight line to the end of the plan, is less
                         than 60 % of what ten, a hundred or a thousand times the rate gains in half of the
                         steps so far; an unknown plan counts as ten times the steps so far, and
                         while the rate is still rising (warm-up) nothing is said
                harm     the same: that gain
    too small   as too high, in batches of at most 4 rows; or batches of 32 come lower by 0.1

Both are range tests by trial (Smith, 2017), from the net's own start, with the loop's own optimiser: no
absolute rate is called high. Source: CS231n; tuning playbook; McCandlish et al. (2018) for the noise of
small batches.
"""

import math

from preceptor.diagnose.case import Case
from preceptor.diagnose.progress import behind, half, plain, poor, reached, start
from preceptor.diagnose.trial import Outcome, tried
from preceptor.finding import Finding

LOWER, HIGHER = (0.1, 0.01, 0.001), (10.0, 100.0, 1e3, 1e5)
MARGIN, PART, STRAIGHT, UNPLANNED, FEW, STEPS, WARM = 0.1, 0.2, 0.6, 10, 4, 16, 1.2


def learning_rate_high(case: Case) -> Finding | None:
    """Steps that jump over the valley."""
    if case.record.step < STEPS or not _asked(case):
        return None
    factor, best = _best(case, LOWER)
    lost, itself = behind(case, best), plain(case).train
    if not _matters(lost, case) or itself - best.train < MARGIN / 2:
        return None
    rate, now = max(case.record.rates, default=0.0), reached(case)
    return Finding(
        "learning-rate-too-high",
        "warning",
        f"After {case.record.step} steps at a learning rate of {rate:.2g} the loss is at {_told(now)} of the"
        " constant"
        f" answer's; half as many steps at {factor * rate:.1g} bring it to {best.train:.2f}. The steps jump"
        " over the valley.",
        evidence={"rate": rate, "better_rate": factor * rate, "now": _number(now), "trial": best.train},
        remedy=f"Set lr={factor * rate:.1g}, or warm up to it over the first steps.",
        change=_change(factor * rate),
    )


def batch_too_small(case: Case) -> Finding | None:
    """Batches so small that their gradients are mostly noise."""
    told = case.record.batches
    size = len(told[0].goal) if told else FEW + 1
    if size > FEW or case.record.step < STEPS or not _asked(case):
        return None
    larger, slower = tried(case, half(case), batch=32), tried(case, half(case), factor=0.1)
    best = min(larger.train, slower.train)
    lost = reached(case) - best
    if not _matters(lost, case):
        return None
    return Finding(
        "batch-too-small",
        "warning",
        f"Batches hold {size} rows, and after {case.record.step} steps the loss is at {_told(reached(case))}"
        " of the"
        f" constant answer's; with 32 rows it is {_told(larger.train)}, with a tenth of the learning rate"
        f" {_told(slower.train)}, in at most half of the steps. The gradients are mostly noise.",
        evidence={
            "rows": size,
            "now": _number(reached(case)),
            "rows_32": _number(larger.train),
            "slower": _number(slower.train),
        },
        remedy="Take batches of 32 rows and more, or a learning rate lower in proportion.",
    )


def learning_rate_low(case: Case) -> Finding | None:
    """Training that crawls."""
    if case.record.step < STEPS or case.record.norm.size == 0 or not math.isfinite(reached(case)):
        return None
    gained, ahead = (
        start(case) - reached(case),
        (case.steps or UNPLANNED * case.record.step) / case.record.step,
    )
    rates = case.record.rates
    warming = rates[-1] > WARM * rates[len(rates) // 2]
    if warming or not -MARGIN / 5 < gained < MARGIN or reached(case) < MARGIN or not any(case.record.rates):
        return None
    factor, best = _best(case, HIGHER)
    promised = start(case) - best.train
    if promised < MARGIN or max(gained, 0.0) * ahead > STRAIGHT * promised or promised < 3 * gained:
        return None
    rate = max(case.record.rates)
    return Finding(
        "learning-rate-too-low",
        "warning",
        f"In {case.record.step} steps the loss has come from {start(case):.3f} to {reached(case):.3f} of the"
        f" constant answer's at a learning rate of {rate:.1g}; half as many at {factor * rate:.1g} bring"
        f" {best.train:.2f}. At this pace it will not get there.",
        evidence={"rate": rate, "better_rate": factor * rate, "gained": gained, "trial_gains": promised},
        remedy=f"Set lr={factor * rate:.1g}.",
        change=_change(factor * rate),
    )


def _change(rate: float) -> dict[str, dict[str, float]]:
    return {"training": {"learning_rate": float(f"{rate:.2g}")}}


def _asked(case: Case) -> bool:
    return not math.isfinite(reached(case)) or poor(case)


def _best(case: Case, factors: tuple[float, ...]) -> tuple[float, Outcome]:
    """The factor whose trial comes lowest; the next is tried only while it helps, or the last one failed."""
    best, outcome = factors[0], tried(case, half(case), factor=factors[0])
    for factor in factors[1:]:
        further = tried(case, half(case), factor=factor)
        if further.train < outcome.train:
            best, outcome = factor, further
    return best, outcome


def _matters(lost: float, case: Case) -> bool:
    return lost > MARGIN and (lost > PART * reached(case) or math.isinf(lost))


def _told(loss: float) -> str:
    return f"{loss:.2f}" if loss < 1e6 else "infinity"


def _number(loss: float) -> float | None:
    return loss if math.isfinite(loss) else None
