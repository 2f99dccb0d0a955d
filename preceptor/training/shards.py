"""Each rank keeps a part of the optimiser's memory (`--shard`), for nets that would not fit with all of it.

    shards = Shards(ranks, flat, "adamw")
    optimiser = AdamW(shards.flat)                       # its slots are one stretch of the flat vector long
    optimiser.step(rate); shards.gather(flat.weights)    # every rank has moved its stretch for all

The flat vector is cut into a stretch for each rank (the first stage of ZeRO, Rajbhandari et al., 2020), at
whole cache lines, so that every number comes to the same bits as it would in the whole vector. AdamW
remembers two numbers a weight, and training keeps a copy of them to fall back on; of these a rank then holds
one part in P. Weights and gradients stay whole, so that whoever reads them need not know. Where ranks are not
sharded, a stretch is the whole vector, and nothing here does anything.
"""

import copy
import itertools
from collections.abc import Mapping

import torch.distributed as dist
from torch import Tensor

from preceptor.errors import Mistake
from preceptor.training.parameters import LINE, FlatParameters, Snapshot
from preceptor.training.ranks import Ranks


class Shards:
    """How the flat vectors are cut among the ranks; `flat` is this rank's stretch of them.

    Raises Mistake for an optimiser that needs whole matrices.
    """

    def __init__(self, ranks: Ranks, flat: FlatParameters, optimiser: str) -> None:
        self.ranks, self.flat, self.stretches = ranks, flat, [slice(0, len(flat.weights))]
        if ranks.sharded:
            if optimiser == "muon":
                raise Mistake(
                    "shard-cuts-matrices",
                    "Muon moves whole matrices, and --shard cuts them into stretches.",
                    todo="Choose another optimiser, such as adamw, or leave out --shard.",
                )
            lines = len(flat.weights) // LINE
            ends = [LINE * (lines * rank // ranks.size) for rank in range(ranks.size)]
            self.stretches = [slice(*pair) for pair in itertools.pairwise([*ends, len(flat.weights)])]
            self.flat = stretch_of(flat, self.own)

    @property
    def own(self) -> slice:
        """This rank's stretch."""
        return self.stretches[self.ranks.rank if self.ranks.sharded else 0]

    def gather(self, vector: Tensor) -> None:
        """Give every rank each one's stretch of a vector (P,), in place."""
        if self.ranks.sharded:
            for owner, part in enumerate(self.stretches):
                dist.broadcast(vector[part], owner)

    def whole(self, carried: Snapshot) -> Snapshot:
        """What a training carries, the other ranks' parts included. Every rank takes part."""
        if not self.ranks.sharded:
            return carried
        self.ranks.tell("gather")
        return {name: self._whole(own) if _is_cut(name, own) else own for name, own in carried.items()}

    def _whole(self, own: Tensor) -> Tensor:
        vector = own.new_zeros(self.stretches[-1].stop)
        vector[self.own] = own
        self.gather(vector)
        return vector

    def part(self, whole: Mapping[str, Tensor]) -> Snapshot:
        """This rank's part of what all carry."""
        return {name: one[self.own] if _is_cut(name, one) else one for name, one in whole.items()}

    def hand_out(self, carried: Snapshot, resumed: Mapping[str, Tensor]) -> None:
        """Bring every rank to what the leader carries; it may have `resumed` with the parts of all."""
        if self.ranks.size == 1:
            return
        for name, own in carried.items():
            cut = self.ranks.sharded and _is_cut(name, own)
            whole = resumed.get(name, own.new_zeros(self.stretches[-1].stop)) if cut else own
            dist.broadcast(whole, 0)
            own.copy_(whole[self.own] if cut else whole)


def stretch_of(flat: FlatParameters, own: slice) -> FlatParameters:
    """The flat vectors from `own.start` to `own.stop`, and the groups that lie there."""
    part = copy.copy(flat)
    part.weights, part.gradients, part.groups = flat.weights[own], flat.gradients[own], []
    for group, members in flat.groups:
        start, stop = max(members.start, own.start), min(members.stop, own.stop)
        if start < stop:
            part.groups.append((group, slice(start - own.start, stop - own.start)))
    return part


def _is_cut(name: str, tensor: Tensor) -> bool:
    """Whether ranks hold parts of it: the optimiser's slots are, its counters are not."""
    return name.startswith("optimiser.") and tensor.ndim > 0
