"""Trainings one after another, each epoch by epoch, behind the door of those trained together."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from torch import Tensor

from preceptor.training.loop import Augment, Epoch, Loss, train
from preceptor.training.state import Training


class Material(NamedTuple):
    """What one training learns from; of the inputs' rows `rows` (N,) are its own, or all."""

    inputs: Sequence[Tensor]
    goal: Tensor
    loss: Loss
    rows: Tensor | None = None
    augment: Augment | None = None


def train_together(
    trainings: Sequence[Training], materials: Sequence[Material], *, watch: bool = True
) -> Iterator[list[Epoch | None]]:
    """Yields after every epoch what became of each; None for those that are over."""
    loops = [
        train(training, *_rows(material), material.loss, augment=material.augment, watch=watch)
        for training, material in zip(trainings, materials, strict=True)
    ]
    while any(not training.over for training in trainings):
        yield [next(loop, None) for loop in loops]


def _rows(material: Material) -> tuple[Sequence[Tensor], Tensor]:
    if material.rows is None:
        return material.inputs, material.goal
    return [part[material.rows] for part in material.inputs], material.goal[material.rows]
