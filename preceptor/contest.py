"""The contest: everyone sits the same papers, fold by fold, and is marked on rows not learnt from.

    folds = prepare_folds(plan, roles, target, parts, loans={})
    rival_candidates(desk, folds, parts, candidates)        # fills {"dumb": ..., "boosting": ...}
    predictor = choose(desk, folds, parts, candidates)

A candidate's shipped form is the mean of its fold models (bagging); its scores here are out of fold:
each open row is answered only by models that have not learnt from it.
"""

import time
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from preceptor.desk import Desk
from preceptor.ensemble import apply, blend, sharpness
from preceptor.errors import Mistake, nearest
from preceptor.inspection.roles import Roles
from preceptor.intervals import interval
from preceptor.kinds.kind import Target
from preceptor.kinds.registry import kind_named
from preceptor.metrics import Metric
from preceptor.plan import Plan
from preceptor.predictor import Member, Predictor
from preceptor.problem import Inputs, Loan, Problem
from preceptor.rivals import Recipe, Rival, affordable_rows, rivals_for
from preceptor.split import Split
from preceptor.training.stream import Stream

RIVALS_SHARE, BESIDE_DEEP, AT_ONCE = 0.2, 0.12, 2
"""The rivals' share of the time left when they start, less where a deep kind needs it; folds at once."""
ALWAYS = ("dumb", "last-value", "season-ago")
"""Rivals that cost next to nothing, and without which a score says little."""


@dataclass(frozen=True)
class Fold:
    """One fold, encoded by kinds that were fitted on its training rows.

    `rows_held_out` are row numbers of the open table; `goal` is what the loss compares with, `truth`
    what the metrics take. Where there are more rows than memory holds, the net learns from `stream`, and the
    others from those of the fold, which are a sample.
    """

    number: int
    problem: Problem
    inputs: Inputs
    goal: Tensor
    truth: np.ndarray
    held_out: Inputs
    goal_held_out: Tensor
    truth_held_out: np.ndarray
    rows_held_out: np.ndarray
    stream: Stream | None = None

    def on(self, device: torch.device) -> "Fold":
        """The fold with its inputs, and the answers to learn from, on a device."""
        inputs, held_out = self.inputs.to(device), self.held_out.to(device)
        return replace(self, goal=self.goal.to(device), inputs=inputs, held_out=held_out)


@dataclass
class Candidate:
    """A family in the contest: its fold models, and scores of open rows (NaN where unanswered).

    `took` seconds in all, `answering` those of them in which each row held out was answered once.
    """

    name: str
    title: str
    scores: np.ndarray
    members: list[Member] = field(default_factory=list)
    took: float = 0.0
    rows: int = 0
    answering: float = 0.0

    def join(self, fold: Fold, member: Member) -> None:
        """Add the fold's fitted model and let it answer the rows held out."""
        began = time.monotonic()
        self.members.append(member)
        self.scores[fold.rows_held_out] = member.predict(fold.held_out)
        self.answering += time.monotonic() - began
        self.rows = max(self.rows, len(fold.truth))

    @property
    def answered(self) -> np.ndarray:
        """(N,) booleans: the open rows with a score."""
        return np.isfinite(self.scores.reshape(len(self.scores), -1)).all(axis=1)


def prepare_folds(
    plan: Plan, roles: Roles, target: Target, parts: Split, loans: Mapping[str, Loan]
) -> list[Fold]:
    """Fit the input kinds on each fold's training rows and encode both of its sides.

    `loans` are what an earlier run lends to some of the columns.
    """
    own = {"text": {"tokenizer": plan.tokenizer}}

    def problem() -> Problem:
        kinds = [kind_named(kind)(name, **own.get(kind, {})) for name, kind in roles.input_kinds.items()]
        return Problem(kinds, target, loans)

    return [_prepared(number, problem(), parts) for number in range(len(parts.folds))]


def _prepared(number: int, problem: Problem, parts: Split) -> Fold:
    rows = parts.folds[number]
    learnt, held_out = parts.open.take(rows.train), parts.open.take(rows.validation)
    target, problem = problem.target, problem.fit(learnt)
    answers, held_back = learnt.frame[target.column], held_out.frame[target.column]
    return Fold(
        number,
        problem,
        problem.encode(learnt),
        target.goal(answers),
        target.truth(answers),
        problem.encode(held_out),
        target.goal(held_back),
        target.truth(held_back),
        rows.validation,
    )


def unanswered(folds: list[Fold], rows: int) -> np.ndarray:
    """Scores of no open row yet: (N,) or (N, K) NaN."""
    target = folds[0].problem.target
    return np.full((rows,) if target.task == "number" else (rows, target.outputs), np.nan)


