"""The recipe, step after step, each written to the ledger. Read this file to know what a run does.

    desk = Desk.set_up("houses.csv", Plan(target="price"), Path("runs/houses-1"))
    study(desk)                                   # reads ... examines; result.json is there

Every step is a function of what came before it, the plan's seed and the ledger's decisions; the rows
behind the seal are handed to the exam alone.
"""

import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from preceptor import __version__
from preceptor.augmentation.inputs import good_changes
from preceptor.checkup import check_net
from preceptor.contest import Candidate, Fold, choose, prepare_folds, rival_candidates
from preceptor.course import net_candidate
from preceptor.data.read import fingerprint, read
from preceptor.data.streams.sampling import bytes_in, read_or_sample
from preceptor.data.streams.source import Source
from preceptor.data.table import Table
from preceptor.desk import Desk
from preceptor.errors import Mistake
from preceptor.finding import Finding
from preceptor.framing import Frame, Framed, examples_of, framed_by
from preceptor.inquiry import inquire
from preceptor.inspection import repairs
from preceptor.inspection.roles import Roles
from preceptor.kinds.kind import Target
from preceptor.kinds.registry import kind_named
from preceptor.look import Look, fit_target, look_at, sealed_file
from preceptor.machine import device, machine
from preceptor.plan import Plan
from preceptor.recipe import settle
from preceptor.search.stage import open_book, search_plan
from preceptor.split import VALIDATION_SHARE, Sealed, Split, split
from preceptor.storage import write_atomically
from preceptor.training.dealing import deal
from preceptor.transfer import borrow
from preceptor.verdict import examine

DEEP_VALIDATION, FEWEST_DEEP = 0.1, 2_000
"""What pictures are validated on: a tenth, once; fewer rows than this are dealt into folds as tables are."""
LOOKING_SHARE = 0.1
"""The share of the budget that inspecting and splitting may take."""


def study(desk: Desk) -> None:
    """Read, inspect, split, fit rivals, check, search and train the net, choose, examine."""
    _start(desk)
    table, rest, framed, look = _looked(desk)
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
    shutil.rmtree(desk.folder / "stream", ignore_errors=True)
    with desk.stage("questions"):
        inquire(desk, at_hand[0], candidates)
    with desk.clocked("choose"):
        predictor = choose(desk, folds, parts, candidates)
        predictor.save(desk.folder / "model")
    with desk.clocked("exam"):
        examine(desk, look.roles, parts, predictor, candidates)


def _looked(desk: Desk) -> tuple[Table, Source | None, Framed, Look]:
    """The rows there is time and memory for, framed and inspected; and where there are more, their source."""
    with desk.clocked("read"):
        table, rest = _read(desk)
    table = table if rest else _affordable(desk, table)
    with desk.clocked("inspect"):
        framed = framed_by(table, desk.plan)
        look = look_at(framed.table, framed.plan)
        _write_look(desk, table, framed, look)
    return table, rest, framed, look


def _read(desk: Desk) -> tuple[Table, Source | None]:
    """The table; or a sample, validated on once, and the source that the net's training is streamed from."""
    table, rest = read_or_sample(desk.source, desk.plan.memory, desk.plan.seed)
    desk.plan = asked(desk.plan, table)
    if rest:
        desk.plan = desk.plan.model_copy(update={"folds": 1})
    _write_reading(desk, table)
    return table, rest


def _dealt(
    desk: Desk, table: Table, rest: Source | None, framed: Framed, look: Look
) -> tuple[Split, list[Fold]]:
    """The sealed rows set apart, the others dealt into folds; the plan with what suits them."""
    parts, target = set_apart(table, framed, look)
    _write_split(desk, look, parts)
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


def asked(plan: Plan, table: Table) -> Plan:
    """The plan with what the source itself says where the plan says nothing: the answer, and the test."""
    said = {"target": plan.target or table.answer, "test": plan.test or table.sealed}
    return plan.model_copy(update={name: value for name, value in said.items() if value})


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


def _affordable(desk: Desk, table: Table) -> Table:
    """All rows, or as many as there is time to inspect, which costs about what reading did.

    They are drawn by lot; of rows in time the last ones count.
    """

    def measured() -> int:
        return min(len(table), int(len(table) * LOOKING_SHARE * desk.budget / desk.stages["read"]))

    rows = desk.ledger.decide("rows used", measured, "the pace of reading")
    if rows == len(table):
        return table
    left_out = len(table) - rows
    desk.ledger.find(
        Finding(
            "rows-beyond-budget",
            "note",
            f"{left_out:,} of {len(table):,} rows were read but not used: there is no time for them.",
            evidence={"rows": left_out},
            done=f"{rows:,} were used: {'the last' if desk.plan.time else 'drawn by lot'}",
            remedy="Give it more time: --minutes.",
        )
    )
    if desk.plan.time:
        return table.take(np.arange(left_out, len(table)))
    drawn = np.random.default_rng(desk.plan.seed).permutation(len(table))[:rows]
    return table.take(np.sort(drawn))


