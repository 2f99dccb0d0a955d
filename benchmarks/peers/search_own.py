"""preceptor's search: all settings on all folds train together; the best is fitted again on all rows."""

import preceptor  # noqa: F401  isort: skip  (before torch, for it says how idle threads wait)

import torch

from benchmarks.peers.nets import loss_of, net, predictor, tensors
from benchmarks.peers.own import SAME
from benchmarks.peers.searched import DECAYS, FOLDS, RATES, folds
from benchmarks.tasks import Task
from preceptor.plan import TrainingPlan
from preceptor.search import Asker, Book, Choice, race
from preceptor.search.halving import rungs_for
from preceptor.search.pupils import Pupil, Pupils
from preceptor.training.loop import train
from preceptor.training.stack import Material
from preceptor.training.state import Training

SPACE = {"learning_rate": Choice(RATES), "l2": Choice(DECAYS)}


def fit(task: Task, halve: bool):
    inputs, goal = tensors(task)
    loss = loss_of(task)

    def training(setting):
        plan = TrainingPlan(batch_size=task.batch, **{**SAME, "patience": task.epochs, **setting})
        return Training(net(task), plan, epochs=task.epochs, seed=0)

    def pupil(setting, learnt, x, y):
        one = training(setting)
        return Pupil(one, Material((inputs,), goal, loss, learnt), lambda: float(loss(one.net(x), y)))

    rows = [tuple(map(torch.from_numpy, cut)) for cut in folds(len(goal))]
    cuts = [(learnt, inputs[held_out], goal[held_out]) for learnt, held_out in rows]
    book = Book(SPACE, Asker(SPACE, how="grid"))
    rungs = rungs_for(task.epochs) if halve else [task.epochs]
    many = len(RATES) * len(DECAYS)
    race(
        book,
        lambda settings: Pupils([pupil(setting, *cut) for cut in cuts] for setting in settings),
        trials=many,
        heat=many,
        rungs=rungs,
    )
    assert len(book.trials()) == many
    assert len(cuts) == FOLDS
    best = training(book.best.setting)
    for _epoch in train(best, (inputs,), goal, loss):
        pass
    return predictor(best.net)
