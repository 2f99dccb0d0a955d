"""Nothing that is learnt carries over (37).

    by heart   from a tenth of the plan on (100 steps), each row seen twice at least, no loss on rows held out
               has come below 0.97 of the constant answer's, the last is above it, and training's is below 0.9
    alike      from half of the plan on (300 steps) none has, a rival's has not either, and no single column
               has to do with the answers (`explained.related`)

Answers that are mostly noise leave little to gain, and that little late: a rival that finds something, or a
net that is not yet learning by heart, keeps this silent. Source: TheDeepChecker; Zhang et al. (2017).
"""

from preceptor.diagnose.before.explained import related
from preceptor.diagnose.case import Case
from preceptor.diagnose.progress import beyond, reached, rival, visits
from preceptor.finding import Finding

CHANCE, LEARNT, VISITS = 0.97, 0.9, 2.0


def no_better_than_chance(case: Case) -> Finding | None:
    """A loss on rows held out that never was better than a constant answer's."""
    seen = [look.validation for look in case.record.looks if look.validation is not None]
    if len(seen) < 2 or not beyond(case, 0.1, 100):
        return None
    other, visited = rival(case), visits(case)
    lowest, later, last = min(seen), min(seen[1:]), seen[-1]
    by_heart = (
        reached(case) < LEARNT and lowest > CHANCE and last > 1 and (visited is None or visited >= VISITS)
    )
    nothing = other is not None and other.validation is not None and other.validation > CHANCE
    if later <= CHANCE or not (by_heart or (nothing and beyond(case, 0.5, 300) and not related(case))):
        return None
    return Finding(
        "no-better-than-chance",
        "warning",
        f"After {case.record.step} steps the best loss on rows held out is {lowest:.2f} times that of always"
        f" the same answer, on training rows {reached(case):.2f}. Nothing that it learns carries over.",
        evidence={
            "step": case.record.step,
            "validation": lowest,
            "train": min(reached(case), 1e9),
            "rival": None if other is None else other.validation,
        },
        remedy="See whether each answer still belongs to its row; then look for inputs that know more.",
    )