def rival_candidates(desk: Desk, folds: list[Fold], parts: Split, candidates: dict[str, Candidate]) -> None:
    """Fit every rival on every fold, the dumb one first, within the rivals' share of the time.

    A rival that would take too long learns from fewer rows, or is left out; the ledger remembers it.
    """
    first, target, problem = folds[0], folds[0].problem.target, folds[0].problem
    theirs = BESIDE_DEEP if any(kind.deep for kind in problem.inputs) else RIVALS_SHARE
    until = desk.ledger.seconds + theirs * max(desk.seconds_left, 0.0)
    sizes = (target.task, len(first.truth), desk.plan.rivals, problem.shapes)
    recipes = rivals_for(*sizes, alone=problem.alone)
    for place, recipe in enumerate(recipes):
        share = (until - desk.ledger.seconds) / (len(recipes) - place) * AT_ONCE / max(AT_ONCE, len(folds))
        candidate = Candidate(recipe.name, recipe.title, unanswered(folds, len(parts.open)))
        with warnings.catch_warnings():
            # A rival that has not fully converged is still a rival, marked like the others.
            warnings.simplefilter("ignore")
            rows = desk.ledger.decide(f"rows for {recipe.name}", partial(_bearable, recipe, first, share))
            if not rows:
                continue
            _try(recipe, folds, rows, candidate, desk.plan.seed)
        candidates[recipe.name] = candidate
        # At the exam every fold model answers every sealed row.
        held_out = sum(len(fold.rows_held_out) for fold in folds)
        desk.closing += candidate.answering * len(folds) * parts.sealed.count / held_out
        desk.ledger.write("rival", **_told(candidate, parts, target, desk.plan))


def _bearable(recipe: Recipe, fold: Fold, seconds: float) -> int:
    if recipe.name in ALWAYS:
        return len(fold.truth)
    target = fold.problem.target
    return affordable_rows(recipe, target.task, target.outputs, fold.inputs, fold.truth, seconds)


def _try(recipe: Recipe, folds: list[Fold], rows: int, candidate: Candidate, seed: int) -> None:
    """Fit the rival on each fold, some at a time, on drawn rows where not all are affordable."""
    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        fitted = list(threads.map(lambda fold: _fitted(recipe, fold, rows, seed), folds))
    for fold, rival in zip(folds, fitted, strict=True):
        candidate.join(fold, rival)
    candidate.rows = min(candidate.rows, rows)
    candidate.took = time.monotonic() - began


def _fitted(recipe: Recipe, fold: Fold, rows: int, seed: int) -> Rival:
    drawn = np.sort(np.random.default_rng(seed).permutation(len(fold.truth))[:rows])
    rival = Rival(recipe, fold.problem.target.task, fold.problem.target.outputs)
    return rival.fit(fold.inputs.take(torch.from_numpy(drawn)), fold.truth[drawn], seed)


def chosen_metric(plan: Plan, target: Target) -> Metric:
    """The plan's metric, or the target kind's first. Raises Mistake for one that does not fit."""
    known = target.metrics()
    name = plan.metric or next(iter(known))
    if name not in known:
        raise Mistake(
            "metric-unknown",
            f"There is no metric {name!r} for this target.",
            why=f"It can be marked by: {', '.join(known)}.",
            todo=nearest(name, known),
        )
    return known[name]


def choose(desk: Desk, folds: list[Fold], parts: Split, candidates: dict[str, Candidate]) -> Predictor:
    """The predictor that ships: net, rival or blend, whichever out-of-fold rows say."""
    target, plan = folds[0].problem.target, desk.plan
    metric, truth = chosen_metric(plan, target), target.truth(parts.open.frame[target.column])
    rows = np.all([candidate.answered for candidate in candidates.values()], axis=0)
    scores = {name: candidate.scores[rows] for name, candidate in candidates.items()}
    weights = blend(scores, truth[rows], metric, seed=plan.seed)
    told = [_told(candidate, parts, target, plan, rows) for candidate in candidates.values()]
    desk.ledger.write(
        "candidates",
        metric=metric.name,
        list=[{**line, "weight": weights.get(line["name"], 0.0)} for line in told],
        shipped=next(iter(weights)) if len(weights) == 1 else "blend",
        score=metric.function(truth[rows], apply(weights, scores), None),
        why=_reason(weights, metric, int(rows.sum())),
    )
    families = {name: candidate.members for name, candidate in candidates.items()}
    classes = target.task in ("two-class", "many-class")
    power = sharpness(apply(weights, scores), truth[rows]) if classes else 1.0
    return Predictor([fold.problem for fold in folds], families, weights, power)


def _told(
    candidate: Candidate, parts: Split, target: Target, plan: Plan, rows: np.ndarray | None = None
) -> dict[str, Any]:
    """A candidate as a line of the ledger: its score on rows held out, with the interval."""
    metric, rows = chosen_metric(plan, target), candidate.answered if rows is None else rows
    truth = target.truth(parts.open.frame[target.column])[rows]
    groups = None if parts.groups is None else parts.groups[rows]
    return {
        "name": candidate.name,
        "title": candidate.title,
        "score": metric.function(truth, candidate.scores[rows], None),
        "interval": interval(truth, candidate.scores[rows], metric, groups=groups, seed=plan.seed),
        "rows": candidate.rows,
        "took": round(candidate.took, 2),
    }


def _reason(weights: dict[str, float], metric: Metric, rows: int) -> str:
    chosen = f"on {rows:,} rows held out of training"
    if len(weights) == 1:
        return f"Its {metric.title} was the best {chosen}, and no blend did better."
    return f"Together their {metric.title} was better {chosen} than any one's, and on halves of them too."
