"""The recipe, step after step, each written to the ledger. Read this file to know what a run does.

    desk = Desk.set_up("houses.csv", Plan(target="price"), Path("runs/houses-1"))
    study(desk)                                   # reads ... examines; result.json is there

Every step is a function of what came before it, the plan's seed and the ledger's decisions; the rows
behind the seal are handed to the exam alone.
"""

import os
import shutil
from dataclasses import replace
from pathlib import Path

from preceptor import __version__
from preceptor.augmentation.inputs import good_changes
from preceptor.checkup import check_net
from preceptor.contest import Candidate, Fold, choose, prepare_folds, rival_candidates
from preceptor.course import net_candidate
from preceptor.data.streams.sampling import bytes_in
from preceptor.data.streams.source import Source
from preceptor.data.table import Table
from preceptor.desk import Desk
from preceptor.framing import Frame, Framed
from preceptor.inquiry import inquire
from preceptor.inspection.roles import Roles
from preceptor.intake import looked, set_apart, set_apart_again, write_split
from preceptor.look import Look
from preceptor.machine import device, machine
from preceptor.plan import Plan
from preceptor.recipe import settle
from preceptor.search.stage import open_book, search_plan
from preceptor.split import Sealed, Split
from preceptor.training.dealing import deal
from preceptor.transfer import borrow
from preceptor.verdict import examine


def study(desk: Desk) -> None:
    """Read, inspect, split, fit rivals, check, search and train the net, choose, examine."""
    _start(desk)
    table, rest, framed, look = looked(desk)
    with desk.clocked("split"):
        parts, folds = _dealt(desk, table, rest, framed, look)
        book = open_book(desk, folds)
    call_ranks(desk)
    candidates: dict[str, Candidate] = {}
    with desk.stage("rivals"):
        rival_candidates(desk, folds, parts, candidates)
    at_hand = [fold.on(device(desk.plan.device)) for fold in folds]
    with desk.stage("checks"):
        check_net(desk, at_hand[0])
    with desk.stage("search"):
        search_plan(desk, at_hand, book)
    with desk.stage("train"):
        net_candidate(desk, at_hand, parts, candidates)
    if at_hand[0].stream:
        shutil.rmtree(desk.folder / "stream")
    with desk.stage("questions"):
        inquire(desk, at_hand[0], candidates)
    with desk.clocked("choose"):
        predictor = choose(desk, folds, parts, candidates)
        predictor.save(desk.folder / "model")
    with desk.clocked("exam"):
        examine(desk, look.roles, parts, predictor, candidates)


def _dealt(
    desk: Desk, table: Table, rest: Source | None, framed: Framed, look: Look
) -> tuple[Split, list[Fold]]:
    """The sealed rows set apart, the others dealt into folds; the plan with what suits them."""
    parts, target = set_apart(table, framed, look)
    write_split(desk, look, parts)
    lent = borrow(desk.ledger, desk.plan, look.roles.input_kinds, parts.open)
    folds = prepare_folds(desk.plan, look.roles, target, parts, lent)
    desk.plan = settled(desk.plan, folds[0], framed.frame)
    return parts, [_streamed(desk, folds[0], rest, look, parts)] if rest else folds


def _streamed(desk: Desk, fold: Fold, rest: Source, look: Look, parts: Split) -> Fold:
    """The fold whose net learns from a stream of all rows that are not held out."""
    memory, place, seed = bytes_in(desk.plan.memory), desk.folder / "stream", desk.plan.seed
    stream = deal(rest, look, parts, fold.problem, memory=memory, folder=place, seed=seed)
    rows, left_out = stream.rows * stream.shares, stream.packs.left_out
    desk.ledger.write("stream", rows=rows, shares=stream.shares, left_out=left_out)
    # To look up 20,000 neighbours costs as much as to learn from fifty rows, and there are rows enough.
    net = desk.plan.net.model_copy(update={"neighbours": 0})
    desk.plan = desk.plan.model_copy(update={"net": net})
    return replace(fold, stream=stream)


def settled(plan: Plan, fold: Fold, frame: Frame | None) -> Plan:
    """The plan with good choices for rows like those of the fold, which `frame` may have made."""
    problem = fold.problem
    further = dict(zip((kind.column for kind in problem.further), problem.shapes, strict=True))
    features = problem.features + len(problem.cardinalities)
    lent = {name: loan.options for name, loan in problem.loans.items()}
    changes = good_changes(problem.shapes, fold.inputs.further)
    return settle(
        plan,
        problem.target.task,
        len(fold.truth),
        features,
        further,
        lent,
        changes,
        frame.horizon if frame else 0,
    )


def seal_again(desk: Desk) -> tuple[Sealed, Roles]:
    """The sealed rows of a finished run, set apart anew. Raises Mistake when the data are not the same."""
    parts, _, roles = set_apart_again(desk)
    return parts.sealed, roles


def call_ranks(desk: Desk) -> None:
    """Tell the other ranks what they need to come to the same folds."""
    source = str(desk.source) if isinstance(desk.source, (str, os.PathLike)) else None
    plan = desk.plan.model_copy(update={"decisions": desk.ledger.decisions()})
    known = desk.ledger.of("read")
    desk.ranks.tell("prepare", source=source, plan=plan.model_dump(mode="json"), read=known)


def folds_again(desk: Desk) -> list[Fold]:
    """The folds of the run that the leader has told of. Raises Mistake when the data are not the same."""
    parts, target, roles = set_apart_again(desk)
    lent = borrow(desk.ledger, desk.plan, roles.input_kinds, parts.open)
    return prepare_folds(desk.plan, roles, target, parts, lent)


def _start(desk: Desk) -> None:
    source = desk.source if isinstance(desk.source, (str, os.PathLike)) else None
    desk.ledger.write(
        "start",
        version=__version__,
        source=Path(source).name + "/" * Path(source).is_dir() if source else "frame",
        path=str(Path(source).resolve()) if source else None,
        target=desk.plan.target,
        minutes=desk.plan.minutes,
        seed=desk.plan.seed,
        folder=str(desk.folder),
        machine=machine(),
    )
