"""What else is asked of the net when time is left over: would more data help, is its minimum sharp, and more.

    inquire(desk, folds[0], candidates)                  # each answer is a "probe" in the ledger

Questions are asked of the first fold alone, in the order of their use to a reader; each only where the
clock allows, which the ledger remembers.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch

from preceptor.contest import Candidate, Fold
from preceptor.desk import Desk
from preceptor.net import Net, ensemble_loss, judging_metric, new_net
from preceptor.probes import bias_variance, find_learning_rate, landscape, learning_curve, sharpness
from preceptor.search.folds import FoldPupil
from preceptor.search.pupils import Pupils

SHARE = 0.05
"""Of the time left over, no more than this share of the whole budget is spent on questions."""
PARTS, DRAWS = (1 / 16, 1 / 8, 1 / 4, 1 / 2), 2
"""The shares of the rows that nets are taught on to see whether more data would help; nets for each."""
RESAMPLES = 5
FEWEST_ROWS = 100
"""Of a net taught on fewer rows, nothing is asked."""
ROWS_LOOKED_AT, POINTS, CURVED = 500, 11, 10
"""Rows that the landscape is drawn for, points along each of its sides, rounds to find its curvature."""
STEPS = 360
"""So many steps the search for a learning rate takes."""


class Question(NamedTuple):
    """A question's name, what it is expected to cost in seconds, and how it is asked."""

    name: str
    cost: float
    ask: Callable[[], dict[str, Any]]


def inquire(desk: Desk, fold: Fold, candidates: dict[str, Candidate]) -> None:
    """Ask what there is time for; without a net, or with hardly a row, there is nothing to ask."""
    lessons = desk.ledger.of("train")
    if desk.interrupted or not lessons or "net" not in candidates or len(fold.goal) < FEWEST_ROWS:
        return
    until = desk.ledger.seconds + min(desk.seconds_left, SHARE * desk.budget)

    def time_for(question: Question) -> bool:
        return desk.ledger.seconds + question.cost < until

    for question in _questions(desk, fold, candidates["net"].members[0], lessons[0]):
        if desk.ledger.decide(f"time to ask: {question.name}", partial(time_for, question), "the clock"):
            desk.ledger.write("probe", name=question.name, **question.ask())


def _questions(desk: Desk, fold: Fold, net: Any, lesson: dict[str, Any]) -> Iterator[Question]:
    """All questions with their price, by the account of one `lesson` and by a look at some rows."""
    price, look = lesson["took"], _look(fold, net)
    step = 3 * look * (desk.plan.training.batch_size or 256) / ROWS_LOOKED_AT
    yield Question("landscape", (POINTS**2 + 3 * CURVED) * look, lambda: _landscape(fold, net))
    yield Question("data", DRAWS * sum(PARTS) * price, lambda: _data(desk, fold, lesson["epochs"]))
    yield Question("learning rate", STEPS * step, lambda: _rate(desk, fold))
    yield Question("bias and variance", RESAMPLES * price, lambda: _parts(desk, fold, lesson["epochs"]))


def _look(fold: Fold, net: Net) -> float:
    """Seconds that a look at so many rows takes."""
    began = time.monotonic()
    net.outputs(fold.inputs.take(torch.arange(ROWS_LOOKED_AT) % len(fold.goal)))
    return time.monotonic() - began


def _landscape(fold: Fold, net: Net) -> dict[str, Any]:
    """The loss around the trained weights, on training rows."""
    rows = torch.arange(min(len(fold.goal), ROWS_LOOKED_AT))
    given = (
        net.module,
        fold.inputs.take(rows).tensors,
        fold.goal[rows],
        ensemble_loss(fold.problem.target, 0.0),
    )
    found = landscape(*given, points=POINTS)
    told = {"points": found.points.to_dict(as_series=False), "sharpness": sharpness(*given, rounds=CURVED)}
    return told | {"centre": found.centre, "rise": found.rise, "reach": found.reach}


def _rate(desk: Desk, fold: Fold) -> dict[str, Any]:
    """How fast the net learns at each learning rate, beside the one it was taught with."""
    plan = desk.plan
    net = new_net(plan.net, fold.problem, fold.inputs, fold.goal, fold.truth, plan.seed)
    loss = ensemble_loss(fold.problem.target, 0.0)
    found = find_learning_rate(net.module, fold.inputs.tensors, fold.goal, loss, plan.training)
    told = {"points": found.points.to_dict(as_series=False), "runs": found.runs.to_dict(as_series=False)}
    return told | {"rate": found.rate, "steepest": found.steepest, "taught_with": plan.training.learning_rate}


def _data(desk: Desk, fold: Fold, epochs: int) -> dict[str, Any]:
    """The validation error against the number of rows learnt from."""
    metric = judging_metric(fold.problem.target)
    found = learning_curve(
        lambda samples: _taught(desk, fold, samples, epochs),
        rows=len(fold.goal),
        mark=lambda pupil: 1 - pupil.score if metric.higher_is_better else pupil.score,
        shares=PARTS,
        draws=DRAWS,
        seed=desk.plan.seed,
    )
    told = {"points": found.points.to_dict(as_series=False), "metric": metric.name}
    return told | {name: getattr(found, name) for name in ("now", "doubled", "floor", "helps")}


def _parts(desk: Desk, fold: Fold, epochs: int) -> dict[str, Any]:
    """How much of the error is bias, how much variance."""
    target = fold.problem.target
    scores = target.scores(torch.zeros(1, target.outputs))
    truth = fold.truth_held_out
    known = np.eye(scores.shape[-1])[truth.astype(int)] if scores.ndim > truth.ndim else truth
    found = bias_variance(
        lambda samples: _taught(desk, fold, samples, epochs),
        rows=len(fold.goal),
        answer=lambda pupil: pupil.net.predict(fold.held_out),
        truth=known,
        resamples=RESAMPLES,
        seed=desk.plan.seed,
    )
    return {"bias": found.bias, "variance": found.variance, "advice": found.advice}


def _taught(desk: Desk, fold: Fold, samples: Sequence[np.ndarray], epochs: int) -> list[FoldPupil]:
    """A fresh net for each sample of the fold's rows, trained as the lesson trained its own."""
    loss = partial(ensemble_loss, fold.problem.target)
    pupils = [FoldPupil(desk.plan, _part(fold, rows), epochs, loss) for rows in samples]
    Pupils([one] for one in pupils).run(range(len(pupils)), until=epochs)
    for pupil in pupils:
        pupil.training.adopt_best()
    return pupils


def _part(fold: Fold, rows: np.ndarray) -> Fold:
    """The fold with some of its training rows."""
    chosen = torch.from_numpy(rows)
    return replace(fold, inputs=fold.inputs.take(chosen), goal=fold.goal[chosen], truth=fold.truth[rows])
