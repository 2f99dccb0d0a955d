"""Over-regularised (32): decay or dropout holds the net down.

    symptom   weight decay in the optimiser's groups, or dropout in the net
    harm      after a fifth of the plan the run is worse, by 0.1 of the constant answer's loss and a fifth of
              its own, than the same net without them after half as many steps

Early on dropout always costs; that a trial of half the length wins is what is not as it should be.
Source: CS231n; TheDeepChecker (the penalty's share of the gradient).
"""

from torch import nn

from preceptor.diagnose.case import Case
from preceptor.diagnose.check import sober
from preceptor.diagnose.progress import behind, beyond, half, plain, reached
from preceptor.diagnose.trial import Outcome, trial
from preceptor.finding import Finding

MARGIN, PART = 0.1, 0.2


def over_regularised(case: Case) -> Finding | None:
    """A net that is kept from learning."""
    decay = max(
        (float(g.get("weight_decay", 0)) for g in getattr(case.optimiser, "param_groups", ())), default=0.0
    )
    rates = [m.p for m in case.net.modules() if isinstance(m, nn.modules.dropout._DropoutNd)]
    dropout = max(rates, default=0.0)
    if (decay == 0 and dropout == 0) or not beyond(case, 0.05, 60):
        return None
    free = _free(case, decay)
    lost = behind(case, free)
    if lost < MARGIN or lost < PART * reached(case) or plain(case).train - free.train < MARGIN / 2:
        return None
    return Finding(
        "over-regularised",
        "warning",
        f"After {case.record.step} steps, with weight decay {decay:g} and dropout up to {dropout:g}, the loss"
        f" is at {reached(case):.2f} of the constant answer's; without them half as many steps bring"
        f" {free.train:.2f}. The net is kept from learning what there is to learn.",
        evidence={
            "weight_decay": decay,
            "dropout": dropout,
            "now": min(reached(case), 1e9),
            "without": free.train,
        },
        remedy=f"Reduce them: weight_decay={decay / 100:.1g}, nn.Dropout({min(dropout, 0.2):g}).",
    )


def _free(case: Case, decay: float) -> Outcome:
    """The trial without decay and dropout."""
    steps, groups = half(case), {"weight_decay": 0.0} if decay else None
    outcome: Outcome = case.once(f"free {steps}", lambda: trial(case, steps=steps, groups=groups, edit=sober))
    return outcome
