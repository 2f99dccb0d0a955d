"""Training on more rows than memory holds: the loop stays as it is, and its rows are exchanged under it.

    stream = stream_of("clicks.parquet", target="clicked", memory="500 MB").stream
    training = Training(net, plan, epochs=3 * stream.shares, seed=0)
    for epoch in train_stream(training, stream, loss):
        print(epoch.number, epoch.loss)

The encoded rows lie on disk in packs, each a stratified sample of all (`preceptor.data.streams.packs`). A
*share* is as many packs, drawn afresh in every pass, as a fixed part of the memory holds; `train` sees its
tensors as if they were all rows there are, and an epoch is one share. A thread reads the next share
meanwhile. Which rows a share has is a pure function of (seed, epoch), and so is their order in it.

Memory, in bytes, for shares of R rows of r bytes each: R * (2 r + r / PACKS_A_SHARE + 8), that is the share
at work, the next one, the pack that is being read, and the order of rows.
"""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from preceptor.data.streams.packs import Packs
from preceptor.training.loop import Augment, Epoch, Loss, train
from preceptor.training.state import Training

PACKS_A_SHARE = 8
"""From so many packs, others in every pass, a share is put together."""


class Stream:
    """Encoded training rows on disk, `shares` times `rows` of them, to be taken in share by share."""

    def __init__(self, packs: Packs):
        self.packs, self.shares = packs, max(1, packs.count // PACKS_A_SHARE)
        self.rows = packs.rows * (packs.count // self.shares)

    def empty(self, device: torch.device | str = "cpu", *, pinned: bool = False) -> list[Tensor]:
        """Room for one share: the inputs' tensors, then the goal."""
        arrays = [np.empty((0, *self.packs.record[name].shape), self._kind(name)) for name in self._names]
        kinds = [(array.shape[1:], torch.from_numpy(array).dtype) for array in arrays]
        return [
            torch.empty(self.rows, *sizes, dtype=kind, device=device, pin_memory=pinned)
            for sizes, kind in kinds
        ]

    def fill(self, parts: Sequence[Tensor], seed: int, place: int) -> None:
        """Put the share number `place`, counted from the first pass's first, into tensors in memory.

        Raises Mistake "packs-damaged".
        """
        number, share = divmod(place, self.shares)
        drawn = np.random.default_rng((seed, number)).permutation(self.packs.count)
        each = self.packs.count // self.shares
        for turn, pack in enumerate(drawn[share * each : (share + 1) * each]):
            records, first = self.packs.read(int(pack)), turn * self.packs.rows
            for name, part in zip(self._names, parts, strict=True):
                part.numpy()[first : first + len(records)] = records[name]

    @property
    def _names(self) -> tuple[str, ...]:
        return self.packs.record.names or ()

    def _kind(self, name: str) -> np.dtype:
        return self.packs.record[name].base


def train_stream(
    training: Training,
    stream: Stream,
    loss: Loss,
    *,
    augment: Augment | None = None,
) -> Iterator[Epoch]:
    """`train` on a stream: each epoch is one share of it, or one of the training's shares of that one.

    Raises Mistake where packs cannot be read; what was learnt by then is in `training` and its checkpoint.
    """
    device = training.flat.weights.device
    *inputs, goal = shown = stream.empty(device)
    epochs = train(training, inputs, goal, loss, augment=augment)
    places = range(training.epoch // training.shares, math.ceil(training.epochs / training.shares))
    for _ in _exchanged(stream, shown, training.seed, places):
        yield from islice(epochs, training.shares - training.epoch % training.shares)
        if training.over:
            return


def _exchanged(stream: Stream, shown: Sequence[Tensor], seed: int, places: range) -> Iterator[int]:
    """Show one share after the other, the next being read meanwhile."""
    coming = stream.empty(pinned=shown[0].is_cuda)
    with ThreadPoolExecutor(1) as reader:
        read = reader.submit(stream.fill, coming, seed, places.start)
        for place in places:
            read.result()
            for here, there in zip(shown, coming, strict=True):
                here.copy_(there)
            if place + 1 in places:
                read = reader.submit(stream.fill, coming, seed, place + 1)
            yield place
