"""Many processes, one training: each takes its part of every mini-batch, and the gradients become one.

    torchrun --nproc-per-node 4 -m preceptor fit houses.csv --target price

    with joined() as ranks:                              # ALONE when nobody has started several
        training = Training(net, plan, epochs=40, seed=0, ranks=ranks)

Rank 0 leads: it reads clocks, judges, writes, and tells the others what is next; they follow. Every rank
goes through the same mini-batches in the same order, cut among them, and the mean over a mini-batch's rows
is the weighted mean over the ranks. So without dropout any number of ranks comes to the same weights, but
for rounding; with it each rank draws its own noise, a pure function of (seed, epoch, rank).

Since all gradients lie in one vector, one collective a step brings them together, after the backward pass.
"""

import itertools
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psutil
import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from preceptor.errors import Mistake
from preceptor.plan import TrainingPlan

FEWEST_ROWS = 2
"""A rank's part of a mini-batch has at least so many rows: batch normalisation cannot do with one."""
LOST_AFTER = timedelta(minutes=10)
"""Whoever has not come to a collective by then is lost."""
PATIENCE = timedelta(days=30)
"""How long a rank waits for the next word; the leader may have much to do alone."""
COLLECTIVES_TIMED = 8


class Ranks:
    """The processes of one training, `size` of them, of which this is number `rank`.

    `weight` is this rank's share of the rows of the mini-batches cut last; `sharded` says whether each keeps
    a part of the optimiser's memory, see `preceptor.training.shards`. Through the `store` the ranks hear what
    the leader tells; the collectives are those of torch's default process group.
    """

    def __init__(self, rank: int = 0, size: int = 1, store: Any = None) -> None:
        self.rank, self.size, self.weight, self.sharded = rank, size, 1.0, False
        self._store, self._told = store, 0

    @property
    def leads(self) -> bool:
        """Whether this process decides and writes."""
        return self.rank == 0

    def share(self, rows: Tensor) -> Tensor:
        """This rank's part of the rows (..., B) of each mini-batch.

        Raises Mistake when there are too few for so many ranks.
        """
        if self.size == 1:
            return rows
        size = rows.shape[-1]
        if size < FEWEST_ROWS * self.size:
            raise Mistake(
                "ranks-beyond-rows",
                f"Mini-batches of {size} rows cannot be shared by {self.size} processes.",
                why=f"Each needs at least {FEWEST_ROWS} rows.",
                todo="Start fewer processes, or set a larger training.batch_size in the plan.",
            )
        own = rows.tensor_split(self.size, dim=-1)[self.rank]
        self.weight = own.shape[-1] / size
        return own

    def combine(self, own: Tensor) -> Tensor:
        """Turn every rank's mean over its rows into the mean over all, in place: gradients, or losses."""
        if self.size > 1:
            dist.all_reduce(own.mul_(self.weight))
        return own

    def agree(self, *numbers: int) -> list[int]:
        """The leader's numbers."""
        told = torch.tensor(numbers)
        if self.size > 1:
            dist.broadcast(told, 0)
        return told.tolist()

    def tell(self, do: str, **facts: Any) -> None:
        """Leader: tell the others what to do next. Followers, and who is alone, say nothing."""
        if self.size > 1 and self.leads:
            self._store.set(str(self._told), json.dumps({"do": do, **facts}))
            self._told += 1

    def words(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Follower: what to do next, and the facts told with it, until the leader lets go."""
        for number in itertools.count():
            self._store.wait([str(number)], PATIENCE)
            facts = json.loads(self._store.get(str(number)))
            if (do := facts.pop("do")) == "go":
                break
            yield do, facts
        dist.barrier()

    def part_of(self, plan: TrainingPlan) -> TrainingPlan:
        """What one rank has to do of every step, to measure its pace by: its rows, on its cores."""
        if self.size == 1:
            return plan
        rows = (plan.batch_size or 256) // self.size
        return plan.model_copy(
            update={"batch_size": max(FEWEST_ROWS, rows), "threads": plan.threads or own_cores()}
        )

    def combining_takes(self, numbers: int) -> float:
        """Seconds to combine so many gradients: the median of a few tries, in which all ranks take part."""
        if self.size == 1:
            return 0.0
        self.tell("combine", numbers=numbers)
        vector, seconds = torch.zeros(numbers), []
        for _ in range(COLLECTIVES_TIMED):
            began = time.perf_counter()
            dist.all_reduce(vector)
            seconds.append(time.perf_counter() - began)
        return sorted(seconds)[COLLECTIVES_TIMED // 2]

    def release(self) -> None:
        """Leader: the others may go; returns when all have heard it."""
        if self.size > 1:
            self.tell("go")
            dist.barrier()


ALONE = Ranks()


@contextmanager
def joined() -> Iterator[Ranks]:
    """All the processes that torchrun has started, for as long as this lasts; ALONE when there is but one."""
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield ALONE
        return
    store, rank, size = next(iter(rendezvous("env://")))
    store = PrefixStore(_sitting(store, rank, size), store)
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    group = PrefixStore("collectives", store)
    dist.init_process_group(backend, store=group, rank=rank, world_size=size, timeout=LOST_AFTER)
    try:
        yield Ranks(rank, size, PrefixStore("words", store))
    finally:
        dist.destroy_process_group()


def _sitting(store: Any, rank: int, size: int) -> str:
    """A name for this sitting that all ranks agree on; torchrun's store remembers what earlier ones said.

    Each calls with a word never used before, and the leader answers until it has been heard by all.
    """
    own, silent = uuid4().hex, set(range(1, size))
    if rank:
        store.set(f"call {rank}", own)
        store.wait([f"answer {own}"], LOST_AFTER)
        name: str = store.get(f"answer {own}").decode()
        store.set(f"heard {name} {rank}", "")
        return name
    while silent:
        for other in tuple(silent):
            if store.check([f"call {other}"]):
                store.set(f"answer {store.get(f'call {other}').decode()}", own)
            if store.check([f"heard {own} {other}"]):
                silent.remove(other)
        time.sleep(0.01)
    return own


def own_cores() -> int:
    """The cores of this machine for each of the ranks on it."""
    return max(1, (psutil.cpu_count() or 1) // int(os.environ.get("LOCAL_WORLD_SIZE", 1)))
