"""Runs of tokens: which of them a text has, as sparse rows.

    Ngrams(longest=2).fit(x).transform(x)              # (N, G) of 0 and 1

Shapes: N texts, L tokens, G n-grams known.
"""

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Sparse = Any  # scipy's sparse arrays come untyped

RARE, MOST_NGRAMS = 2, 500_000
"""A run of tokens counts if so many training texts have it; the most frequent runs are kept."""


class Ngrams:
    """Which runs of 1 to `longest` tokens a text has: 1 in a sparse row for each, however often."""

    def __init__(self, longest: int):
        self.longest = longest

    def fit(self, x: Array, y: Array | None = None) -> Self:
        """Learn the runs that occur in training texts (N, L) int32, 0 being padding."""
        self.vocabulary = int(x.max(initial=0)) + 1
        known = []
        for length, (texts, runs) in enumerate(self._runs(x), start=1):
            once = np.unique(np.stack([runs, texts]), axis=1)[0]
            found, counts = np.unique(once, return_counts=True)
            least = min(RARE if length > 1 else 1, len(x))
            keep = np.argsort(-counts, kind="stable")[: min(MOST_NGRAMS, (counts >= least).sum())]
            known.append(np.sort(found[keep]))
        self.known = known
        return self

    def transform(self, x: Array) -> Sparse:
        """(N, G) float32 rows of 0 and 1."""
        from scipy import sparse

        rows, columns, before = [], [], 0
        for known, (texts, runs) in zip(self.known, self._runs(x), strict=True):
            places = np.searchsorted(known, runs)
            found = np.append(known, -1)[places] == runs
            rows.append(texts[found])
            columns.append(before + places[found])
            before += len(known)
        row, column = np.concatenate(rows), np.concatenate(columns)
        counts = sparse.csr_array(
            (np.ones(len(row), dtype=np.float32), (row, column)), shape=(len(x), max(1, before))
        )
        counts.data[:] = 1
        return counts

    def _runs(self, x: Array) -> Iterator[tuple[Array, Array]]:
        """For each length, the text and the number of every run in it; tokens never seen end a run."""
        tokens = x.astype(np.int64)
        tokens[tokens >= self.vocabulary] = 0
        runs = tokens
        for length in range(1, self.longest + 1):
            if length > 1:
                following = tokens[:, length - 1 :]
                runs = runs[:, : following.shape[1]]
                runs = np.where((runs > 0) & (following > 0), runs * self.vocabulary + following, 0)
            texts, places = np.nonzero(runs)
            yield texts, runs[texts, places]
