"""The net's lesson: one net a fold, trained within the time there is.

    net_candidate(desk, folds, parts, candidates)        # adds "net" to the candidates

The clock turns into whole numbers (threads, folds, epochs) that the ledger remembers; given them the
weights are a pure function of plan and seed, however often the lesson was killed and resumed.
"""

import sys
import time
from collections.abc import Iterator

import polars as pl
from torch import Tensor

from preceptor.contest import Candidate, Fold, unanswered
from preceptor.desk import Desk
from preceptor.diagnose import diagnose
from preceptor.finding import Finding
from preceptor.history import History
from preceptor.net import ensemble_loss, judging_metric, new_net, starting_output
from preceptor.plan import NetPlan, TrainingPlan
from preceptor.recipe import other_way
from preceptor.split import Split
from preceptor.tempo import augmenter, judged, schedule_for
from preceptor.timetable import Schedule
from preceptor.training.loop import Epoch, train
from preceptor.training.state import Training

SECONDS_BETWEEN_CHECKPOINTS = 5.0
SLOWER, ATTEMPTS = 0.1, 2
"""What the learning rate is multiplied by when training has diverged, and how often it may begin again."""


def net_candidate(desk: Desk, folds: list[Fold], parts: Split, candidates: dict[str, Candidate]) -> None:
    """Train a net on as many folds as there is time for; "net" joins the candidates with the first.

    Ctrl-C, or the end of the time, keeps the best epoch so far of the fold at work.
    """
    if desk.interrupted or (desk.seconds_left < 0 and desk.ledger.decided("schedule") is None):
        return
    schedule = Schedule(
        *desk.ledger.decide("schedule", lambda: schedule_for(desk, folds, parts.sealed.count), "the pace")
    )
    training = desk.plan.training.model_copy(update=schedule.way)
    net, candidate = desk.plan.net, Candidate("net", "neural network", unanswered(folds, len(parts.open)))
    began = time.monotonic()
    for fold in folds[: schedule.folds]:
        if fold.number and not desk.ledger.decide(
            f"time for fold {fold.number}", lambda: desk.seconds_left > 0, "the clock"
        ):
            break
        until = desk.ledger.seconds + 1.5 * desk.seconds_left / (schedule.folds - fold.number)
        lesson = Lesson(desk, fold, net, training, schedule)
        other = other_way(net) if schedule.duel and not fold.number else None
        try:
            lesson = lesson.taught(until)
            if other and not desk.interrupted:
                lesson = lesson.better(Lesson(desk, fold, other, training, schedule, "-duel").taught(until))
        finally:
            # When a rank is lost, the next sitting goes on from the checkpoint.
            if not isinstance(sys.exception(), RuntimeError) and lesson.close():
                candidate.join(fold, lesson.net)
                candidate.took = time.monotonic() - began
                candidates["net"] = candidate
        net, training = lesson.shape, lesson.plan
    # Given back, the plan goes straight to what the duel and the diverged attempts have taught.
    desk.plan = desk.plan.model_copy(update={"net": net, "training": training})
    _diagnose(desk, folds[: schedule.folds], candidates)


