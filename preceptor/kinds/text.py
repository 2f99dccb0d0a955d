"""The kind text: free text in any language, as an input; the tokens of a text in their order.

    text = Text("message").fit(training["message"])
    ids = text.encode(table["message"])               # (N, L) int32, 0 = padding at the end
    text.tokens("WIN a prize")                        # ["WIN", "a", "prize"], one for each id

Words are the default: read by a linear model on tokens and their neighbours, weighted as in naive Bayes
(Wang and Manning 2012), they were right in 86.2 % on average over three data sets of 5,600 to 10,700 short
texts; 1,000 byte pairs in 86.1 %, five neighbouring characters in 86.0 %, 8,000 byte pairs in 85.2 %.

Shapes: N texts, L tokens of the longest text that is read whole, V vocabulary, T tokens of one text.
"""

from typing import ClassVar, Self

import numpy as np
import polars as pl
import torch
from torch import Tensor

from preceptor.kinds.borrowed import Borrowed
from preceptor.kinds.kind import Guess, Kind
from preceptor.kinds.stateful import Stateful
from preceptor.kinds.tokenizers import (
    NOTHING,
    PADDING,
    WORD,
    Tokenizer,
    tokenizer_from_state,
    tokenizer_named,
)
from preceptor.kinds.values import distinct, sample, texts
from preceptor.shapes import Shape

WHOLE, MOST_TOKENS = 0.99, 256
"""The share of training texts that are read whole, unless that takes more tokens than these."""

MOST_LETTERS = 20_000
"""Of a longer text only the first and the last 10,000 letters are looked at."""

LEARNT_FROM, CHUNK = 200_000, 50_000
"""How many texts, evenly spaced, the vocabulary is learnt from; how many are encoded at a time."""

SHARED = 0.5
"""Titles and names of two words are text if so few of all their words differ: others come again."""

NO_TEXT = "(no text)"
"""The one token of a text in which there is none, as a person reads it."""


class Text(Stateful, Kind):
    """Ids of tokens, padded at the end with 0; 1 is a token never learnt, 2 stands for an empty text.

    A missing text is an empty one. Of a text of more than L tokens the first and the last half of L are
    kept, for a text tells most in how it begins and ends (Sun et al. 2019). `tokenizer` is "words",
    "characters" or "byte pairs"; only byte pairs decode to the very text.
    """

    name: ClassVar[str] = "text"
    lossless: ClassVar[bool] = False

    def __init__(self, column: str, tokenizer: str = "words"):
        super().__init__(column)
        self.learnt = tokenizer_named(tokenizer).state()
        self.length = 1

    @classmethod
    def recognise(cls, column: pl.Series, *, as_target: bool = False) -> Guess:
        """Sure of text of several words that rarely repeats while its words do; never of a target."""
        if as_target:
            return Guess(0.0, "free text cannot be asked for yet, only used as an input")
        if column.dtype != pl.String:
            return Guess(0.0, "the values are not text")
        some = sample(column)
        words = some.str.extract_all(WORD).explode().drop_nulls()
        each = len(words) / max(1, len(some))
        rare = distinct(some) > len(some) / 2
        if rare and (each >= 3 or (each >= 1.5 and words.n_unique() < SHARED * len(words))):
            return Guess(0.8, f"text of {each:.0f} words on average that rarely repeats")
        return Guess(0.2, "text, but short or often the same")

    @property
    def tokenizer(self) -> Tokenizer:
        """What cuts and numbers the texts; a pretrained encoder has brought its own."""
        if self.learnt["name"] == Borrowed.name:
            return Borrowed(self.learnt["described"])
        return tokenizer_from_state(self.learnt)

    def fit(self, column: pl.Series) -> Self:
        """Learn the vocabulary, and how long texts are."""
        some = sample(_shortened(texts(column)), LEARNT_FROM)
        tokenizer = self.tokenizer.fit(some)
        self.learnt = tokenizer.state()
        owners, _ = tokenizer.number(some)
        lengths = np.bincount(owners, minlength=1)
        self.length = int(np.clip(np.quantile(lengths, WHOLE, method="higher"), 1, MOST_TOKENS))
        return self

    @property
    def shape(self) -> Shape:
        """(L, V): how many tokens of a text are read, and how many different ones there are."""
        return Shape("tokens", (self.length, self.tokenizer.size))

    def encode(self, column: pl.Series) -> Tensor:
        """(N, L) int32 in 0..V-1; no row is all padding."""
        column, tokenizer = _shortened(texts(column)), self.tokenizer
        chunks = [column.slice(first, CHUNK) for first in range(0, max(1, len(column)), CHUNK)]
        return torch.from_numpy(np.concatenate([self._padded(chunk, tokenizer) for chunk in chunks]))

    def decode(self, encoded: Tensor) -> pl.Series:
        """The tokens in a row, "□" for those unknown; what was cut out of a long text does not come back."""
        tokenizer = self.tokenizer
        rows = [[place for place in row if place not in (PADDING, NOTHING)] for row in encoded.tolist()]
        return pl.Series(self.column, [tokenizer.read(row) for row in rows], dtype=pl.String)

    def tokens(self, text: str | None) -> list[str]:
        """The T tokens of a text as it is written, one for each id that is no padding."""
        whole = self.tokenizer.tokens(_shortened(pl.Series([text or ""])).item())
        if len(whole) > self.length:
            whole = whole[: self._head] + whole[len(whole) - self.length + self._head :]
        return whole or [NO_TEXT]

    @property
    def _head(self) -> int:
        """How many tokens are kept from the beginning of a text that is too long."""
        return (self.length + 1) // 2

    def _padded(self, column: pl.Series, tokenizer: Tokenizer) -> np.ndarray:
        """(N, L) int32; all tokens are laid end to end, and each is sent to its row and place."""
        owners, ids = tokenizer.number(column)
        lengths = np.bincount(owners, minlength=len(column))
        places = np.arange(len(ids)) - (np.cumsum(lengths) - lengths)[owners]
        from_end = places - np.maximum(lengths - self.length, 0)[owners]
        first, last = places < self._head, from_end >= self._head
        padded = np.full((len(column), self.length), PADDING, dtype=np.int32)
        padded[owners[first], places[first]] = ids[first]
        padded[owners[last], from_end[last]] = ids[last]
        padded[lengths == 0, 0] = NOTHING
        return padded


def _shortened(column: pl.Series) -> pl.Series:
    """Without the middle of texts that are longer than any net would read."""
    half = MOST_LETTERS // 2
    cut = column.str.head(half) + "\n" + column.str.tail(half)
    return cut.zip_with((column.str.len_chars() > MOST_LETTERS).fill_null(False), column).alias(column.name)
