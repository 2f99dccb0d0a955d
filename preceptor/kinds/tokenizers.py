"""Tokenizers: a text is cut into tokens, and each token has a number.

    words = Words().fit(training["review"])
    owners, ids = words.number(table["review"])       # the row of each token, and its number
    words.read(ids[owners == 0].tolist())             # "a stirring , funny and □ film"

Three ways to cut: whole words, single characters, and byte pairs, the subwords of large language models.
Every tokenizer numbers alike: 0 is padding, 1 an unknown token, 2 a text in which there is no token.

Sources: byte pairs by Sennrich, Haddow and Birch, ACL 2016; on bytes by Radford et al. 2019 (GPT-2).
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from tokenizers import Tokenizer as Model
from tokenizers import decoders, models, pre_tokenizers, trainers

from preceptor.errors import Mistake, nearest
from preceptor.kinds.values import sample

PADDING, UNKNOWN, NOTHING, FIRST = range(4)
"""The numbers that are no token of the vocabulary, and the first that is one."""

UNKNOWN_SIGN = "□"
"""What a person reads where a token is unknown."""

LONGEST = 64
"""A run of more letters is no word that comes again; it stays unknown."""

# Scripts that put no blanks between words: there each character counts as a word.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_LETTERS = rf"[[\p{{L}}\p{{M}}\p{{N}}_]--[{_UNSPACED}]]+"

WORD = rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+"
"""What counts as one word where words are only counted, as by hand."""


class Tokenizer(ABC):
    """Cuts by a pattern; `fit` learns the `vocabulary` from training texts alone."""

    name: ClassVar[str]
    pattern: ClassVar[str]

    def __init__(self) -> None:
        self.vocabulary: list[str] = []

    @property
    def size(self) -> int:
        """V: the vocabulary, padding, unknown and nothing."""
        return FIRST + len(self.vocabulary)

    @abstractmethod
    def fit(self, texts: pl.Series) -> Self:
        """Learn the vocabulary from training texts (String, null where one is missing)."""

    @abstractmethod
    def number(self, texts: pl.Series) -> tuple[np.ndarray, np.ndarray]:
        """For every token of every text, in order: the row it is in (int64), and its number (int32)."""

    @abstractmethod
    def tokens(self, text: str) -> list[str]:
        """The tokens of one text as it is written, one for each number."""

    @abstractmethod
    def read(self, ids: Sequence[int]) -> str:
        """A text again, from the numbers of its tokens."""

    def state(self) -> dict[str, Any]:
        """All that was learnt, as JSON values."""
        return {"name": self.name, **vars(self)}

    def _cut(self, texts: pl.Series) -> tuple[np.ndarray, pl.Series]:
        """The row of each piece that the pattern finds, and the piece as it is written."""
        pieces = texts.fill_null("").str.extract_all(self.pattern)
        owners = np.repeat(np.arange(len(texts)), pieces.list.len().to_numpy())
        return owners, pieces.explode().drop_nulls().alias("piece")


class Words(Tokenizer):
    """Words, numbers and signs of punctuation; small letters; what came once in training is unknown.

    The commonest 30,000 make the vocabulary. An unknown number is read by its length, as so many zeros.
    Full-width and other such forms count as the plain ones (NFKC), curly apostrophes as straight. In
    scripts without blanks between words, such as Chinese, each character counts as a word.
    """

    name: ClassVar[str] = "words"
    pattern: ClassVar[str] = (
        rf"\p{{N}}+(?:[.,:]\p{{N}}+)+|{_LETTERS}(?:['’]{_LETTERS})*|[^\s\p{{Cc}}\p{{Cf}}]\p{{M}}*"
    )
    glue: ClassVar[str] = " "
    most: ClassVar[int] = 30_000
    fewest: ClassVar[int] = 2

    def fit(self, texts: pl.Series) -> Self:
        """Learn the tokens that occur twice or more, the commonest first."""
        counts = self._cut(texts)[1].value_counts(name="count")
        counts = _summed(self._key(counts["piece"]), counts["count"])
        often = counts["count"] >= self.fewest
        found = _summed(counts["token"].zip_with(often, _shape(counts["token"])), counts["count"])
        found = found.filter(pl.col("count") >= self.fewest, pl.col("token").str.len_chars() <= LONGEST)
        ranked = found.sort("count", "token", descending=[True, False])
        self.vocabulary = ranked["token"].head(self.most).to_list()
        return self

    def number(self, texts: pl.Series) -> tuple[np.ndarray, np.ndarray]:
        """Tokens outside the vocabulary are unknown."""
        owners, pieces = self._cut(texts)
        different = pieces.unique()
        keys, known = self._key(different), pl.Series(self.vocabulary, dtype=pl.String)
        places = _places(keys, known)
        places = np.where(places < 0, _places(_shape(keys), known), places)
        ids = np.where(places < 0, UNKNOWN, places + FIRST)
        return owners, ids[_places(pieces, different)].astype(np.int32)

    def tokens(self, text: str) -> list[str]:
        """The pieces of the text, capitals and all."""
        return self._cut(pl.Series([text], dtype=pl.String))[1].to_list()

    def read(self, ids: Sequence[int]) -> str:
        """The tokens in a row, with a sign for each that was unknown."""
        tokens = [self.vocabulary[place - FIRST] if place >= FIRST else UNKNOWN_SIGN for place in ids]
        return self.glue.join(tokens)

    @staticmethod
    def _key(pieces: pl.Series) -> pl.Series:
        return pieces.str.normalize("NFKC").str.to_lowercase().str.replace_all("’", "'", literal=True)


class Characters(Words):
    """Single characters with their accents, capitals too; any run of blanks counts as one blank."""

    name: ClassVar[str] = "characters"
    pattern: ClassVar[str] = r"\s+|[^\s\p{Cc}]\p{M}*"
    glue: ClassVar[str] = ""
    most: ClassVar[int] = 4_000

    @staticmethod
    def _key(pieces: pl.Series) -> pl.Series:
        return pieces.str.normalize("NFC").str.replace(r"^\s+$", " ")


class BytePairs(Tokenizer):
    """Frequent runs of bytes inside of words; nothing is ever unknown, and reading gives the very text.

    Training begins with the 256 bytes and joins the commonest two neighbours to one token, again and
    again, until there is a token for every 200 pieces of the texts, or no two neighbours come twice.
    Fewer tokens than usual, for small data: on 5,600 to 10,700 short texts 1,000 did better than 8,000.
    """

    name: ClassVar[str] = "byte pairs"
    pattern: ClassVar[str] = r" ?[\p{L}\p{M}]+| ?\p{N}+| ?[^\s\p{L}\p{M}\p{N}]+|\s+"
    fewest: ClassVar[int] = 1_000
    most: ClassVar[int] = 8_000
    pieces_each: ClassVar[int] = 200
    learnt_from: ClassVar[int] = 20_000

    def __init__(self) -> None:
        super().__init__()
        self.merges: list[list[str]] = []

    def fit(self, texts: pl.Series) -> Self:
        """Learn the merges from at most 20,000 texts, evenly spaced."""
        pieces = self._cut(sample(texts, self.learnt_from))[1]
        trainer = trainers.BpeTrainer(
            vocab_size=int(np.clip(len(pieces) // self.pieces_each, self.fewest, self.most)),
            min_frequency=2,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        model = _on_bytes(models.BPE())
        model.train_from_iterator(pieces.to_list(), trainer)
        learnt = json.loads(model.to_str())["model"]
        self.vocabulary = sorted(learnt["vocab"], key=learnt["vocab"].__getitem__)
        self.merges = learnt["merges"]
        return self

    def number(self, texts: pl.Series) -> tuple[np.ndarray, np.ndarray]:
        """One piece, such as a word with the blank before it, has one token or several."""
        owners, pieces = self._cut(texts)
        different = pieces.unique()
        ids = pl.Series(self._numbered(different), dtype=pl.List(pl.Int32)).gather(_places(pieces, different))
        return np.repeat(owners, ids.list.len().to_numpy()), ids.explode().to_numpy() + np.int32(FIRST)

    def tokens(self, text: str) -> list[str]:
        """Runs of letters with the blank before them; put in a row they are the text."""
        _, ids = self.number(pl.Series([text], dtype=pl.String))
        return [self.read([place]) for place in ids.tolist()]

    def read(self, ids: Sequence[int]) -> str:
        """The very text; a letter that was cut in the middle of its bytes becomes a sign."""
        tokens = [self.vocabulary[place - FIRST] for place in ids if place >= FIRST]
        return decoders.ByteLevel().decode(tokens).replace("\ufffd", UNKNOWN_SIGN)

    def _numbered(self, pieces: pl.Series) -> list[list[int]]:
        numbers = {token: place for place, token in enumerate(self.vocabulary)}
        merges = [(first, second) for first, second in self.merges]
        model = _on_bytes(models.BPE(vocab=numbers, merges=merges))
        return [piece.ids for piece in model.encode_batch_fast(pieces.to_list())]


TOKENIZERS: dict[str, type[Tokenizer]] = {cut.name: cut for cut in (Words, Characters, BytePairs)}


def tokenizer_named(name: str) -> Tokenizer:
    """A tokenizer, still to be fitted; raises Mistake when there is none of that name."""
    if name not in TOKENIZERS:
        raise Mistake(
            "tokenizer-unknown",
            f"There is no way to cut text that is called {name!r}.",
            why="There are: " + ", ".join(TOKENIZERS) + ".",
            todo=nearest(name, TOKENIZERS),
        )
    return TOKENIZERS[name]()


def tokenizer_from_state(state: dict[str, Any]) -> Tokenizer:
    """The tokenizer whose state was saved."""
    tokenizer = tokenizer_named(state["name"])
    vars(tokenizer).update({name: state[name] for name in vars(tokenizer)})
    return tokenizer


def _summed(tokens: pl.Series, counts: pl.Series) -> pl.DataFrame:
    """Each token once, with the sum of its counts."""
    return pl.DataFrame({"token": tokens, "count": counts}).group_by("token").agg(pl.col("count").sum())


def _shape(tokens: pl.Series) -> pl.Series:
    """Every digit a zero: what is left of a number is its length."""
    return tokens.str.replace_all(r"\p{N}", "0")


def _places(values: pl.Series, among: pl.Series) -> np.ndarray:
    """(N,) int64: where each value stands among others that all differ, -1 if nowhere."""
    places = np.arange(len(among))
    return values.replace_strict(among, places, default=-1, return_dtype=pl.Int64).to_numpy()


def _on_bytes(model: models.BPE) -> Model:
    """Pieces come cut already; each is read as its bytes, written as 256 visible letters."""
    tokenizer = Model(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return tokenizer
