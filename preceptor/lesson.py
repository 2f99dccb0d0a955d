"""The net's lesson: one fold's net, trained within the time there is.

    lesson = Lesson(desk, fold, plan.net, plan.training, schedule).taught(until)
    lesson.close()                                       # the net has its best epoch's weights

The clock turns into whole numbers (threads, folds, epochs) that the ledger remembers; given them the
weights are a pure function of plan and seed, however often the lesson was killed and resumed.
"""

import time
from collections.abc import Iterator, Sequence

from preceptor.checkup import Watch, watchable
from preceptor.contest import Fold
from preceptor.desk import Desk
from preceptor.finding import Finding
from preceptor.history import History
from preceptor.net import ensemble_loss, judging_metric, new_net
from preceptor.plan import NetPlan, TrainingPlan
from preceptor.tempo import augmenter, judged
from preceptor.timetable import Schedule
from preceptor.training.loop import Epoch, train, unheard
from preceptor.training.stack import Material
from preceptor.training.state import Training
from preceptor.training.stream import train_stream
from preceptor.training.together import train_together

SECONDS_BETWEEN_CHECKPOINTS = 5.0
SLOWER, ATTEMPTS = 0.1, 2
"""What the learning rate is multiplied by when training has diverged, and how often it may begin again."""
TRIAL_STEPS, DOCTOR_SHARE = 1_000, 0.05
"""So many steps the doctor's trials take after a lesson; he is asked where that share of the budget, and the
time left, have room for them."""


class Lesson:
    """One fold's net in training: taught epoch by epoch, saved every few seconds.

    Where it is `watched`, a doctor looks on from the first step; a lesson that is resumed half-way has none.
    """

    def __init__(
        self,
        desk: Desk,
        fold: Fold,
        shape: NetPlan,
        plan: TrainingPlan,
        schedule: Schedule,
        mark: str = "",
        *,
        watched: bool = False,
    ) -> None:
        self.desk, self.fold, self.shape, self.plan, self.schedule = desk, fold, shape, plan, schedule
        self.watched = watched and watchable(fold, desk.ranks)
        self.watch: Watch | None = None
        self.mark, self.name, self.began = mark, f"fold-{fold.number}{mark}", time.monotonic()
        self.folder, self.abreast = desk.folder / "checkpoint" / self.name, 1
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
        if not self.begin(until):
            return
        self.call_ranks()
        for epoch in self.epochs():
            if self.hear(epoch, until):
                break
        self.rest()

    def begin(self, until: float) -> bool:
        """Go on from the checkpoint, if there is one; whether there is anything left to do."""
        self.folder.parent.mkdir(exist_ok=True)
        damaged = self.training.resume(self.folder)
        if damaged:
            self.desk.ledger.find(damaged)
        if self.watched and not self.training.epoch:
            self.watch = Watch(self.fold, self.training, self.loss)
        path = self.folder.with_name(f"{self.name}.parquet")
        self.history, self.saved = History(path, self.fold.number, self.training.epoch), time.monotonic()
        return not (self.training.over or self._over(until))

    def hear(self, epoch: Epoch, until: float) -> bool:
        """Examine the net after an epoch, write it down; True when the clock says stop."""
        if self.training.finite:
            score, loss = self._examined()
            self.training.judge(score)
            self.history.add(epoch, score, loss)
            if self.watch:
                self.watch.validated(epoch.loss, loss)
        if time.monotonic() - self.saved > SECONDS_BETWEEN_CHECKPOINTS:
            self.rest()
        return self._over(until)

    def rest(self) -> None:
        """Write down how far the lesson has come."""
        self.history.save()
        self.training.save(self.folder)
        self.saved = time.monotonic()

    def epochs(self) -> Iterator[Epoch]:
        """The epochs that are left, each once it is done."""
        inputs, goal, loss, _, augment = self.material
        if self.fold.stream:
            return train_stream(self.training, self.fold.stream, loss, augment=augment)
        return train(self.training, inputs, goal, loss, augment=augment, observer=self.watch or unheard)

    @property
    def material(self) -> Material:
        """What the net learns from."""
        augment = augmenter(self.desk.plan, self.fold)
        return Material(self.fold.inputs.tensors, self.fold.goal, self.loss, augment=augment)

    @property
    def took(self) -> float:
        """Seconds from its beginning to its last rest; its part of them, where others are taught beside."""
        return (self.saved - self.began) / self.abreast

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

    def anew(
        self, mark: str, *, net: NetPlan | None = None, training: TrainingPlan | None = None
    ) -> "Lesson":
        """The same fold's lesson from the start, under another name and with what is given changed."""
        plan, schedule = training or self.plan, self.schedule
        if plan.epochs and plan.epochs != self.plan.epochs:
            schedule = schedule._replace(epochs=plan.epochs)
        marks = self.mark + mark
        return Lesson(self.desk, self.fold, net or self.shape, plan, schedule, marks, watched=self.watched)

    def for_fold(self, fold: Fold) -> "Lesson":
        """The lesson of another fold, taught as this one was in the end."""
        return Lesson(self.desk, fold, self.shape, self.plan, self.schedule)

    def again(self, factor: float) -> "Lesson":
        """The same lesson from the start with the learning rate times `factor`; the ledger says why."""
        rate = factor * self.plan.learning_rate
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
        return self.anew("-again", training=self.plan.model_copy(update={"learning_rate": rate}))

    def alarms(self) -> list[Finding]:
        """What the doctor is sure of, the likeliest cause first; asked once, and then the ledger knows.

        The lesson has had an epoch at least.
        """
        known = [event for event in self.desk.ledger.of("doctor") if event["lesson"] == self.name]
        if not known:
            spare = min(DOCTOR_SHARE * self.desk.budget, self.desk.seconds_left)
            price = TRIAL_STEPS * self.took / self.history.rows[-1]["step"]
            found = self.watch.alarms() if self.watch and price < spare else []
            told = [finding.as_dict() for finding in found]
            known = [self.desk.ledger.write("doctor", lesson=self.name, alarms=told)]
            self.watch = None
        return [Finding.of(alarm) for alarm in known[-1]["alarms"]]

    def close(self) -> bool:
        """Give the net its best epoch's weights and write the lesson down; False when nothing was learnt."""
        training, self.watch = self.training, None
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
            took=round(self.took, 2),
        )
        return True

    def _why_over(self) -> str:
        if not self.training.finite:
            return "diverged"
        if self.training.epoch >= self.training.epochs:
            return "all epochs done"
        return "no better for a while" if self.training.best.exhausted else "time was up"


def teach_together(lessons: Sequence[Lesson], until: float, programs: int) -> None:
    """Teach nets of several folds at once: the same plan, each with rows, noise and end of its own."""
    for lesson in lessons:
        lesson.abreast = len(lessons)
    going = [lesson for lesson in lessons if lesson.begin(until)]
    while going:
        stopped: list[Lesson] = []
        trainings, materials = [one.training for one in going], [one.material for one in going]
        for epochs in train_together(trainings, materials, programs=programs):
            heard = ((one, epoch) for one, epoch in zip(going, epochs, strict=True) if epoch)
            stopped = [one for one, epoch in heard if one.hear(epoch, until)]
            if stopped:
                break
        going = [one for one in going if stopped and one not in stopped and not one.training.over]
    for lesson in lessons:
        lesson.rest()
