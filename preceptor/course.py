"""The net's course: a lesson for each fold; what goes wrong in the first one is mended before the others.

    net_candidate(desk, folds, parts, candidates)        # adds "net" to the candidates

A remedy is one change of the plan, asked for by what was seen: the first fold's net is trained again, and
the validation rows say whether the change is kept or taken back. The other folds' nets learn together.
"""

import sys
import time
from collections.abc import Sequence
from functools import partial

import polars as pl
import torch

from preceptor.contest import Candidate, Fold, unanswered
from preceptor.desk import Desk
from preceptor.diagnose import diagnose
from preceptor.diagnose.curve import curves
from preceptor.finding import Finding
from preceptor.lesson import Lesson, teach_together
from preceptor.measure import constant_loss, rival_loss
from preceptor.recipe import other_way
from preceptor.remedy import Remedy, prescribed, remedy_for
from preceptor.split import Split
from preceptor.tempo import schedule_for
from preceptor.timetable import Schedule

Recorded = tuple[pl.DataFrame, dict[int, float], dict[int, float] | None]
MOST_REMEDIES = 3
"""So many changes are tried, one after the other."""
SPARED = 0.5
"""A remedy may cost so many of the other folds' lessons, as a share: a sound net is worth more than many."""


def net_candidate(desk: Desk, folds: list[Fold], parts: Split, candidates: dict[str, Candidate]) -> None:
    """Train a net on as many folds as there is time for; "net" joins the candidates with the first.

    Ctrl-C, or the end of the time, keeps the best epoch so far of the folds at work.
    """
    if desk.interrupted or (desk.seconds_left < 0 and desk.ledger.decided("schedule") is None):
        return
    schedule = Schedule(
        *desk.ledger.decide("schedule", lambda: schedule_for(desk, folds, parts.sealed.count), "the pace")
    )
    candidate = Candidate("net", "neural network", unanswered(folds, len(parts.open)))
    course = Course(desk, schedule, folds[: schedule.folds], candidate, candidates)
    course.first()
    course.others()
    # Given back, the plan goes straight to what the duel and the remedies have taught.
    desk.plan = desk.plan.model_copy(update={"net": course.lesson.shape, "training": course.lesson.plan})
    course.conclude(folds[: len(candidate.members)])


