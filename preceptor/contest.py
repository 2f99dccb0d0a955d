"""The contest: everyone sits the same papers, fold by fold, and is marked on rows not learnt from.

    folds = prepare_folds(roles, target, parts)
    rival_candidates(desk, folds, candidates)     # fills {"dumb": ..., "boosting": ...}
    predictor = choose(desk, folds, parts, candidates)

A candidate's shipped form is the mean of its fold models (bagging); its scores here are out of fold:
each open row is answered only by models that have not learnt from it.
"""

from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from preceptor.inspection.roles import Roles
from preceptor.kinds.kind import Target
from preceptor.kinds.registry import kind_named
from preceptor.predictor import Member
from preceptor.problem import Inputs, Problem
from preceptor.split import Split

RIVALS_SHARE = 0.2
"""The rivals' share of the time that is left when they start."""


@dataclass(frozen=True)
class Fold:
    """One fold, encoded by kinds that were fitted on its training rows.

    `rows_held_out` are row numbers of the open table; `goal` is what the loss compares with, `truth`
    what the metrics take.
    """

    number: int
    problem: Problem
    inputs: Inputs
    goal: Tensor
    truth: np.ndarray
    held_out: Inputs
    truth_held_out: np.ndarray
    goal_held_out: Tensor
    rows_held_out: np.ndarray


@dataclass
class Candidate:
    """A family in the contest: its fold models, and scores of open rows (NaN where unanswered)."""

    name: str
    title: str
    scores: np.ndarray
    members: list[Member] = field(default_factory=list)
    took: float = 0.0
    rows: int = 0

    def join(self, fold: Fold, member: Member) -> None:
        """Add the fold's fitted model and let it answer the rows held out."""
        self.members.append(member)
        self.scores[fold.rows_held_out] = member.predict(fold.held_out)
        self.rows = max(self.rows, len(fold.truth))

    @property
    def answered(self) -> np.ndarray:
        """(N,) booleans: the open rows with a score."""
        return np.isfinite(self.scores.reshape(len(self.scores), -1)).all(axis=1)


def prepare_folds(roles: Roles, target: Target, parts: Split) -> list[Fold]:
    """Fit the input kinds on each fold's training rows and encode both of its sides."""
    return [_prepared(number, roles, target, parts) for number in range(len(parts.folds))]


def _prepared(number: int, roles: Roles, target: Target, parts: Split) -> Fold:
    rows = parts.folds[number]
    learnt, held_out = parts.open.take(rows.train), parts.open.take(rows.validation)
    problem = Problem([kind_named(roles.kinds[column])(column) for column in roles.inputs], target).fit(
        learnt
    )
    answers, held_back = learnt.frame[target.column], held_out.frame[target.column]
    return Fold(
        number,
        problem,
        problem.encode(learnt),
        target.goal(answers),
        target.truth(answers),
        problem.encode(held_out),
        target.truth(held_back),
        target.goal(held_back),
        rows.validation,
    )


def unanswered(folds: list[Fold], rows: int) -> np.ndarray:
    """Scores of no open row yet: (N,) or (N, K) NaN."""
    target = folds[0].problem.target
    return np.full((rows,) if target.task == "number" else (rows, target.outputs), np.nan)
