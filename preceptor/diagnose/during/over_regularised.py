"""Over-regularised (32): decay or dropout holds the net down.

    symptom   weight decay in the optimiser's groups, or dropout in the net
    harm      after a twentieth of the plan (60 steps) the run is worse, by 0.1 of the constant answer's loss
              and a fifth of its own, than the same net without them in a trial (`progress.paced`,
              `progress.behind`), and still after it has gone on for a while; and so is the same net with
              them, by 0.05, in a loop known to be right

Early on dropout always costs; that a shorter trial wins, and that going on does not make up for it, is what
is not as it should be. Source: CS231n; TheDeepChecker (the penalty's share of the gradient).
"""

from typing import Any

from torch import nn

from preceptor.diagnose.case import Case
from preceptor.diagnose.check import sober
from preceptor.diagnose.during.range_test import matters
from preceptor.diagnose.progress import MARGIN, behind, beyond, paced, plain, reached, so_long
from preceptor.diagnose.trial import Outcome, trial
from preceptor.finding import Finding

GENTLE = 0.2


def over_regularised(case: Case) -> Finding | None:
    """A net that is kept from learning."""
    groups = getattr(case.optimiser, "param_groups", ())
    decay = max((float(group.get("weight_decay", 0)) for group in groups), default=0.0)
    rates = [m.p for m in case.net.modules() if isinstance(m, nn.modules.dropout._DropoutNd)]
    dropout = max(rates, default=0.0)
    if (decay == 0 and dropout == 0) or not beyond(case, 0.05, 60):
        return None
    free = _free(case, decay)
    if plain(case).train - free.train < MARGIN / 2 or not matters(behind(case, free, lasting=True), case):
        return None
    return Finding(
        "over-regularised",
        "warning",
        f"After {case.record.step} steps, with weight decay {decay:g} and dropout up to {dropout:g}, the loss"
        f" is at {reached(case):.2f} of the constant answer's; without them {so_long(case)} bring"
        f" {free.train:.2f}. The net is kept from learning what there is to learn.",
        evidence={
            "step": case.record.step,
            "weight_decay": decay,
            "dropout": dropout,
            "now": min(reached(case), 1e9),
            "without": free.train,
        },
        remedy=f"Reduce them: weight_decay={decay / 100:.1g}, nn.Dropout({min(dropout, GENTLE):g}).",
        change=_less(decay, dropout),
    )


def _less(decay: float, dropout: float) -> dict[str, Any]:
    """Whatever of the two is at work, reduced."""
    return ({"training": {"weight_decay": float(f"{decay / 100:.2g}")}} if decay else {}) | (
        {"net": {"dropout": min(dropout, GENTLE)}} if dropout else {}
    )


def _free(case: Case, decay: float) -> Outcome:
    """The trial without decay and dropout."""
    pace, groups = paced(case), {"weight_decay": 0.0} if decay else None
    outcome: Outcome = case.once(f"free {pace}", lambda: trial(case, **pace, groups=groups, edit=sober))
    return outcome
