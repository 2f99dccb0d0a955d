"""Layers that came to rest in training: dead ReLUs (28), saturated units (29), vanishing gradients (26).

    symptom   as before training (`still_layers`): more than half of a layer's units dead or saturated, with
              a fifth more of them than at the start; or the first layer's gradient < 1e-3 of the last one's
    harm      the training rows are badly learnt, and a rival or a trial at a tenth of the learning rate does
              better

Sources: TheDeepChecker; SageMaker; AutoTrainer (its harm gate).
"""

from preceptor.diagnose.before.still_layers import dead, faded, saturated, vanishing
from preceptor.diagnose.case import Case
from preceptor.diagnose.look import first_look
from preceptor.diagnose.progress import beyond, now, reached, rival
from preceptor.diagnose.record import Unit
from preceptor.diagnose.trial import tried
from preceptor.finding import Finding

HALF, RISEN, FADED, MARGIN = 0.5, 0.2, 1e-3, 0.1


def dead_in_training(case: Case) -> Finding | None:
    """ReLUs that died on the way."""
    worst = _risen(case, "dead")
    return dead(worst, now(case).step, _harm(case)) if worst and _harmed(case) else None


def saturated_in_training(case: Case) -> Finding | None:
    """Units that went to the edge on the way."""
    worst = _risen(case, "saturated")
    return saturated(worst, now(case).step, _harm(case)) if worst and _harmed(case) else None


def vanishing_in_training(case: Case) -> Finding | None:
    """A gradient that does not reach the first layers."""
    ratio = faded(case, now(case).fresh)
    if ratio is None or ratio[1] >= FADED or not beyond(case, 0.1, 50) or not _harmed(case):
        return None
    return vanishing(ratio, now(case).step, _harm(case))


def _risen(case: Case, what: str) -> Unit | None:
    """The unit layer that fares worst now, if it fares a good deal worse than at the start."""
    first = [getattr(unit, what) for unit in first_look(case).units]
    later = now(case).units
    pairs = [(unit, before) for unit, before in zip(later, first, strict=False)]
    if case.last and pairs:
        pairs = pairs[:-1]
    worst = max(pairs, key=lambda pair: getattr(pair[0], what), default=None)
    if worst is None or getattr(worst[0], what) <= HALF or getattr(worst[0], what) < worst[1] + RISEN:
        return None
    return worst[0]


def _harmed(case: Case) -> bool:
    other = rival(case)
    beaten = other is not None and reached(case) > other.train + MARGIN
    return reached(case) > 0.35 and (beaten or tried(case, 64, factor=0.1).train < reached(case) - MARGIN)


def _harm(case: Case) -> dict[str, float]:
    return {"loss": min(reached(case), 1e9)}
