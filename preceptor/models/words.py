"""From token ids to one vector a text: an embedding of every token, then a trunk that reads them.

    encoder = TokenEncoder(sizes=(40, 8000))
    encoder(ids_BL).shape                                # (B, encoder.width)

Id 0 is padding, in front or at the end; a batch is read only as far as its longest text goes. The bag is
the default trunk: learnt from scratch on some thousand sentences it was right more often than convolutions,
recurrent nets and a Transformer, in a seventh of their time (see LOG.md).

Shapes: B rows, L longest text, T longest text of a batch, V vocabulary (padding included), F width of an
embedding, E answer's width.
"""

from typing import Any, ClassVar

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from preceptor.models.pretrained import PretrainedText
from preceptor.models.sequences import TRUNKS

FEW_ROWS, MANY_ROWS = 2_000, 20_000
SPREAD = 0.1
"""Of the first embeddings. Three times as much learns words by heart, a tenth of it learns no better."""

OWN = 3
"""The id that stands for number 0 of a pretrained encoder's own tokenizer."""


class TokenEncoder(nn.Module):
    """Embedding, dropout of whole words' features, trunk; further `options` are the trunk's.

    The trunk "pretrained" is made by a `configuration` alone, and embeds tokens in its own way.
    """

    trunks: ClassVar[tuple[str, ...]] = tuple(TRUNKS)

    def __init__(
        self,
        sizes: tuple[int, int],
        *,
        trunk: str = "bag",
        embedding: int = 64,
        dropout: float = 0.4,
        generator: Generator | None = None,
        **options: Any,
    ):
        super().__init__()
        if trunk == "pretrained":
            self.trunk: Any = PretrainedText(options["configuration"], frozen=False)
            self.width: int = self.trunk.width
            return
        self.dropout = dropout
        self.table = nn.Embedding(sizes[1], embedding)
        with torch.no_grad():
            self.table.weight.normal_(0.0, SPREAD, generator=generator)
        self.trunk = TRUNKS[trunk](embedding, generator=generator, **options)
        self.width = self.trunk.width

    @staticmethod
    def parameter_count(
        sizes: tuple[int, int],
        *,
        trunk: str = "bag",
        embedding: int = 64,
        dropout: float = 0.4,
        **options: Any,
    ) -> int:
        """V · F for the embedding, and the trunk's."""
        if trunk == "pretrained":
            with torch.device("meta"):
                made = PretrainedText(options["configuration"])
            return sum(parameter.numel() for parameter in made.parameters())
        return sizes[1] * embedding + TRUNKS[trunk].parameter_count(embedding, **options)

    @staticmethod
    def good_options(sizes: tuple[int, int], rows: int, minutes: float) -> dict[str, Any]:
        """The encoder's own options that measured best for so many texts and minutes: its defaults."""
        return {"trunk": "bag"}

    @classmethod
    def good_training(cls, rows: int) -> dict[str, Any]:
        """Fields of a TrainingPlan that measured best for so many texts."""
        few, many = rows < FEW_ROWS, rows >= MANY_ROWS
        return {
            "learning_rate": 4e-3 if many else 2e-3,
            "batch_size": 16 if few else 256 if many else 64,
            "epochs": 20 if few else 6 if many else 10,
        }

    def remember(self, ids_NL: Tensor) -> None:
        """Nothing has to be known of the training texts before training."""

    def forward(self, ids_BL: Tensor) -> Tensor:
        """(B, E)"""
        ids_BT = trimmed(ids_BL)
        if isinstance(self.trunk, PretrainedText):
            return self.trunk(ids_BT - OWN, ids_BT >= OWN)
        x_BTF = functional.dropout(self.table(ids_BT), self.dropout, self.training)
        return self.trunk(x_BTF, ids_BT != 0).float()


def trimmed(ids_BL: Tensor) -> Tensor:
    """Without the columns in front and at the end that are padding in every row; one is kept at least."""
    (used,) = ids_BL.any(dim=0).nonzero(as_tuple=True)
    first, last = (int(used[0]), int(used[-1])) if len(used) else (0, 0)
    return ids_BL[:, first : last + 1]
