"""The kind tags: several labels at once in one cell, such as "drama|comedy".

tags = Tags("genres").fit(training["genres"])
tags.encode(table["genres"])                      # (N, K) float32, 1 where the row has the tag
"""

from typing import ClassVar, Self

import numpy as np
import polars as pl
import torch
from torch import Tensor

from preceptor.kinds.kind import Guess, Target
from preceptor.kinds.refusals import no_answer, unknown_label
from preceptor.kinds.stateful import Stateful
from preceptor.kinds.values import sample, texts
from preceptor.metrics import Metric, tag_metrics
from preceptor.shapes import Shape

SEPARATORS = ("|", ";", ",")
MOST = 256
"""Only so many tags are learnt, the most frequent ones."""


class Tags(Stateful, Target):
    """One column of 0 and 1 for each tag, and a flag for missing cells if training had any.

    Unseen tags are ignored; a missing cell has no tags (and raises the flag, if there is one); an
    empty cell is a row without tags. Decoding gives the tags in sorted order, once each.
    """

    name: ClassVar[str] = "tags"
    lossless: ClassVar[bool] = True
    task = "tags"

    def __init__(self, column: str):
        super().__init__(column)
        self.separator = SEPARATORS[0]
        self.tags: list[str] = []
        self.flag = False
        self.outputs = 0

    @classmethod
    def recognise(cls, column: pl.Series, *, as_target: bool = False) -> Guess:
        """Sure of text whose cells hold differing numbers of short labels that come again and again."""
        if column.dtype != pl.String:
            return Guess(0.0, "the values are not text")
        some = sample(column)
        separator = _separator(some)
        cells = _split(some, separator)
        if not cells.height or not some.str.contains(separator, literal=True).any():
            return Guess(0.05, "no cell holds more than one label")
        per_cell = cells.group_by("row").len()["len"]
        different = cells["tag"].n_unique()
        short = (cells["tag"].str.count_matches(r"\S+") <= 3).mean()
        again = cells.height / different
        if short == 1 and per_cell.n_unique() > 1 and again >= 3 and different <= MOST:
            return Guess(0.85, f"{different} labels, separated by {separator!r}")
        return Guess(0.1, f"cells hold {separator!r}, but not labels that come again and again")

    def fit(self, column: pl.Series) -> Self:
        """Learn the separator and the tags, at most `MOST` of them."""
        column = texts(column)
        self.separator = _separator(column)
        self.flag = column.null_count() > 0
        found = _split(column, self.separator).group_by("tag").len()
        self.tags = found.sort("len", "tag", descending=[True, False])["tag"].head(MOST).sort().to_list()
        self.outputs = len(self.tags)
        return self

    @property
    def shape(self) -> Shape:
        """K tags, and the flag."""
        return Shape("numbers", (self.outputs + self.flag,))

    def encode(self, column: pl.Series) -> Tensor:
        """(N, K) or (N, K + 1) float32 of 0 and 1, the last column 1 where the cell is missing."""
        column = texts(column)
        encoded = np.zeros((len(column), self.shape.sizes[0]), dtype=np.float32)
        rows, places = self._places(_split(column, self.separator))
        encoded[rows[places >= 0], places[places >= 0]] = 1
        if self.flag:
            encoded[:, -1] = column.is_null()
        return torch.from_numpy(encoded)

    def _places(self, cells: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """For every tag of every row: the row, and the tag's number, -1 if unknown."""
        places = cells["tag"].replace_strict(
            self.tags, np.arange(len(self.tags)), default=-1, return_dtype=pl.Int64
        )
        return cells["row"].to_numpy(), places.to_numpy()

    def decode(self, encoded: Tensor) -> pl.Series:
        """The tags of each row joined by the separator; null where the flag is up."""
        cells = self._joined(encoded[:, : self.outputs].numpy() > 0.5)
        missing = encoded[:, -1].numpy() > 0.5 if self.flag else np.zeros(len(encoded), dtype=bool)
        return cells.set(pl.Series(missing), None)

    def _joined(self, given: np.ndarray) -> pl.Series:
        """Cells of text from (N, K) booleans."""
        rows, places = np.nonzero(given)
        tags = pl.Series(self.tags, dtype=pl.String).gather(places)
        cells = pl.DataFrame({"row": rows, "tag": tags}).group_by("row")
        joined = cells.agg(pl.col("tag").str.join(self.separator))
        return (
            pl.Series(self.column, [""]).new_from_index(0, len(given)).scatter(joined["row"], joined["tag"])
        )

    def truth(self, column: pl.Series) -> np.ndarray:
        """(N, K) int64 of 0 and 1; raises Mistake where a cell is missing or a tag unknown."""
        column = texts(column)
        if column.null_count():
            raise no_answer(self.column, column.null_count())
        cells = _split(column, self.separator)
        rows, places = self._places(cells)
        strange = cells["tag"].filter(pl.Series(places < 0))
        if len(strange):
            raise unknown_label(self.column, str(strange.first()), len(strange), self.tags)
        truth = np.zeros((len(column), self.outputs), dtype=np.int64)
        truth[rows, places] = 1
        return truth

    def goal(self, column: pl.Series) -> Tensor:
        """(N, K) float32 of 0 and 1."""
        return torch.from_numpy(self.truth(column)).float()

    def loss(self, output: Tensor, goal: Tensor, smoothing: float = 0.0) -> Tensor:
        """Mean binary cross-entropy of logits (N, K); `smoothing` draws every goal to one half."""
        soft = goal * (1 - smoothing) + smoothing / 2
        return torch.nn.functional.binary_cross_entropy_with_logits(output, soft)

    def scores(self, output: Tensor) -> np.ndarray:
        """(N, K) probabilities, each tag's own: the sigmoid of the logits."""
        return output.detach().double().sigmoid().numpy()

    def chance(self, truth: np.ndarray) -> np.ndarray:
        """(K,) how often each tag occurs."""
        return truth.mean(axis=0)

    def answers(self, scores: np.ndarray) -> pl.DataFrame:
        """The tags likelier than one half, joined; and the probability of each as `p(tag)`."""
        shares = {f"p({tag})": scores[:, place] for place, tag in enumerate(self.tags)}
        return pl.DataFrame({self.column: self._joined(scores > 0.5), **shares})

    def metrics(self) -> dict[str, Metric]:
        """Macro F1 first."""
        return tag_metrics()


def _separator(column: pl.Series) -> str:
    """The separator that most cells hold."""
    return max(SEPARATORS, key=lambda mark: column.str.contains(mark, literal=True).sum())


def _split(column: pl.Series, separator: str) -> pl.DataFrame:
    """Every tag of every row: columns row and tag, spaces around tags and empty tags left out."""
    cells = pl.DataFrame({"row": np.arange(len(column)), "tag": column.str.split(separator)})
    cells = cells.drop_nulls().explode("tag").with_columns(pl.col("tag").str.strip_chars())
    return cells.filter(pl.col("tag") != "")
