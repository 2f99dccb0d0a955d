"""The net's lesson: one net a fold, trained within the time there is, its best epoch kept.

    net_candidate(desk, folds, candidates)        # adds "net" to the candidates

The clock turns into whole numbers (threads, folds, epochs) that the ledger remembers; given them the
weights are a pure function of plan and seed, however often the lesson was killed and resumed.
"""

import time

import polars as pl
from torch import Tensor

from preceptor.contest import Candidate, Fold, unanswered
from preceptor.desk import Desk
from preceptor.diagnose import before_training, diagnose
from preceptor.history import History
from preceptor.kinds.kind import Target
from preceptor.net import ensemble_loss, judging_metric, new_net, starting_output
from preceptor.plan import TrainingPlan
from preceptor.training.loop import train
from preceptor.training.pace import measure_pace
from preceptor.training.state import Training

MOST_EPOCHS, FEWEST_EPOCHS = 60, 8
SECONDS_BETWEEN_CHECKPOINTS = 5.0
SLACK = 1.15
"""Checkpoints and a busy neighbour make a planned epoch last longer than a measured one."""


def check_net(desk: Desk, fold: Fold) -> None:
    """Check the untrained net on the first fold; each check goes into the ledger, faults as findings."""
    if desk.interrupted:
        return
    net = new_net(desk.plan.net, fold.problem, fold.inputs, fold.goal, fold.truth, desk.plan.seed)
    loss = ensemble_loss(fold.problem.target, 0.0)
    held_out = (fold.held_out, fold.goal_held_out)
    for check in before_training(net.module, fold.inputs, fold.goal, loss, held_out=held_out):
        desk.ledger.write(
            "check", name=check.name, passed=check.passed, text=check.text, evidence=check.evidence
        )
        if check.finding:
            desk.ledger.find(check.finding)


def net_candidate(desk: Desk, folds: list[Fold], rows: int, candidates: dict[str, Candidate]) -> None:
    """Train a net on as many folds as there is time for; "net" joins the candidates with the first.

    Ctrl-C, or the end of the time, keeps the best epoch so far of the fold at work.
    """
    if desk.interrupted or (desk.seconds_left < 0 and desk.ledger.decided("lesson") is None):
        return
    threads, count, epochs = desk.ledger.decide(
        "lesson", lambda: _lesson(desk, folds), "threads, folds, epochs"
    )
    plan = desk.plan.training.model_copy(update={"threads": threads})
    candidate = Candidate("net", "neural network", unanswered(folds, rows))
    for fold in folds[:count]:
        if candidate.members and not desk.ledger.decide(
            f"time for fold {fold.number}", lambda: desk.seconds_left > 0, "the clock"
        ):
            break
        share = desk.seconds_left / (count - fold.number)
        _teach(desk, fold, plan, epochs, desk.ledger.seconds + 1.5 * share, candidate)
        candidates["net"] = candidate
    _diagnose(desk, folds[:count], candidates)


def _diagnose(desk: Desk, folds: list[Fold], candidates: dict[str, Candidate]) -> None:
    """Name what went wrong in training; the dumb predictor and the best rival are the measure."""
    path, target = desk.folder / "history.parquet", folds[0].problem.target
    if not path.exists():
        return
    baseline = {fold.number: float(_constant_loss(fold, target)) for fold in folds}
    for finding in diagnose(pl.read_parquet(path), baseline, plan=desk.plan):
        desk.ledger.find(finding)


def _constant_loss(fold: Fold, target: Target) -> Tensor:
    """The validation loss of the best constant answer."""
    output = starting_output(target, fold.truth).expand(len(fold.goal_held_out), 1, -1)
    return ensemble_loss(target, 0.0)(output, fold.goal_held_out)


def _lesson(desk: Desk, folds: list[Fold]) -> tuple[int, int, int]:
    """Threads, folds, and epochs a fold, from the pace measured on the first fold."""
    fold, plan = folds[0], desk.plan
    target = fold.problem.target
    net = new_net(plan.net, fold.problem, fold.inputs, fold.goal, fold.truth, plan.seed)
    pace = measure_pace(net.module, fold.inputs, fold.goal, ensemble_loss(target, 0.0), plan.training)
    began = time.monotonic()
    net.predict(fold.held_out)
    seconds = pace.seconds[pace.threads] + time.monotonic() - began
    affordable = desk.seconds_left / (SLACK * seconds)
    count = max(1, min(len(folds), int(affordable // FEWEST_EPOCHS)))
    return pace.threads, count, max(1, min(plan.training.epochs or MOST_EPOCHS, int(affordable // count)))


def _teach(
    desk: Desk, fold: Fold, plan: TrainingPlan, epochs: int, until: float, candidate: Candidate
) -> None:
    """Train one fold's net until its epochs are done, patience ends, or the ledger's clock passes `until`."""
    target, began = fold.problem.target, time.monotonic()
    metric, seed = judging_metric(target), desk.plan.seed * 1000 + fold.number
    net = new_net(desk.plan.net, fold.problem, fold.inputs, fold.goal, fold.truth, seed)
    training = Training(net.module, plan, epochs=epochs, seed=seed, higher_is_better=metric.higher_is_better)
    folder = desk.folder / "checkpoint" / f"fold-{fold.number}"
    damaged = training.resume(folder)
    if damaged:
        desk.ledger.find(damaged)
    history = History(desk.folder / "history.parquet", fold.number, training.epoch)
    stop, saved = f"last epoch of fold {fold.number}", time.monotonic()
    try:
        for epoch in train(training, fold.inputs, fold.goal, ensemble_loss(target, plan.label_smoothing)):
            with training.evaluating():
                outputs = net.outputs(fold.held_out)
            score = metric.function(fold.truth_held_out, net.scores(outputs), None)
            training.judge(score)
            history.add(epoch, score, float(ensemble_loss(target, 0.0)(outputs, fold.goal_held_out)))
            desk.watcher.progress(training.epoch / epochs, f"fold {fold.number + 1}", desk.seconds_left)
            if time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS:
                history.save()
                training.save(folder)
                saved = time.monotonic()
            last = desk.ledger.decided(stop)
            if training.epoch == last or (last is None and desk.ledger.seconds > until):
                desk.ledger.decide(stop, lambda: training.epoch, "the clock")
                break
        training.save(folder)
    finally:
        history.save()
        if training.best.snapshot:
            training.adopt_best()
            candidate.join(fold, net)
            candidate.took += time.monotonic() - began
            desk.ledger.write(
                "train",
                fold=fold.number,
                epochs=training.epoch,
                best_epoch=training.best.epoch,
                score=training.best.score,
                stopped=_why_over(training),
                parameters=sum(parameter.numel() for parameter in net.module.parameters()),
                took=round(time.monotonic() - began, 2),
            )


def _why_over(training: Training) -> str:
    if not training.finite:
        return "diverged"
    if training.epoch >= training.epochs:
        return "all epochs done"
    return "no better for a while" if training.best.exhausted else "time was up"
