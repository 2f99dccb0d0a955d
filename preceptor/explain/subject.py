"""What is looked at: examined rows and their answers, the rows learnt from, and who answers.

    subject = Subject(table, learnt, predictor, scores, errors)
    subject.worst(12), subject.told(rows)

Shapes: N examined rows, B of them, K scores of a row.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from preceptor.data.table import Table
from preceptor.kinds.kind import Target
from preceptor.net import Net
from preceptor.predictor import Predictor
from preceptor.problem import Inputs, Problem

Array = np.ndarray
CLASSES = ("two-class", "many-class")


@dataclass(frozen=True)
class Subject:
    """`table` holds the N examined rows with `scores` (N,) or (N, K) and `errors` (N,), greatest worst.

    `learnt` holds the rows that the first fold's net has learnt from.
    """

    table: Table
    learnt: Table
    predictor: Predictor
    scores: Array
    errors: Array

    @property
    def target(self) -> Target:
        """The kind that is asked for."""
        return self.predictor.target

    @property
    def problem(self) -> Problem:
        """The first fold's, whose kinds the first net reads by."""
        return self.predictor.problems[0]

    @property
    def net(self) -> Net | None:
        """The first fold's net, whoever answers; None where none was trained."""
        return next((one for one in self.predictor.families.get("net", []) if isinstance(one, Net)), None)

    @cached_property
    def names(self) -> list[str]:
        """The K classes or tags; empty for numbers."""
        shares = self.target.answers(self.scores[:1]).columns
        return [name[2:-1] for name in shares if name.startswith("p(") and name.endswith(")")]

    @cached_property
    def chosen(self) -> Array:
        """(N,) int64: which of the K scores each answer is, or the strongest tag; 0 for numbers."""
        many = self.scores.ndim == 2 and bool(self.names)
        return self.scores.argmax(axis=1) if many else np.zeros(len(self.scores), np.int64)

    @cached_property
    def truth(self) -> Array:
        """(N,) the class number of each row; only where there are classes."""
        return self.target.truth(self.table.frame[self.target.column])

    def worst(self, most: int, column: str) -> Array:
        """The rows that went worst, at most half of all, no two alike in the column."""
        order = self._apart(np.argsort(-self.errors, kind="stable"), column)
        return order[: min(most, len(order) // 2)]

    def best(self, most: int, column: str) -> Array:
        """The rows that went best, from each class in turn, at most half of all, no two alike."""
        order = self._apart(np.argsort(self.errors, kind="stable"), column)
        nth, seen = np.zeros(len(order)), dict[int, int]()
        for place, row in enumerate(order):
            nth[place] = seen[self.chosen[row]] = seen.get(self.chosen[row], -1) + 1
        return order[np.argsort(nth, kind="stable")][: min(most, len(order) // 2)]

    def _apart(self, order: Array, column: str) -> Array:
        """The first row of each value of the column, in that order."""
        values = self.table.frame[column].gather(order)
        return order[values.is_first_distinct().to_numpy()]

    def told(self, rows: Iterable[int]) -> list[dict[str, Any]]:
        """For each row its line, truth, answer and error; with classes, how sure the answer was."""
        rows = np.asarray(list(rows), np.int64)
        truths = self.table.frame[self.target.column]
        answers = self.target.answers(self.scores[rows])[self.target.column]
        told = []
        for place, row in enumerate(rows):
            one = {"line": int(self.table.lines[row]), "truth": spoken(truths[int(row)])}
            one |= {"answer": spoken(answers[place]), "error": float(self.errors[row])}
            if self.target.task in CLASSES:
                one["sure"] = float(self.scores[row, self.chosen[row]])
            told.append(one)
        return told

    def encoded(self, rows: Array) -> Inputs:
        """Examined rows as the net takes them."""
        return self.problem.encode(self.table.take(rows))

    def explained(self, rows: Array, output_BMK: Tensor) -> Tensor:
        """(B,): how far each row's answer leads in a net's output, or the number itself."""
        output = output_BMK.mean(dim=1)
        if self.target.task in CLASSES:
            output = output - output.mean(dim=1, keepdim=True)
        return output.gather(1, torch.from_numpy(self.chosen[rows])[:, None])[:, 0]


def spoken(value: Any) -> Any:
    """A value as JSON holds it."""
    return value if isinstance(value, (int, float, str, bool)) or value is None else str(value)


def joined(told: list[dict[str, Any]], **more: list[Any]) -> list[dict[str, Any]]:
    """Each row with its own value of every further key."""
    return [{**one, **{key: values[n] for key, values in more.items()}} for n, one in enumerate(told)]


def at_a_glance(subject: Subject, most_classes: int, each: int) -> list[tuple[str, int, Array]]:
    """Learnt rows to show what there is: (class, how many rows, some of them), the most frequent class first.

    Where numbers are asked for, one group of rows from the least to the greatest.
    """
    answers = subject.learnt.frame[subject.target.column]
    if not subject.names:
        order = answers.arg_sort().to_numpy() if answers.dtype.is_numeric() else np.arange(len(answers))
        return [("", len(order), order[np.linspace(0, len(order) - 1, min(each, len(order))).astype(int)])]
    classes = subject.target.truth(answers)
    hot = classes[:, None] == np.arange(len(subject.names)) if classes.ndim == 1 else classes > 0
    order = np.argsort(-hot.sum(axis=0), kind="stable")[:most_classes]
    return [(subject.names[k], int(hot[:, k].sum()), np.flatnonzero(hot[:, k])[:each]) for k in order]
