"""A remedy: one change of the plan, asked for by a finding, and the lesson that tries it.

remedy = remedy_for(findings, lesson, tried=set())
other = remedy.applied("-mended-1").taught(until)
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from preceptor.diagnose.curve import as_call
from preceptor.finding import Finding
from preceptor.lesson import Lesson
from preceptor.plan import NetPlan, TrainingPlan

Change = dict[str, dict[str, Any]]
USUAL, WIDEST = NetPlan(), 4096
FEWEST_ROWS_A_STEP = 32


@dataclass(frozen=True)
class Remedy:
    """What is changed, {"training": {...}, "net": {...}}, in which lesson, and because of which finding."""

    finding: Finding
    lesson: Lesson
    change: Change

    @property
    def code(self) -> str:
        """What it is good for."""
        return self.finding.code

    @property
    def text(self) -> str:
        """The change in words: "dropout 0.1 → 0.2"."""
        told = []
        for part, fields in self.change.items():
            told += [
                f"{name.replace('_', ' ')} {_said(_now(self.lesson, part, name))} → {_said(value)}"
                for name, value in fields.items()
            ]
        return ", ".join(told)

    def applied(self, mark: str) -> Lesson:
        """The lesson that tries it, from the start, so that the changed plan repeats it to the bit."""
        training = self.lesson.plan.model_copy(update=self.change.get("training", {}))
        net = self.lesson.shape.model_copy(update=self.change.get("net", {}))
        return self.lesson.anew(mark, net=net, training=training)

    @property
    def cost(self) -> float:
        """How many times the lesson's own seconds it will take."""
        epochs = self.change.get("training", {}).get("epochs", self.lesson.schedule.epochs)
        return float(epochs / self.lesson.schedule.epochs)

    def judged(self, kept: bool) -> Finding:
        """The finding with what was done; without the harm that a remedy shows, it was but a symptom."""
        severity = self.finding.severity if kept else "note"
        done = f"{self.text}: {'kept' if kept else 'it did not help, and was taken back'}."
        return replace(self.finding, severity=severity, done=done[:1].upper() + done[1:], change=self.change)


def remedy_for(findings: Sequence[Finding], lesson: Lesson, tried: Collection[str]) -> Remedy | None:
    """The remedy of the first finding that is no mere note, changes net or training, and is new.

    What a person has chosen is not chosen otherwise.
    """
    given = lesson.desk.given
    chosen = {"net": given.net.model_fields_set, "training": given.training.model_fields_set}
    for finding in findings:
        parts = {part: fields for part, fields in change_for(finding, lesson).items() if part in chosen}
        change = {part: fields for part, fields in parts.items() if not chosen[part] & fields.keys()}
        if finding.severity != "note" and change and finding.code not in tried:
            return Remedy(finding, lesson, change)
    return None


def prescribed(finding: Finding, lesson: Lesson) -> Finding:
    """The finding with the change of this plan that it asks for, and the line that makes it."""
    change = change_for(finding, lesson)
    words = finding.remedy.rstrip(".") or "Try"
    return replace(finding, change=change, remedy=f"{words}: {as_call(change)}") if change else finding


def change_for(finding: Finding, lesson: Lesson) -> Change:
    """What a finding asks to change in the plan of a lesson; empty where there is nothing to change."""
    known = CURES[finding.code](lesson) if finding.code in CURES else finding.change
    new = {
        part: {name: value for name, value in fields.items() if value != _now(lesson, part, name)}
        for part, fields in known.items()
    }
    return {part: fields for part, fields in new.items() if fields}


def _now(lesson: Lesson, part: str, name: str) -> Any:
    if name == "epochs":
        return lesson.schedule.epochs
    return getattr(lesson.plan if part == "training" else lesson.shape, name, None)


def _slower(lesson: Lesson) -> Change:
    return {"training": {"learning_rate": float(f"{lesson.plan.learning_rate / 10:.2g}")}}


def _clipped(lesson: Lesson) -> Change:
    return {"training": {"clip": 1.0}}


def _freer(lesson: Lesson) -> Change:
    """Dropout as it usually is; where it is that, next to no weight decay."""
    if lesson.shape.dropout > USUAL.dropout:
        return {"net": {"dropout": USUAL.dropout}}
    return {"training": {"weight_decay": lesson.plan.weight_decay / 100}}


def _more_regularised(lesson: Lesson) -> Change:
    """More dropout while there is room (20 to 50 %, G14), then more weight decay."""
    if lesson.shape.dropout < 0.5:
        return {"net": {"dropout": round(min(lesson.shape.dropout + 0.1, 0.5), 2)}}
    return {"training": {"weight_decay": max(10 * lesson.plan.weight_decay, 1e-3)}}


def _larger(lesson: Lesson) -> Change:
    """Twice the width, and at least the usual one."""
    width = min(max(2 * lesson.shape.width, USUAL.width), WIDEST)
    return {"net": {"width": width, "depth": max(lesson.shape.depth, USUAL.depth)}}


def _longer(lesson: Lesson) -> Change:
    return {"training": {"epochs": 2 * lesson.schedule.epochs}}


CURES: dict[str, Callable[[Lesson], Change]] = {
    **dict.fromkeys(("not-finite", "dead-units", "saturated-units"), _slower),
    "over-regularised": _freer,
    "batch-too-small": lambda _: {"training": {"batch_size": FEWEST_ROWS_A_STEP}},
    "exploding-gradient": _clipped,
    "clipping-always": _clipped,
    "harmful-augmentation": lambda _: {"training": {"augment": ()}},
    "schedule-collapsed": lambda _: {"training": {"schedule": TrainingPlan().schedule}},
    "underfitting": _larger,
    "overfitting": _more_regularised,
    "too-few-epochs": _longer,
}
"""What a finding asks for that hangs on what the plan is now; others name their change themselves."""


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