class Lesson:
    """One fold's net in training: taught epoch by epoch, saved every few seconds."""

    def __init__(
        self,
        desk: Desk,
        fold: Fold,
        shape: NetPlan,
        plan: TrainingPlan,
        schedule: Schedule,
        mark: str = "",
    ) -> None:
        self.desk, self.fold, self.shape, self.plan, self.schedule = desk, fold, shape, plan, schedule
        self.mark, self.name, self.began = mark, f"fold-{fold.number}{mark}", time.monotonic()
        seed, target = desk.plan.seed * 1000 + fold.number, fold.problem.target
        self.metric, self.loss = judging_metric(target), ensemble_loss(target, plan.label_smoothing)
        self.judged = judged(fold)
        self.net = new_net(shape, fold.problem, fold.inputs, fold.goal, fold.truth, seed)
        self.training = Training(
            self.net.module,
            plan,
            epochs=schedule.epochs,
            seed=seed,
            higher_is_better=self.metric.higher_is_better,
            shares=schedule.shares,
            ranks=desk.ranks,
        )

    def taught(self, until: float) -> "Lesson":
        """This lesson, or, where training diverged, the one that began again with smaller steps."""
        self.teach(until)
        if self.diverged and self.mark.count("-again") < ATTEMPTS:
            return self.again(SLOWER).taught(until)
        return self

    def better(self, other: "Lesson") -> "Lesson":
        """Whichever of two lessons on the same fold has the better score on the rows held out."""
        ours, theirs = self.training.best, other.training.best
        kept = other if ours.sign * (theirs.score - ours.score) > 0 else self
        with_neighbours = "with" if kept.shape.neighbours else "without"
        self.desk.ledger.write(
            "duel",
            text=f"{with_neighbours} neighbours",
            scores={one.name: one.training.best.score for one in (self, other)},
            kept=kept.name,
        )
        return kept

    def teach(self, until: float) -> None:
        """Train until all epochs are done, patience ends, or the ledger's clock passes `until`."""
        fold, training, folder = self.fold, self.training, self.desk.folder / "checkpoint" / self.name
        folder.parent.mkdir(exist_ok=True)
        damaged = training.resume(folder)
        if damaged:
            self.desk.ledger.find(damaged)
        self.history = History(folder.with_name(f"{self.name}.parquet"), fold.number, training.epoch)
        saved = time.monotonic()
        if self._over(until):
            return
        self.call_ranks()
        for epoch in self.epochs():
            if training.finite:
                score, loss = self._examined()
                training.judge(score)
                self.history.add(epoch, score, loss)
            if time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS:
                self.history.save()
                training.save(folder)
                saved = time.monotonic()
            if self._over(until):
                break
        self.history.save()
        training.save(folder)

    def epochs(self) -> Iterator[Epoch]:
        """The epochs that are left, each once it is done."""
        augment = augmenter(self.desk.plan, self.fold)
        return train(self.training, self.fold.inputs.tensors, self.fold.goal, self.loss, augment=augment)

    def call_ranks(self) -> None:
        """Have the other ranks take their places: the same lesson, as far as it has come."""
        shape, plan = (one.model_dump(mode="json") for one in (self.shape, self.plan))
        self.desk.ranks.tell(
            "lesson_begins", shape=shape, plan=plan, fold=self.fold.number, schedule=self.schedule
        )
        self.training.spread()

    def _examined(self) -> tuple[float, float]:
        """Score and loss on the rows held out, and a look for whoever watches."""
        fold, rows, done = self.fold, self.judged, self.training.epoch / self.schedule.epochs
        self.desk.watcher.progress(done, f"fold {fold.number + 1}", self.desk.seconds_left)
        with self.training.evaluating():
            outputs = self.net.outputs(fold.held_out.take(rows))
        score = self.metric.function(fold.truth_held_out[rows.numpy()], self.net.scores(outputs), None)
        return score, float(ensemble_loss(fold.problem.target, 0.0)(outputs, fold.goal_held_out[rows]))

    def _over(self, until: float) -> bool:
        """Whether the clock, or the clock of an earlier sitting, has said stop."""
        ledger, key = self.desk.ledger, f"last epoch of {self.name}"
        if ledger.decided(key) is None and self.training.epoch and ledger.seconds > until:
            ledger.decide(key, lambda: self.training.epoch, "the clock")
        return bool(ledger.decided(key) == self.training.epoch)

    @property
    def diverged(self) -> bool:
        """Whether the loss stopped being a number before anything was learnt."""
        return not self.training.finite and not self.training.best.snapshot

    def again(self, factor: float) -> "Lesson":
        """The same lesson from the start with the learning rate times `factor`; the ledger says why."""
        rate = factor * self.plan.learning_rate
        plan = self.plan.model_copy(update={"learning_rate": rate})
        self.desk.ledger.find(
            Finding(
                "training-diverged",
                "warning",
                f"The loss of fold {self.fold.number + 1} stopped being a number in epoch"
                f" {self.training.epoch + 1} at learning rate {self.plan.learning_rate:g}.",
                evidence={"epoch": self.training.epoch, "learning_rate": self.plan.learning_rate},
                done=f"begun again with learning rate {rate:g}",
                change={"training": {"learning_rate": rate}},
            )
        )
        return Lesson(self.desk, self.fold, self.shape, plan, self.schedule, f"{self.mark}-again")

    def close(self) -> bool:
        """Give the net its best epoch's weights and write the lesson down; False when nothing was learnt."""
        training = self.training
        if not training.best.snapshot:
            return False
        training.adopt_best()
        self.history.publish(self.desk.folder / "history.parquet")
        self.desk.ledger.write(
            "train",
            fold=self.fold.number,
            epochs=training.epoch,
            best_epoch=training.best.epoch,
            score=training.best.score,
            stopped=self._why_over(),
            parameters=sum(parameter.numel() for parameter in self.net.module.parameters()),
            took=round(time.monotonic() - self.began, 2),
        )
        return True

    def _why_over(self) -> str:
        if not self.training.finite:
            return "diverged"
        if self.training.epoch >= self.training.epochs:
            return "all epochs done"
        return "no better for a while" if self.training.best.exhausted else "time was up"


def _diagnose(desk: Desk, folds: list[Fold], candidates: dict[str, Candidate]) -> None:
    """Name what went wrong in training; the dumb predictor and the best rival are the measure."""
    path = desk.folder / "history.parquet"
    if path.exists():
        baseline = {fold.number: float(_constant_loss(fold)) for fold in folds}
        rival = {fold.number: _rival_loss(fold, candidates, baseline[fold.number]) for fold in folds}
        known = {fold: loss for fold, loss in rival.items() if loss is not None}
        for finding in diagnose(pl.read_parquet(path), baseline, known or None, desk.plan):
            desk.ledger.find(finding)


def _constant_loss(fold: Fold) -> Tensor:
    """The validation loss of the best constant answer."""
    target, rows = fold.problem.target, len(fold.goal_held_out)
    output = starting_output(target, fold.truth).expand(rows, 1, -1)
    return ensemble_loss(target, 0.0)(output, fold.goal_held_out)


def _rival_loss(fold: Fold, candidates: dict[str, Candidate], constant: float) -> float | None:
    """The best rival's validation loss in the net's units; None where its scores are no probabilities."""
    metric, task = judging_metric(fold.problem.target), fold.problem.target.task
    marks = {
        name: metric.function(fold.truth_held_out, candidate.scores[fold.rows_held_out], None)
        for name, candidate in candidates.items()
        if name != "net"
    }
    if task == "number":
        return constant * (min(marks.values()) / marks["dumb"]) ** 2 if marks["dumb"] else None
    return min(marks.values()) if metric.name == "log_loss" else None
