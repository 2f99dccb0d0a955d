"""The tokenizer of a pretrained encoder: texts must be cut and numbered as they were when it learnt to read.

    cut = Borrowed.opened(folder)                     # tokenizer.json, as the package `tokenizers` writes it
    owners, ids = cut.number(table["review"])

Its numbers follow on those that every tokenizer keeps: its own number n is n + FIRST here.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import polars as pl
from tokenizers import Tokenizer as Model

from preceptor.errors import Mistake
from preceptor.kinds.tokenizers import FIRST, Tokenizer


class Borrowed(Tokenizer):
    """Cuts and numbers as `described` says, the text of a tokenizer.json; it learns nothing.

    Signs that it puts before and after a text, such as [CLS] and [SEP], are tokens like others.
    """

    name: ClassVar[str] = "borrowed"

    def __init__(self, described: str):
        super().__init__()
        self.described = described

    @classmethod
    def opened(cls, folder: Path) -> Self:
        """The tokenizer in a pretrained encoder's folder. Raises Mistake when none can be read there."""
        try:
            tokenizer = cls((folder / "tokenizer.json").read_text(encoding="utf-8"))
            _model(tokenizer.described)
        except (OSError, ValueError) as error:
            raise Mistake(
                "tokenizer-unreadable",
                "The pretrained encoder came without a tokenizer that can be read.",
                where=str(folder / "tokenizer.json"),
                why=str(error),
                todo="Put the tokenizer.json that was published with it into the folder.",
            ) from error
        return tokenizer

    @property
    def numbers(self) -> int:
        """How many numbers it may give: up to the largest, for there may be gaps."""
        return 1 + max(_model(self.described).get_vocab().values(), default=-1)

    @property
    def size(self) -> int:
        """V: its numbers, and those that every tokenizer keeps."""
        return FIRST + self.numbers

    def fit(self, texts: pl.Series) -> Self:
        """Nothing is learnt."""
        return self

    def number(self, texts: pl.Series) -> tuple[np.ndarray, np.ndarray]:
        """A missing text is an empty one."""
        encoded = _model(self.described).encode_batch_fast(texts.fill_null("").to_list())
        owners = np.repeat(np.arange(len(encoded)), [len(one.ids) for one in encoded])
        ids = [place for one in encoded for place in one.ids]
        return owners, np.array(ids, dtype=np.int32) + np.int32(FIRST)

    def tokens(self, text: str) -> list[str]:
        """The letters that each number stands for; the sign itself where it stands for none."""
        encoded = _model(self.described).encode(text)
        written = [text[first:last] for first, last in encoded.offsets]
        return [letters or sign for letters, sign in zip(written, encoded.tokens, strict=True)]

    def read(self, ids: Sequence[int]) -> str:
        """As the tokenizer itself writes numbers out, without its own signs."""
        return _model(self.described).decode([place - FIRST for place in ids if place >= FIRST])


@lru_cache(maxsize=4)
def _model(described: str) -> Model:
    """Made once: to take apart a description of a megabyte takes longer than to number a text."""
    try:
        model = Model.from_str(described)
    except Exception as error:  # the package raises nothing finer
        raise ValueError(str(error)) from error
    model.no_truncation()
    model.no_padding()
    return model
