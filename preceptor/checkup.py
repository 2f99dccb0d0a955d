"""The net's check-up before training: it costs seconds, and saves a lesson that cannot work.

check_net(desk, folds[0])                         # each check goes into the ledger
"""

from preceptor.contest import Fold
from preceptor.desk import Desk
from preceptor.diagnose import before_training
from preceptor.net import ensemble_loss, new_net

FEWEST_TO_SHUFFLE = 8
"""So many rows held out are needed to try shuffled answers."""


def check_net(desk: Desk, fold: Fold) -> None:
    """Check the untrained net on the first fold; each check goes into the ledger, faults as findings."""
    if desk.interrupted:
        return
    sober = desk.plan.net.model_copy(update={"dropout": 0.0})  # what it could learn, not what it should
    net = new_net(sober, fold.problem, fold.inputs, fold.goal, fold.truth, desk.plan.seed)
    loss = ensemble_loss(fold.problem.target, 0.0)
    enough = len(fold.goal_held_out) >= FEWEST_TO_SHUFFLE
    held_out = (fold.held_out.tensors, fold.goal_held_out.to(fold.goal.device)) if enough else None
    still = [name for name, one in net.module.named_parameters() if not one.requires_grad]
    checked = (net.module, fold.inputs.tensors, fold.goal, loss)
    for check in before_training(*checked, held_out=held_out, frozen=still):
        desk.ledger.write(
            "check", name=check.name, passed=check.passed, text=check.text, evidence=check.evidence
        )
        if check.finding:
            desk.ledger.find(check.finding)
