"""From the source to the split: what is read, inspected and set apart, each step written to the ledger.

    table, rest, framed, look = looked(desk)
    parts, target = set_apart(table, framed, look)
    write_split(desk, look, parts)

`rest` is where the rows beyond memory come from, None where the table holds them all. For a training
of your own, without a ledger, a source of any size becomes a stream:

    dealt = stream_of("clicks.parquet", target="clicked", memory="500 MB")
    dealt.stream, dealt.problem, dealt.parts     # parts.folds[0] validates, parts.sealed is sealed
"""

import json
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from preceptor.data.pictures.shelf import cache_folder
from preceptor.data.read import fingerprint, read
from preceptor.data.streams.sampling import bytes_in, read_or_sample, sampled
from preceptor.data.streams.source import Source
from preceptor.data.table import Table
from preceptor.desk import Desk
from preceptor.errors import Mistake
from preceptor.finding import Finding
from preceptor.framing import Framed, examples_of, framed_by
from preceptor.inspection import repairs
from preceptor.inspection.roles import Roles
from preceptor.kinds.kind import Target
from preceptor.kinds.registry import kind_named
from preceptor.look import Look, fit_target, look_at, sealed_file
from preceptor.plan import Plan
from preceptor.problem import Problem
from preceptor.split import VALIDATION_SHARE, Split, split
from preceptor.storage import write_atomically
from preceptor.training.dealing import deal
from preceptor.training.stream import Stream

DEEP_VALIDATION, FEWEST_DEEP = 0.1, 2_000
"""What pictures are validated on: a tenth, once; fewer rows than this are dealt into folds as tables are."""
LOOKING_SHARE = 0.1
"""The share of the budget that inspecting and splitting may take."""


def looked(desk: Desk) -> tuple[Table, Source | None, Framed, Look]:
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


def asked(plan: Plan, table: Table) -> Plan:
    """The plan with what the source itself says where the plan says nothing: the answer, and the test."""
    said = {"target": plan.target or table.answer, "test": plan.test or table.sealed}
    return plan.model_copy(update={name: value for name, value in said.items() if value})


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


def set_apart_again(desk: Desk) -> tuple[Split, Target, Roles]:
    """What an earlier sitting, or another process, has set apart."""
    table, rest = _read(desk)
    table = table if rest else _affordable(desk, table)
    framed = framed_by(table, desk.plan)
    look = look_at(framed.table, framed.plan)
    return *set_apart(table, framed, look), look.roles


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


def write_split(desk: Desk, look: Look, parts: Split) -> None:
    """Tell the ledger who is in which part, what was left out, and what was found."""
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


@dataclass(frozen=True)
class Dealt:
    """A stream, and what was known before it: the look at the sample, its split, the fitted problem."""

    stream: Stream
    look: Look
    parts: Split
    problem: Problem

    @property
    def left_out(self) -> Mapping[str, int]:
        """How many rows of the source are not in the stream, by reason."""
        return self.stream.packs.left_out


def stream_of(
    source: Any,
    target: str,
    *,
    memory: str | int | None = None,
    folder: Path | None = None,
    **choices: Any,
) -> Dealt:
    """A source of any size, to be trained on in so much `memory`.

    That is "500 MB", or bytes; None is half of what is free. `choices` are further fields of the Plan: kinds,
    ignore, group, test, seed, test_fraction. One set of rows validates. The packs lie in `folder`, or in a
    temporary one that goes with the stream. Raises Mistakes as `read`, `look_at` and `deal` do.
    """
    plan, most = Plan.of(**{**choices, "target": target, "folds": 1}), bytes_in(memory)
    sample, opened = sampled(source, most, plan.seed)
    look = look_at(sample, plan)
    parts, answer = set_apart(sample, Framed(sample, plan), look)
    kinds = [kind_named(kind)(name) for name, kind in look.roles.input_kinds.items()]
    problem = Problem(kinds, answer).fit(parts.open.take(parts.folds[0].train))
    place = folder or _temporary()
    stream = deal(opened, look, parts, problem, memory=most, folder=place, seed=plan.seed)
    if folder is None:
        weakref.finalize(stream, shutil.rmtree, place, ignore_errors=True)
    return Dealt(stream, look, parts, problem)


def _temporary() -> Path:
    place = cache_folder().with_name("streams")
    place.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=place))
