"""From token ids to one vector a text: an embedding of every token, then a trunk that reads them.

    encoder = TokenEncoder(sizes=(40, 8000), trunk="conv")
    encoder(ids_BL).shape                                # (B, encoder.width)

Id 0 is padding, in front or at the end; a batch is read only as far as its longest text goes.

Shapes: B rows, L longest text, T longest text of a batch, V vocabulary (padding included), F width of an
embedding, E answer's width.
"""

from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from preceptor.models.sequences import TRUNKS


class TokenEncoder(nn.Module):
    """Embedding, dropout of whole words' features, trunk; further `options` are the trunk's."""

    def __init__(
        self,
        sizes: tuple[int, int],
        *,
        trunk: str = "conv",
        embedding: int = 64,
        dropout: float = 0.3,
        generator: Generator | None = None,
        **options: Any,
    ):
        super().__init__()
        self.dropout = dropout
        self.table = nn.Embedding(sizes[1], embedding)
        with torch.no_grad():
            self.table.weight.normal_(0.0, 0.1, generator=generator)
        self.trunk = TRUNKS[trunk](embedding, generator=generator, **options)
        self.width: int = self.trunk.width

    @staticmethod
    def parameter_count(
        sizes: tuple[int, int], *, trunk: str = "conv", embedding: int = 64, **options: Any
    ) -> int:
        """V · F for the embedding, and the trunk's."""
        return sizes[1] * embedding + TRUNKS[trunk].parameter_count(embedding, **options)

    @staticmethod
    def good_options(sizes: tuple[int, int], rows: int, minutes: float) -> dict[str, Any]:
        """The encoder's own options that measured best for so many texts and minutes: its defaults."""
        return {}

    @classmethod
    def good_training(cls, rows: int) -> dict[str, Any]:
        """Fields of a TrainingPlan that measured best for so many texts."""
        return {"learning_rate": 2e-3, "batch_size": 64 if rows < 20_000 else 256, "epochs": 20}

    def remember(self, ids_NL: Tensor) -> None:
        """Nothing has to be known of the training texts before training."""

    def forward(self, ids_BL: Tensor) -> Tensor:
        """(B, E)"""
        ids_BT = trimmed(ids_BL)
        x_BTF = functional.dropout(self.table(ids_BT), self.dropout, self.training)
        return self.trunk(x_BTF, ids_BT != 0).float()


def trimmed(ids_BL: Tensor) -> Tensor:
    """Without the columns in front and at the end that are padding in every row; one is kept at least."""
    (used,) = ids_BL.any(dim=0).nonzero(as_tuple=True)
    first, last = (int(used[0]), int(used[-1])) if len(used) else (0, 0)
    return ids_BL[:, first : last + 1]
