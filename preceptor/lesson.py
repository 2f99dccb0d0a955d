"""The net's lesson: one net a fold, trained within the time there is, its best epoch kept.

    net_candidate(desk, folds, candidates)        # adds "net" to the candidates

The clock turns into whole numbers (threads, folds, epochs) that the ledger remembers; given them the
weights are a pure function of plan and seed, however often the lesson was killed and resumed.
"""

import time

from preceptor.contest import Candidate, Fold, unanswered
from preceptor.desk import Desk
from preceptor.history import History
from preceptor.net import Net, configuration, ensemble_loss, judging_metric, new_net
from preceptor.plan import TrainingPlan
from preceptor.training.loop import train
from preceptor.training.pace import measure_pace
from preceptor.training.state import Training

MOST_EPOCHS, FEWEST_EPOCHS = 60, 8
SECONDS_BETWEEN_CHECKPOINTS = 5.0
SLACK = 1.15
"""Checkpoints and a busy neighbour make a planned epoch last longer than a measured one."""


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


def _lesson(desk: Desk, folds: list[Fold]) -> tuple[int, int, int]:
    """Threads, folds, and epochs a fold, from the pace measured on the first fold."""
    fold, plan = folds[0], desk.plan
    target = fold.problem.target
    net = new_net(plan.net, fold.problem, fold.truth, plan.seed)
    pace = measure_pace(net, fold.inputs, fold.goal, ensemble_loss(target, 0.0), plan.training)
    began = time.monotonic()
    Net(net, {}, target).predict(fold.held_out)
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
    module = new_net(desk.plan.net, fold.problem, fold.truth, seed)
    training = Training(module, plan, epochs=epochs, seed=seed, higher_is_better=metric.higher_is_better)
    net = Net(module, configuration(desk.plan.net, fold.problem), target)
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
