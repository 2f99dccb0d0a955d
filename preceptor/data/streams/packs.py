"""Records dealt like cards into packs on disk, and packs read back: a shuffle that no memory bounds.

    with Dealing(folder, record, packs=256, rows=10_000_000, seed=0) as dealing:
        dealing.add(records)                          # as often as there are records, in any order
    packs = Packs(folder)
    packs.read(17)                                    # (rows,) records, a stratified sample of all

Each batch of records is shuffled and dealt round, so that every pack gets its share of every stretch of
the source: of a file that is sorted, too, each pack has the whole's mix of rows, to within one row of each
batch. All packs are of one size; fewer records than there are packs are left over.

`record` is a structured numpy type of fixed size. All packs lie in one file; `packs.json`, written last,
says that it is whole.
"""

import json
import os
import zlib
from collections import Counter
from pathlib import Path
from typing import Any, Self

import numpy as np

from preceptor.errors import Mistake
from preceptor.storage import told, write_atomically

RECORDS, INDEX = "records.bin", "packs.json"


class Dealing:
    """Deals at most `rows` records into `packs` packs; a pure function of the batches and the seed.

    `left_out` is for whoever deals: how many rows became no record, by reason. `identity` (JSON values) says
    what was dealt.
    """

    def __init__(
        self, folder: Path, record: np.dtype, *, packs: int, rows: int, seed: int, identity: Any = None
    ):
        self.folder, self.record, self.path = folder, record, folder / RECORDS
        self.room = -(-rows // packs) * record.itemsize
        self.sizes, self.sums = np.zeros(packs, dtype=np.int64), np.zeros(packs, dtype=np.int64)
        self.random, self.turn = np.random.default_rng(seed), 0
        self.identity, self.left_out = identity, Counter[str]()

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / INDEX).unlink(missing_ok=True)
        self.file = self.path.open("wb", buffering=0)
        return self

    def add(self, records: np.ndarray) -> None:
        """Shuffle a batch and deal it round, from the pack whose turn it is. Raises Mistake "disk-full"."""
        count = len(self.sizes)
        shuffled = records[self.random.permutation(len(records))]
        try:
            for first in range(min(count, len(records))):
                self._append((self.turn + first) % count, shuffled[first::count].tobytes())
        except OSError as error:
            raise told(error, self.path) from error
        self.turn = (self.turn + len(records)) % count

    def _append(self, pack: int, raw: bytes) -> None:
        self.file.seek(pack * self.room + int(self.sizes[pack]))
        self.file.write(raw)
        self.sums[pack] = zlib.crc32(raw, int(self.sums[pack]))
        self.sizes[pack] += len(raw)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self.file:
            os.fsync(self.file.fileno())
        if kind is None:
            facts = {
                "record": self.record.descr,
                "room": self.room,
                "sizes": self.sizes.tolist(),
                "sums": self.sums.tolist(),
                "left_out": self.left_out,
                "identity": self.identity,
            }
            write_atomically(self.folder / INDEX, json.dumps(facts).encode())


class Packs:
    """Packs that were dealt: `count` of them, each of `rows` records."""

    def __init__(self, folder: Path):
        self.path = folder / RECORDS
        facts = _facts(folder)
        self.record = np.dtype([(name, kind, tuple(*shape)) for name, kind, *shape in facts["record"]])
        self.room, self.sizes, self.sums = facts["room"], facts["sizes"], facts["sums"]
        self.left_out: dict[str, int] = facts["left_out"]
        self.count, self.rows = len(self.sizes), min(self.sizes) // self.record.itemsize

    @classmethod
    def found(cls, folder: Path, identity: Any) -> Self | None:
        """The packs in `folder` if they are whole and were dealt under this identity (JSON values)."""
        if not (folder / INDEX).exists() or _facts(folder)["identity"] != identity:
            return None
        return cls(folder)

    def read(self, pack: int) -> np.ndarray:
        """(rows,) records of one pack. Raises Mistake "packs-damaged" when they are not what was dealt."""
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(pack * self.room)
                raw = np.fromfile(file, np.uint8, self.sizes[pack])
        except OSError as error:
            raise self._damaged(pack, str(error)) from error
        if zlib.crc32(raw.data) != self.sums[pack]:
            raise self._damaged(pack, "They are no longer what was written.")
        return raw.view(self.record)[: self.rows]

    def _damaged(self, pack: int, why: str) -> Mistake:
        return Mistake(
            "packs-damaged",
            "The encoded rows that were put on the disk cannot be read back.",
            where=f"{self.path}, pack {pack + 1} of {self.count}",
            why=why,
            todo="Delete the folder: it is written anew, and training goes on from its checkpoint.",
        )


def _facts(folder: Path) -> dict[str, Any]:
    return json.loads((folder / INDEX).read_bytes())
