"""The table, or, where memory is too small for it, a sample of it and the source to stream the rest from.

table, source = read_or_sample("clicks.parquet", memory=None, seed=0)
if source is not None: ...                        # table is a sample; table.account.read counts all rows
"""

from typing import Any

import numpy as np
import psutil
from pydantic import ByteSize, TypeAdapter, ValidationError

from preceptor.data.read import read
from preceptor.data.streams.draw import draw
from preceptor.data.streams.source import Source, open_source
from preceptor.data.table import Table
from preceptor.errors import Mistake

OWN, LEAST = 80_000_000, 100_000_000
"""Bytes that readers and allocators keep for themselves, and the least to say, of which a fifth is left."""
PIECE, SAMPLE = 1 / 16, 1 / 32
"""The parts of the memory for what is read at once and for the sample."""
MOST_DRAWN, FEWEST_DRAWN = 200_000, 1_000


def read_or_sample(source: Any, memory: str | int | None, seed: int) -> tuple[Table, Source | None]:
    """The whole table and None; or a sample and the source, where the table does not fit into free memory.

    Where a `memory` is named, a source with more rows than its sample is always streamed. Raises Mistakes as
    `read` does, but "file-too-large" for sources alone that cannot be read piece by piece.
    """
    if memory is None:
        try:
            return read(source), None
        except Mistake as mistake:
            if mistake.code != "file-too-large":
                raise
    sample, opened = sampled(source, bytes_in(memory), seed)
    return sample, opened if sample.account.read > len(sample) else None


def sampled(source: Any, memory: int, seed: int) -> tuple[Table, Source]:
    """A sample that fits into its part of so many bytes, and the source that it was drawn from."""
    opened = open_source(source, piece=int(PIECE * memory))
    first = opened.through(next)
    weight = sum(block.estimated_size() for block in first.blocks) / first.height
    rows = int(np.clip(SAMPLE * memory / max(weight, 1), FEWEST_DRAWN, MOST_DRAWN))
    return draw(opened, rows, seed), opened


def bytes_in(memory: str | int | None) -> int:
    """How many bytes of so much memory can be dealt with, `OWN` being taken off.

    None is half of what is free. Raises Mistake "memory-unclear" for what is no size, or too small a one.
    """
    if memory is None:
        memory = psutil.virtual_memory().available // 2
    try:
        size = int(TypeAdapter(ByteSize).validate_python(memory))
    except ValidationError:
        size = 0
    if size < LEAST:
        raise Mistake(
            "memory-unclear",
            f"{memory!r} is no amount of memory to work in.",
            why=f"At least {LEAST // 1_000_000} MB are needed.",
            todo='Say for example "500 MB" or "4 GB".',
        )
    return size - OWN
