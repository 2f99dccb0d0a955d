"""A fit by several processes: the first goes through the recipe, the others train its nets with it.

    torchrun --nproc-per-node 4 -m preceptor fit houses.csv --target price

    run = fit_together("houses.csv", target="price")     # started by torchrun; None but on rank 0

The leader decides, examines and writes; a follower reads the same data, comes to the same folds, and then
does as it is told until it may go. Nothing that a follower does depends on a clock.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from preceptor.contest import Fold
from preceptor.desk import Desk, Nobody
from preceptor.errors import Mistake
from preceptor.ledger import Ledger
from preceptor.lesson import Lesson
from preceptor.plan import NetPlan, Plan, TrainingPlan
from preceptor.run import Run, fit
from preceptor.study import folds_again
from preceptor.timetable import Schedule
from preceptor.training.loop import Epoch
from preceptor.training.ranks import Ranks, joined
from preceptor.training.schedules import Plateau


def fit_together(
    source: Any = None, *, out: Path | str | None = None, resume: Path | str | None = None, **choices: Any
) -> Run | None:
    """`fit` by all the processes that torchrun has started; the run on rank 0, None on the others.

    Where torchrun may start processes again, when one is lost, they go on with the run in `out`. Raises
    Mistake for whatever a person can mend.
    """
    if resume is None and _begun(out):
        resume = out
    with joined() as ranks:
        if not ranks.leads:
            follow(ranks, source)
            return None
        run = fit(source, out=out, resume=resume, ranks=ranks, **choices)
        if not run.ledger().of("interrupted"):  # by Ctrl-C, which reaches every process
            ranks.release()
        return run


def _begun(out: Path | str | None) -> bool:
    """Whether an earlier sitting of these processes has begun the run in `out`."""
    restarts = int(os.environ.get("TORCHELASTIC_MAX_RESTARTS", 0))
    if restarts and out is None:
        raise Mistake(
            "restart-unnamed",
            "Processes that may be started again must know which folder is theirs.",
            todo="Name the run's folder: --out runs/NAME. Or leave out --max-restarts.",
        )
    return restarts > 0 and (Path(out or "") / "ledger.jsonl").exists()


def follow(ranks: Ranks, source: Any = None) -> None:
    """What every rank but the first does. `source` is the data, where the leader has not read a file.

    Raises Mistake when the data here are not those that the leader has read.
    """
    words = ranks.words()
    _, told = next(words, ("go", {}))
    if not told:
        return
    plan = Plan.of(**told["plan"])
    ledger = Ledger(pinned=plan.decisions)
    ledger.events += told["read"]
    ranks.sharded = plan.shard
    desk = Desk(told["source"] or source, plan, Path(), ledger, Nobody(), closing=0.0, ranks=ranks)
    follower = _Follower(desk, folds_again(desk))
    for do, facts in words:
        getattr(follower, do)(**facts)


class _Follower:
    """What a follower can be told to do; each method takes what the leader tells with it."""

    def __init__(self, desk: Desk, folds: list[Fold]) -> None:
        self.desk, self.folds = desk, folds
        self.lesson: Lesson
        self.epochs: Iterator[Epoch]

    def combine(self, numbers: int) -> None:
        """Help to find out how long it takes."""
        self.desk.ranks.combining_takes(numbers)

    def lesson_begins(
        self, fold: int, shape: dict[str, Any], plan: dict[str, Any], schedule: list[Any]
    ) -> None:
        """Take part in a lesson from now on."""
        self.lesson = Lesson(
            self.desk, self.folds[fold], NetPlan(**shape), TrainingPlan(**plan), Schedule(*schedule)
        )
        self.lesson.training.spread()
        self.epochs = self.lesson.epochs()

    def epoch(self, plateau: dict[str, Any]) -> None:
        """Train for an epoch."""
        self.lesson.training.plateau = Plateau(**plateau)
        next(self.epochs)

    def gather(self) -> None:
        """Help the leader to save."""
        self.lesson.training.shards.whole(self.lesson.training.carried())
