"""How many lessons fit into the time left: the pace of the net, measured here and now.

    schedule = schedule_for(desk, folds, test_rows)

The clock turns into whole numbers, which the ledger remembers; nothing else in training reads it.
"""

import time

import numpy as np
import torch
from torch import Tensor

from preceptor.augmentation.inputs import InputAugmenter
from preceptor.contest import Fold
from preceptor.desk import Desk
from preceptor.net import Net, ensemble_loss, new_net
from preceptor.plan import Plan
from preceptor.timetable import Schedule, fitted_schedule
from preceptor.training.loop import Augment, batch_count
from preceptor.training.pace import HEAVY, PLAIN, Pace, measure_pace
from preceptor.training.ranks import ALONE, Ranks

MOST_JUDGED = 4_000
"""So many rows held out are enough to mark an epoch."""
SHARE_FOR_PACE = 0.03
"""The share of the time left in which the pace is measured."""


def schedule_for(desk: Desk, folds: list[Fold], test_rows: int) -> Schedule:
    """The schedule for the time left, by the pace of the first fold's net; its exam's time is kept back."""
    fold, plan = folds[0], desk.plan
    net = new_net(plan.net, fold.problem, fold.inputs, fold.goal, fold.truth, plan.seed)
    pace = pace_of(desk, fold, net, desk.ranks)
    few = judged(fold)
    net.predict(fold.held_out.take(few[:1]))  # the first answer of a kind costs more
    began = time.monotonic()
    net.predict(fold.held_out.take(few))
    judging = time.monotonic() - began
    desk.closing += judging * (test_rows * len(folds) + len(fold.rows_held_out)) / len(few)
    wanted, table = plan.training.epochs or 1, not fold.problem.shapes
    if fold.stream:  # an epoch is one share of the stream
        pace = pace._replace(seconds=pace.seconds * fold.stream.rows / len(fold.goal))
        wanted *= fold.stream.shares
    return fitted_schedule(desk.seconds_left, pace, judging, len(folds), wanted, table=table)


def pace_of(desk: Desk, fold: Fold, net: Net, ranks: Ranks = ALONE) -> Pace:
    """The pace at which the net goes over the fold's rows: of one rank's part of them, and of combining."""
    heavy = bool(fold.problem.shapes)
    plan, part = ranks.part_of(desk.plan.training), slice(len(fold.goal) // ranks.size)
    pace = measure_pace(
        net.module,
        [tensor[part] for tensor in fold.inputs.tensors],
        fold.goal[part],
        ensemble_loss(fold.problem.target, 0.0),
        plan,
        ways=HEAVY if heavy else PLAIN,
        steps=2 if heavy else 6,
        seconds=SHARE_FOR_PACE * desk.seconds_left,
        augment=augmenter(desk.plan, fold),
    )
    steps = batch_count(len(fold.goal[part]), plan.batch_size or 256)
    combining = ranks.combining_takes(sum(one.numel() for one in net.module.parameters()))
    return pace._replace(seconds=pace.seconds + steps * combining)


def augmenter(plan: Plan, fold: Fold) -> Augment | None:
    """What changes each mini-batch before the net sees it; None where the plan names no changes."""
    if not plan.training.augment:
        return None
    return InputAugmenter(fold.problem.shapes, plan.training.augment, plan.seed, fold.inputs.further)


def judged(fold: Fold) -> Tensor:
    """The rows held out that mark each epoch: all, or enough of them drawn by lot."""
    drawn = np.random.default_rng(fold.number).permutation(len(fold.truth_held_out))[:MOST_JUDGED]
    return torch.from_numpy(np.sort(drawn))