class Course:
    """The lessons of one net: `lesson` is the first fold's, whose plan the others follow.

    The first fold's are watched by the doctor. `alarms` are those that stand in the end, `refuted` the codes
    whose remedy did not help.
    """

    def __init__(
        self,
        desk: Desk,
        schedule: Schedule,
        folds: Sequence[Fold],
        candidate: Candidate,
        candidates: dict[str, Candidate],
    ) -> None:
        self.desk, self.folds = desk, folds
        self.candidate, self.candidates, self.began = candidate, candidates, time.monotonic()
        # A plan given back holds what the remedies have taught, and as many epochs as they came to.
        self.mended = desk.plan.decisions.get("epochs after remedies")
        self.schedule = schedule._replace(epochs=self.mended or schedule.epochs)
        training = desk.plan.training.model_copy(update=schedule.way)
        self.lesson = Lesson(desk, folds[0], desk.plan.net, training, self.schedule, watched=not self.mended)
        self.alarms, self.refuted = list[Finding](), set[str]()

    def first(self) -> None:
        """Teach the first fold's net, the other way too where there is time, and mend what goes wrong."""
        try:
            self.lesson = self.lesson.taught(self._until(len(self.folds)))
            other = other_way(self.lesson.shape) if self.schedule.duel else None
            if other and not self.desk.interrupted:
                rival = self.lesson.anew("-duel", net=other).taught(self._until(len(self.folds)))
                self.lesson = self.lesson.better(rival)
            if not self.mended:
                self._mend()
        finally:
            self._join(self.lesson)
        self.desk.ledger.decide("epochs after remedies", lambda: self.lesson.schedule.epochs, "the remedies")

    def _until(self, lessons: int) -> float:
        """When a lesson must end so that as many as these find time; late by half at most."""
        return self.desk.ledger.seconds + 1.5 * self.desk.seconds_left / lessons

    def _mend(self) -> None:
        """While something is wrong that a change of the plan may mend, and there is time: try it."""
        tried: set[str] = set()
        for number in range(MOST_REMEDIES):
            remedy = remedy_for(self._wrong(), self.lesson, tried)
            if remedy is None or not self.desk.ledger.decide(
                f"time for remedy {number + 1}", partial(self._time_for, remedy), "the clock"
            ):
                break
            tried.add(remedy.code)
            other = remedy.applied(f"-mended-{number + 1}").taught(self._until(1))
            self.lesson = self._judged(remedy, other)
        self.alarms = [alarm for alarm in self._alarms() if alarm.code not in self.refuted]

    def _wrong(self) -> list[Finding]:
        """What is wrong with the lesson: what the doctor says, or else what its history shows."""
        return self._alarms() or self.seen([self.folds[0]], self.lesson.history.frame)

    def _alarms(self) -> list[Finding]:
        """What the doctor says, who is asked only where more was to be had than the lesson has brought."""
        if not self.lesson.history.rows:
            return []
        (curve,) = curves(*self._recorded([self.folds[0]], self.lesson.history.frame))
        return self.lesson.alarms() if curve.poor else []

    def _time_for(self, remedy: Remedy) -> bool:
        others = SPARED * (len(self.folds) - 1)
        return self.desk.seconds_left > (remedy.cost + others) * self.lesson.took

    def _judged(self, remedy: Remedy, other: Lesson) -> Lesson:
        """The lesson that stays; the ledger is told of both."""
        ours, theirs = self.lesson.training.best, other.training.best
        kept = bool(theirs.snapshot) and ours.sign * (theirs.score - ours.score) > 0
        if not kept:
            self.refuted.add(remedy.code)
        self.desk.ledger.find(remedy.judged(kept))
        self.desk.ledger.write(
            "remedy",
            code=remedy.code,
            text=remedy.text,
            change=remedy.change,
            metric=other.metric.name,
            before=ours.score,
            after=theirs.score,
            kept=kept,
            curves={"before": self.lesson.history.scores, "after": other.history.scores},
        )
        return other if kept else self.lesson

    def others(self) -> None:
        """Teach the other folds' nets, together, as many as there is time for."""
        count = self.desk.ledger.decide("folds taught together", self._affordable, "the clock")
        lessons = [self.lesson.for_fold(fold) for fold in self.folds[1 : 1 + count]]
        if self.desk.ranks.size > 1:
            for lesson in lessons:
                self._alone(lesson)
            return
        # Which nets are taught as one program decides last bits, so their number is remembered.
        programs = self.desk.ledger.decide("programs side by side", torch.get_num_threads, "the cores")
        try:
            if lessons:
                teach_together(lessons, self.desk.ledger.seconds + 1.5 * self.desk.seconds_left, programs)
        finally:
            for lesson in lessons:
                self._join(lesson)

    def _alone(self, lesson: Lesson) -> None:
        try:
            lesson.teach(self._until(1))
        finally:
            self._join(lesson)

    def _affordable(self) -> int:
        """How many more lessons there is time for, at the pace of the first."""
        if self.desk.seconds_left < 0:
            return 0
        return min(len(self.folds) - 1, max(1, int(self.desk.seconds_left / max(self.lesson.took, 1e-9))))

    def _join(self, lesson: Lesson) -> None:
        """Close the lesson and let its net answer the rows held out."""
        # When a rank is lost, the next sitting goes on from the checkpoint.
        if not isinstance(sys.exception(), RuntimeError) and lesson.close():
            self.candidate.join(lesson.fold, lesson.net)
            self.candidate.took = time.monotonic() - self.began
            self.candidates["net"] = self.candidate

    def conclude(self, folds: Sequence[Fold]) -> None:
        """Write down what is wrong in the end; what an alarm explains is not told again of the histories."""
        path = self.desk.folder / "history.parquet"
        seen = self.seen(folds, pl.read_parquet(path)) if path.exists() else []
        seen = [finding for finding in seen if finding.severity == "note" or not self.alarms]
        for finding in [*self.alarms, *(one for one in seen if one.code not in self.refuted)]:
            self.desk.ledger.find(prescribed(finding, self.lesson))

    def seen(self, folds: Sequence[Fold], history: pl.DataFrame) -> list[Finding]:
        """What the histories of these folds show to be wrong."""
        return diagnose(*self._recorded(folds, history)) if len(history) else []

    def _recorded(self, folds: Sequence[Fold], history: pl.DataFrame) -> Recorded:
        """A history, with what its losses are measured by: the dumb predictor, and the best rival."""
        baseline = {fold.number: constant_loss(fold) for fold in folds}
        rival = {fold.number: rival_loss(fold, self.candidates, baseline[fold.number]) for fold in folds}
        known = {fold: loss for fold, loss in rival.items() if loss is not None}
        return history, baseline, known or None
