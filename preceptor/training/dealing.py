"""A source of any size becomes a stream: known by a sample, encoded piece by piece, dealt into packs.

    stream = deal(source, look, parts, problem, memory=400_000_000, folder=place, seed=0)

Two passes are made over the source. In the first a sample was drawn by lot; kinds, validation rows and the
seal came from it as from any table (`preceptor.intake`). In this, the second, every other row is encoded and
dealt: none that was drawn for validation or sealed, nor one with the same inputs, unless these are as common
as two columns of yes and no make them.

Memory: of the figure given, 80 MB are what readers and allocators keep for themselves. Of the rest a
sixteenth is for what is read at once and three more for what becomes of it, three thirty-seconds are for the
sample and what is made of it, half is for the shares in training (`preceptor.training.stream`). On top come
the net itself, and of Parquet what the file packs together (a row group) while it is read.
"""

import hashlib
import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from preceptor.data.streams.draw import tables
from preceptor.data.streams.packs import Dealing, Packs
from preceptor.data.streams.source import Pieces, Source
from preceptor.data.table import Table
from preceptor.errors import Mistake
from preceptor.look import Look
from preceptor.problem import Problem
from preceptor.split import Split
from preceptor.training.chosen import Chosen
from preceptor.training.stream import PACKS_A_SHARE, Stream

TRAINING = 1 / 2
"""The part of the memory for the shares in training."""


def deal(
    source: Source, look: Look, parts: Split, problem: Problem, *, memory: int, folder: Path, seed: int
) -> Stream:
    """Deal the source's rows into packs in `folder`; those of an earlier sitting, if they are there, will do.

    `look` is at a sample of the source and `parts` its split: rows of it that the first fold does not learn
    from stay out. Raises Mistake for what is broken in the source, by its place; "disk-too-small",
    "disk-full"; and "stream-ordered" where rows follow one another in time.
    """
    if look.roles.time:
        raise Mistake(
            "stream-ordered",
            f"{source.name} does not fit into memory, and its rows are to be taken in the order of time.",
            where=source.name,
            todo=f"Give its latest rows, or leave out --time {look.roles.time}.",
        )
    chosen = Chosen(look, parts)
    record, rows = _record(problem, look.table), look.table.account.read
    identity = [source.stamp, chosen.digest, _digest(problem.state()), memory, seed]

    def dealing(pieces: Pieces) -> None:
        packs = _packs(rows, record.itemsize, memory)
        with Dealing(folder, record, packs=packs, rows=rows, seed=seed, identity=identity) as hand:
            for table in tables(pieces, source, look.table.schema):
                learnt = chosen.of(table, hand.left_out)
                if len(learnt):
                    hand.add(_records(problem, learnt, record))

    if Packs.found(folder, identity) is None:
        _ensure_disk(folder, rows * record.itemsize)
        source.through(dealing, look.table.schema)
    return Stream(Packs(folder))


def _packs(rows: int, record: int, memory: int) -> int:
    """How many packs, so that shares of `PACKS_A_SHARE` of them fit into their part of the memory."""
    each = record * (2 + 1 / PACKS_A_SHARE) + 8
    shares = math.ceil(rows * each / (TRAINING * memory))
    return shares * PACKS_A_SHARE


def _parts(problem: Problem, table: Table) -> list[Tensor]:
    goal = problem.target.goal(table.frame[problem.target.column])
    return [*problem.encode(table).tensors, goal]


def _record(problem: Problem, table: Table) -> np.dtype:
    """One encoded row: the inputs' tensors, then the goal."""
    arrays = [part.numpy() for part in _parts(problem, table.take(np.arange(1)))]
    return np.dtype([(f"part{place}", one.dtype, one.shape[1:]) for place, one in enumerate(arrays)])


def _records(problem: Problem, table: Table, record: np.dtype) -> np.ndarray:
    records = np.empty(len(table), record)
    for name, part in zip(record.names or (), _parts(problem, table), strict=True):
        records[name] = part.numpy()
    return records


def _digest(state: Any) -> str:
    return hashlib.sha256(json.dumps(state, sort_keys=True, default=str).encode()).hexdigest()


def _ensure_disk(folder: Path, size: int) -> None:
    """Raise Mistake when the encoded rows will not fit on the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if size > free:
        raise Mistake(
            "disk-too-small",
            "The encoded rows will not fit on this disk.",
            where=str(folder),
            why=f"They take {size / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free.",
            todo="Free some space, or choose a folder on another disk.",
        )
