"""A remedy: one change of the plan, asked for by a finding, and the lesson that tries it.

remedy = remedy_for(findings, lesson, tried=set())
other = remedy.applied("-mended-1").taught(until)
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from preceptor.finding import Finding
from preceptor.lesson import Lesson


@dataclass(frozen=True)
class Remedy:
    """What is changed, {"training": {...}, "net": {...}}, in which lesson, and because of which finding."""

    code: str
    lesson: Lesson
    change: dict[str, dict[str, Any]]

    @property
    def text(self) -> str:
        """The change in words: "dropout 0.1 -> 0.2"."""
        told = []
        for part, fields in self.change.items():
            before = self.lesson.plan if part == "training" else self.lesson.shape
            told += [
                f"{name.replace('_', ' ')} {_said(self._before(before, name))} → {_said(value)}"
                for name, value in fields.items()
            ]
        return ", ".join(told)

    def _before(self, plan: Any, name: str) -> Any:
        return self.lesson.schedule.epochs if name == "epochs" else getattr(plan, name)

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


def remedy_for(findings: Sequence[Finding], lesson: Lesson, tried: Collection[str]) -> Remedy | None:
    """The remedy of the first finding that is no mere note, changes net or training, and is new.

    What a person has chosen is not chosen otherwise.
    """
    given = lesson.desk.given
    chosen = {"net": given.net.model_fields_set, "training": given.training.model_fields_set}
    for finding in findings:
        parts = {part: fields for part, fields in finding.change.items() if part in chosen}
        change = {part: fields for part, fields in parts.items() if not chosen[part] & fields.keys()}
        if finding.severity != "note" and change and finding.code not in tried:
            return Remedy(finding.code, lesson, change)
    return None


def _said(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