def set_apart(table: Table, framed: Framed, look: Look) -> tuple[Split, Target]:
    """The split, and the target's kind fitted on the rows outside the seal. `table` is what was read."""
    plan, sealed = framed.plan, None
    if plan.test:
        later = read(plan.test, schema=table.schema)
        later = examples_of(framed.frame, later, before=table) if framed.frame else later
        sealed = sealed_file(later, look)
    task = fit_target(look, look.table).task
    deep = len(look.table) >= FEWEST_DEEP and any(
        kind_named(look.roles.kinds[name]).deep for name in look.roles.inputs
    )
    parts = split(
        look.table,
        target=look.roles.target,
        task=task,
        inputs=look.roles.inputs,
        group=plan.group,
        time=plan.time,
        test_fraction=plan.test_fraction,
        folds=plan.folds or (1 if deep else None),
        validation=DEEP_VALIDATION if deep else VALIDATION_SHARE,
        seed=plan.seed,
        sealed_file=sealed,
    )
    return parts, fit_target(look, parts.open)


def seal_again(desk: Desk) -> tuple[Sealed, Roles]:
    """The sealed rows of a finished run, set apart anew. Raises Mistake when the data are not the same."""
    parts, _, roles = _set_apart_again(desk)
    return parts.sealed, roles


def call_ranks(desk: Desk) -> None:
    """Tell the other ranks what they need to come to the same folds."""
    source = str(desk.source) if isinstance(desk.source, (str, os.PathLike)) else None
    plan = desk.plan.model_copy(update={"decisions": desk.ledger.decisions()})
    known = desk.ledger.of("read")
    desk.ranks.tell("prepare", source=source, plan=plan.model_dump(mode="json"), read=known)


def folds_again(desk: Desk) -> list[Fold]:
    """The folds of the run that the leader has told of. Raises Mistake when the data are not the same."""
    parts, target, roles = _set_apart_again(desk)
    lent = borrow(desk.ledger, desk.plan, roles.input_kinds, parts.open)
    return prepare_folds(desk.plan, roles, target, parts, lent)


def _set_apart_again(desk: Desk) -> tuple[Split, Target, Roles]:
    """What an earlier sitting, or another process, has set apart."""
    table, rest = _read(desk)
    table = table if rest else _affordable(desk, table)
    framed = framed_by(table, desk.plan)
    look = look_at(framed.table, framed.plan)
    return *set_apart(table, framed, look), look.roles


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


def _write_reading(desk: Desk, table: Table) -> None:
    account, known = table.account, desk.ledger.of("read")
    if known and known[0]["fingerprint"] != fingerprint(table):
        raise _changed(desk)
    desk.ledger.write(
        "read",
        rows=account.read,
        left_out=account.left_out,
        misfit_counts=account.misfit_counts,
        columns=table.frame.width,
        fingerprint=fingerprint(table),
    )


def _unused(desk: Desk) -> dict[str, int]:
    """Rows that were read and not used, by reason."""
    used = desk.ledger.decided("rows used")
    rows = 0 if used is None else desk.ledger.of("read")[0]["rows"] - used
    return {"no time for them": rows} if rows else {}


def _changed(desk: Desk) -> Mistake:
    return Mistake(
        "data-changed",
        "The data are not those that this run began with.",
        where=str(desk.source),
        todo="Restore them, or fit again into another folder.",
    )


def _write_look(desk: Desk, table: Table, framed: Framed, look: Look) -> None:
    """data.json, the kinds, the findings."""
    facts = {
        "schema": asdict(table.schema),
        "account": asdict(table.account),
        "frame": framed.frame.state() if framed.frame else None,
        "roles": asdict(look.roles),
        "repairs": repairs(look.findings),
    }
    write_atomically(desk.folder / "data.json", json.dumps(facts, indent=1, ensure_ascii=False).encode())
    target = fit_target(look, look.table)
    told = {"target": target.column, "task": target.task, "classes": target.outputs}
    desk.ledger.write("kinds", columns=look.columns(), **told)
    doubts = [Finding("reading-doubt", "note", note) for note in table.account.notes]
    for finding in (*framed.findings, *look.findings, *doubts):
        desk.ledger.find(finding)


def _write_split(desk: Desk, look: Look, parts: Split) -> None:
    fold = parts.folds[0]
    desk.ledger.write(
        "split",
        train=len(fold.train),
        validation=len(fold.validation),
        test=parts.sealed.count,
        folds=len(parts.folds),
        left_out={**_unused(desk), **look.left_out, **parts.left_out},
        how=parts.how,
        expected=parts.expected.sentence,
        expected_halfwidth=parts.expected.halfwidth,
        expected_relative=parts.expected.relative,
    )
    for finding in parts.findings:
        desk.ledger.find(finding)
