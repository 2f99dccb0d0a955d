"""The pupils of a run: for every setting a net on each of some folds, which are made of open rows alone.

heat = heat_of(desk, folds, terms, settings, end=120.0)
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from preceptor.contest import Fold
from preceptor.desk import Desk
from preceptor.net import ensemble_loss, judging_metric, new_net
from preceptor.plan import Plan
from preceptor.search.pupils import Pupil, Pupils
from preceptor.search.space import Setting
from preceptor.search.tuning import applied
from preceptor.tempo import augmenter, judged
from preceptor.training.loop import Loss
from preceptor.training.stack import Material
from preceptor.training.state import Training


class Terms(NamedTuple):
    """How many trials there are; and what all have in common: folds, epochs, and the way to compute.

    `way` holds the fields of a TrainingPlan that say how.
    """

    trials: int
    folds: int
    epochs: int
    way: dict[str, Any]


def heat_of(desk: Desk, folds: Sequence[Fold], terms: Terms, settings: list[Setting], end: float) -> Pupils:
    """The settings' nets, not yet trained; `end` is when the search is over by the ledger's clock."""
    target, clock = folds[0].problem.target, desk.ledger

    @cache
    def loss(smoothing: float) -> Loss:
        return ensemble_loss(target, smoothing)

    plans = [applied(desk.plan, setting) for setting in settings]
    return Pupils(
        ([_pupil(plan, fold, terms, loss) for fold in folds[: terms.folds]] for plan in plans),
        over=lambda: clock.seconds > end,
        seen=lambda: desk.watcher.progress(clock.seconds / end, "search", desk.seconds_left),
    )


def _pupil(plan: Plan, fold: Fold, terms: Terms, loss: Callable[[float], Loss]) -> "FoldPupil":
    taught_so = plan.training.model_copy(update=terms.way)
    return FoldPupil(plan.model_copy(update={"training": taught_so}), fold, terms.epochs, loss)


class FoldPupil(Pupil):
    """A new `net` for a fold under a plan, marked on the rows held out. `loss` is made for a smoothing."""

    def __init__(self, plan: Plan, fold: Fold, epochs: int, loss: Callable[[float], Loss]) -> None:
        seed, metric = plan.seed * 1000 + fold.number, judging_metric(fold.problem.target)
        self.net = net = new_net(plan.net, fold.problem, fold.inputs, fold.goal, fold.truth, seed)
        rows = judged(fold)
        held_out, truth = fold.held_out.take(rows), fold.truth_held_out[rows.numpy()]
        training = Training(
            net.module, plan.training, epochs=epochs, seed=seed, higher_is_better=metric.higher_is_better
        )
        smoothed, changed = loss(plan.training.label_smoothing), augmenter(plan, fold)
        material = Material(fold.inputs.tensors, fold.goal, smoothed, augment=changed)
        super().__init__(training, material, lambda: metric.function(truth, net.predict(held_out), None))
