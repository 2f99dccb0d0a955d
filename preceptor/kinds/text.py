"""The kind text: free text, as an input, read by its letters.

    text = Text("message").fit(training["message"])
    text.encode(table["message"])                     # (N, W) float32, W at most 32

A simple, honest treatment: how often each piece of one to three letters occurs (TF-IDF), summed up in
32 numbers (truncated SVD; "latent semantic analysis", Deerwester et al. 1990). It knows spelling and
frequent words, not meaning, nor the order of words.

Shapes: N texts, V pieces, W columns. A piece is one int64: three Unicode code points of 21 bits.
"""

import base64
from typing import ClassVar, Self

import numpy as np
import polars as pl
import torch
from scipy import sparse
from sklearn.utils.extmath import randomized_svd
from torch import Tensor

from preceptor.kinds.kind import Guess, Kind
from preceptor.kinds.scaling import robust_scale, smooth_clip
from preceptor.kinds.stateful import Stateful
from preceptor.kinds.values import distinct, sample, texts
from preceptor.shapes import Shape

PIECES, COLUMNS, LETTERS = 2_048, 32, 1_000
"""How many pieces are counted, how many columns sum them up, how many letters of a text are read."""

LEARNT_FROM, CHUNK = 10_000, 4_096
"""How many texts, evenly spaced, the pieces are learnt from; how many are encoded at a time."""

NOISE = 1e-6
"""A direction in which texts differ by less than this shows rounding, not text."""

_START = ord("\n")


class Text(Stateful, Kind):
    """At most 32 columns within -3..3, scaled and clipped as numbers are.

    Pieces never seen in training count for nothing; a missing text is an empty one. Only the first
    1,000 letters count, capitals as small letters. The text cannot be had back: decoding gives null.
    """

    name: ClassVar[str] = "text"
    lossless: ClassVar[bool] = False

    def __init__(self, column: str):
        super().__init__(column)
        self.pieces: list[int] = []
        self.rarity: list[float] = []
        self.components = ""
        self.centers: list[float] = []
        self.scales: list[float] = []

    @classmethod
    def recognise(cls, column: pl.Series, *, as_target: bool = False) -> Guess:
        """Sure of text of several words that rarely repeats; never of a target."""
        if as_target:
            return Guess(0.0, "free text cannot be asked for yet, only used as an input")
        if column.dtype != pl.String:
            return Guess(0.0, "the values are not text")
        some = sample(column)
        words = some.str.count_matches(r"\S+").mean()
        if isinstance(words, float) and words >= 3 and distinct(some) > len(some) / 2:
            return Guess(0.8, f"text of {words:.0f} words on average that rarely repeats")
        return Guess(0.2, "text, but short or often the same")

    def fit(self, column: pl.Series) -> Self:
        """Learn the most frequent pieces, how rare each is, and the directions that sum them up."""
        some = sample(texts(column), LEARNT_FROM)
        rows, pieces = _pieces(some)
        found = pl.DataFrame({"text": rows, "piece": pieces}).unique().group_by("piece").len("texts")
        kept = found.sort("texts", "piece", descending=[True, False]).head(PIECES).sort("piece")
        self.pieces = kept["piece"].to_list()
        self.rarity = (np.log((1 + len(some)) / (1 + kept["texts"].to_numpy())) + 1).tolist()
        weighed = self._weighed(some)
        directions = _directions(weighed)
        spreads = np.array([robust_scale(summary) for summary in (weighed @ directions).T]).reshape(-1, 2)
        telling = spreads[:, 1] > NOISE
        self.centers, self.scales = spreads[telling].T.tolist()
        self.components = base64.b64encode(directions[:, telling].tobytes()).decode("ascii")
        return self

    @property
    def shape(self) -> Shape:
        """As many columns as the training texts have directions, at most 32."""
        return Shape("numbers", (len(self.centers),))

    def encode(self, column: pl.Series) -> Tensor:
        """(N, W) float32."""
        column = texts(column)
        directions = np.frombuffer(base64.b64decode(self.components), np.float32)
        directions = directions.reshape(len(self.pieces), len(self.centers))
        encoded = np.zeros((len(column), len(self.centers)), dtype=np.float32)
        for first in range(0, len(column), CHUNK):
            summaries = self._weighed(column.slice(first, CHUNK)) @ directions
            for place, (center, scale) in enumerate(zip(self.centers, self.scales, strict=True)):
                encoded[first : first + CHUNK, place] = smooth_clip(summaries[:, place], center, scale)
        return torch.from_numpy(encoded)

    def decode(self, encoded: Tensor) -> pl.Series:
        """Null for every row: 32 numbers do not hold a text."""
        return pl.Series(self.column, [None], dtype=pl.String).new_from_index(0, len(encoded))

    def _weighed(self, column: pl.Series) -> sparse.csr_array:
        """(N, V) rows of length 1: (1 + log count) times rarity for each known piece of each text."""
        rows, pieces = _pieces(column)
        places = np.searchsorted(self.pieces, pieces)
        known = np.append(self.pieces, -1)[places] == pieces
        shape = (len(column), len(self.pieces))
        ones = np.ones(known.sum(), dtype=np.float32)
        counts = sparse.csr_array((ones, (rows[known], places[known])), shape=shape)
        weights = (1 + np.log(counts.data)) * np.asarray(self.rarity, dtype=np.float32)[counts.indices]
        owners = np.repeat(np.arange(len(column)), np.diff(counts.indptr))
        lengths = np.sqrt(np.bincount(owners, weights**2, minlength=len(column)))
        return sparse.csr_array(
            (weights / lengths[owners].astype(np.float32), counts.indices, counts.indptr), shape
        )


def _pieces(column: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Every run of one to three letters: the text it is in, and the run as a number.

    All texts are laid end to end, a line feed before each; a run may begin with that line feed, which
    marks the beginning of a text, and may hold no other.
    """
    plain = column.fill_null("").str.slice(0, LETTERS).str.to_lowercase().str.replace_all(r"\s+", " ")
    laid = str(("\n" + plain).str.join("").item())
    letters = np.frombuffer(laid.encode("utf-32-le"), dtype=np.uint32).astype(np.int64)
    starts = letters == _START
    texts_of = np.cumsum(starts) - 1
    runs, whole = letters, ~starts
    found = [(texts_of[whole], runs[whole])]
    whole = np.ones(len(letters), dtype=bool)
    for further in (1, 2):
        runs = runs[:-1] << 21 | letters[further:]
        whole = whole[:-1] & ~starts[further:]
        found.append((texts_of[: len(runs)][whole], runs[whole]))
    return np.concatenate([rows for rows, _ in found]), np.concatenate([runs for _, runs in found])


def _directions(weighed: sparse.csr_array) -> np.ndarray:
    """(V, W) float32: the right singular vectors of the weighed pieces, strongest first."""
    most = min(COLUMNS, *weighed.shape)
    if not most:
        return np.zeros((weighed.shape[1], 0), dtype=np.float32)
    _, _, directions = randomized_svd(weighed, most, random_state=0)
    return directions.T.astype(np.float32)
