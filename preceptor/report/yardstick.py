"""A metric in plain words: how a score, an interval and a difference are said.

yardstick = Yardstick.of("number", "rmse", "price")
yardstick.said(42913.0, (41700, 44200))          # "42,900"
yardstick.gap(0.021)                             # "2.1 percentage points", for a share
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from preceptor.figures.words import Interval, number, shortened, span, step
from preceptor.metrics import (
    Metric,
    forecast_metrics,
    many_class_metrics,
    regression_metrics,
    tag_metrics,
    two_class_metrics,
)

TITLES = {"roc_auc": "ranking score (ROC AUC)", "rmse": "typical error (RMSE)"}
PLAIN = {
    "rmse": "Typical error is the root of the mean squared error: large errors weigh more than small ones.",
    "mae": "The average size of the errors, large and small alike.",
    "r2": "The share of the differences between the rows that the prediction explains: 100 % is perfect, 0 % "
    "no better than always answering the average.",
    "roc_auc": "Take one row of each class at random: how often the right one gets the higher score. "
    "50 % is guessing, 100 % perfect. (Its usual name is ROC AUC.)",
    "accuracy": "The share of the rows that are answered rightly.",
    "macro_f1": "F1 weighs what is found against what is falsely reported; every class counts alike, "
    "however rare. 100 % is perfect.",
    "mse_standardised": "Squared errors in spreads: 1 is what always forecasting the mean would err.",
    "mae_standardised": "The average size of the errors in spreads: 1 is how far values usually stray from "
    "their mean.",
    "log_loss": "How much the truth surprises the prediction; 0 is perfect, being sure and wrong costs most.",
}


@dataclass(frozen=True)
class Yardstick:
    """The metric of a run. `unit` is "target", "share" or ""."""

    name: str
    title: str
    unit: str
    higher_is_better: bool
    target: str

    @classmethod
    def of(cls, task: str, name: str, target: str, title: str = "", higher: bool = False) -> "Yardstick":
        """The yardstick called `name` for a task; unknown ones are said without a unit."""
        metric = _metrics(task).get(name)
        if metric is None:
            return cls(name, TITLES.get(name, title or name), "", higher, target)
        unit = "share" if name == "r2" else metric.unit
        return cls(name, TITLES.get(name, title or metric.title), unit, metric.higher_is_better, target)

    @property
    def plain(self) -> str:
        """What the metric means, in a sentence or two; empty where nothing is known about it."""
        return PLAIN.get(self.name, "")

    @property
    def short(self) -> str:
        """The title without what stands in brackets: "typical error"."""
        return re.split(r",| \(", self.title)[0]

    @property
    def axis(self) -> str:
        """The metric as the title of an axis, with its unit."""
        if self.unit == "target":
            return f"{self.short}, in units of {shortened(self.target, 30)}"
        return self.title

    @property
    def scale(self) -> float:
        """What scores are multiplied with to be said: 100 for a share, said in percent."""
        return 100.0 if self.unit == "share" else 1.0

    def said(self, score: object, interval: Interval | None = None) -> str:
        """A score in words."""
        if not isinstance(score, int | float):
            return "not known"
        told = number(score * self.scale, self._wide(interval))
        return told + ("\u00a0%" if self.unit == "share" and told != "not known" else "")

    def between(self, interval: Interval, score: float) -> str:
        """An interval in words, to the digit that the score is said to."""
        wide = self._wide(interval)
        return span(wide or interval, score * self.scale) + ("\u00a0%" if self.unit == "share" else "")

    def gap(self, difference: float, interval: Interval | None = None) -> str:
        """The size of a difference between two scores in words."""
        wide = self._wide(interval)
        grain = step(difference * self.scale, wide) if wide else None
        return number(abs(difference) * self.scale, grain=grain) + self._points

    def gaps(self, interval: Interval) -> str:
        """The range of a difference in words: "3,100 to 4,700"."""
        grain = step(sum(interval) / 2 * self.scale, self._wide(interval))
        return " to ".join(number(end * self.scale, grain=grain) for end in interval)

    @property
    def _points(self) -> str:
        return " percentage points" if self.unit == "share" else ""

    def worse_by(self, drop: float, interval: Interval | None = None) -> str:
        """A loss of score in words: "grows by 41,000", "falls by 2.1 percentage points"."""
        return f"{'falls' if self.higher_is_better else 'grows'} by {self.gap(drop, interval)}"

    def _wide(self, interval: Interval | None) -> Interval | None:
        return (interval[0] * self.scale, interval[1] * self.scale) if interval else None


def _metrics(task: str) -> dict[str, Metric]:
    families: dict[str, Callable[[], dict[str, Metric]]] = {
        "number": regression_metrics,
        "two-class": two_class_metrics,
        "many-class": many_class_metrics,
        "tags": tag_metrics,
        "series": lambda: forecast_metrics(np.ones(1), several=False),
    }
    if task in families:
        return families[task]()
    return {name: metric for family in families.values() for name, metric in family().items()}
