"""Texts with some of their words missing: what a reader should still understand.

    forget = WordDropout(0.2, seed=0)
    forget(ids_BL, rows_B, epoch=4)                      # ids in, ids out

Each word may be put out of sight, as if it were unknown (Iyyer et al., 2015): a net then cannot lean on one
word alone. Which ones is a pure function of the seed, the epoch, the text's own row and the word's place.

Shapes: B texts of a batch, L tokens of a text.
"""

import torch
from torch import Tensor

from preceptor.augmentation.chance import draws, keys

UNKNOWN, FIRST = 1, 3
"""The id of an unknown token, and the first that stands for a word: padding and the like stay."""


class WordDropout:
    """Hides the share `rate` of all words."""

    def __init__(self, rate: float, seed: int) -> None:
        self.rate, self.seed = rate, seed

    def __call__(self, ids_BL: Tensor, rows_B: Tensor, epoch: int) -> Tensor:
        """The texts, (B, L), with words hidden; `rows_B` are their rows in the training set."""
        hidden_BL = draws(keys(rows_B, self.seed, 0), epoch, ids_BL.shape[1]) < self.rate
        return torch.where(hidden_BL & (ids_BL >= FIRST), UNKNOWN, ids_BL)
