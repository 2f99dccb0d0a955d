"""All inputs of a mini-batch, each changed in the way of its family.

    changes = good_changes(shapes, further)              # ("shift", "flip")
    augment = InputAugmenter(shapes, changes, seed=0, further=further)
    augment((numbers, codes, photos_B, titles_B), rows_B, epoch=4)

Numbers and codes stay as they are: a made-up price is a wrong price.
"""

from collections.abc import Callable, Sequence

from torch import Tensor

from preceptor.augmentation.choice import changes_for
from preceptor.augmentation.picture import Augmenter
from preceptor.augmentation.words import WordDropout
from preceptor.shapes import Shape

HIDE_WORDS, HIDDEN_WORDS = "hide-words", 0.2
"""The change of texts, and the share of their words that it hides."""
Change = Callable[[Tensor, Tensor, int], Tensor]


def good_changes(shapes: Sequence[Shape], further: Sequence[Tensor]) -> tuple[str, ...]:
    """The changes that help with training rows like these; `further` are their tensors.

    Texts stay as they are, since hiding words gained nothing (LOG.md): who wants it asks for "hide-words".
    """
    pictures = [x for shape, x in zip(shapes, further, strict=True) if shape.family == "picture"]
    return tuple(dict.fromkeys(change for x in pictures for change in changes_for(x)))


class InputAugmenter:
    """Changes the further tensors of a mini-batch by the named `changes`; `further` are all training rows."""

    def __init__(
        self, shapes: Sequence[Shape], changes: tuple[str, ...], seed: int, further: Sequence[Tensor]
    ) -> None:
        self._changes = [_change(shape, changes, seed, x) for shape, x in zip(shapes, further, strict=True)]

    def __call__(self, batch: Sequence[Tensor], rows_B: Tensor, epoch: int) -> list[Tensor]:
        """The batch (numbers, codes, *further), changed; `rows_B` are its rows in the training set."""
        further = zip(batch[2:], self._changes, strict=True)
        return [*batch[:2], *(change(x, rows_B, epoch) if change else x for x, change in further)]


def _change(shape: Shape, changes: tuple[str, ...], seed: int, x: Tensor) -> Change | None:
    if shape.family == "picture" and changes:
        return Augmenter(shape.sizes, changes, seed, pictures=x)
    if shape.family == "tokens" and HIDE_WORDS in changes:
        return WordDropout(HIDDEN_WORDS, seed)
    return None
