"""The kind category: one of a known set of labels.

category = Category("species").fit(training["species"])
category.encode(table["species"])                 # (N, 1) int64 codes, 0 = unseen or missing
category.loss(net(x), category.goal(table["species"]))   # cross-entropy over K classes
"""

from typing import ClassVar, Self

import numpy as np
import polars as pl
import torch
from torch import Tensor

from preceptor.kinds.kind import Guess, Target
from preceptor.kinds.number import reads_as_classes
from preceptor.kinds.refusals import no_answer, unknown_label
from preceptor.kinds.stateful import Stateful
from preceptor.kinds.values import as_type, distinct, kept_type, sample, texts
from preceptor.metrics import Metric, many_class_metrics, two_class_metrics
from preceptor.shapes import Shape

MANY = 32
"""With more labels than this, those seen once in training share code 0 with the unseen ones."""


class Category(Stateful, Target):
    """Labels in sorted order: codes 1.. as an input, classes 0..K-1 as a target.

    Labels may be text, whole or other numbers, true and false; they decode to the type they had in
    training, and are found again when they arrive in another one ("3.0" for 3). Unseen and missing
    values share code 0 and decode to null. Of two classes the positive one is the second in sorted
    order: true, 1, "yes". A target keeps every class, however rare.
    """

    name: ClassVar[str] = "category"
    lossless: ClassVar[bool] = True

    def __init__(self, column: str):
        super().__init__(column)
        self.kept = "String"
        self.labels: list[str] = []
        self.counts: list[int] = []
        self.cardinality: int = 1
        self.outputs = 0
        self.task = "two-class"

    @classmethod
    def recognise(cls, column: pl.Series, *, as_target: bool = False) -> Guess:
        """Sure of true/false, and of text that repeats; of numbers only if they read as classes."""
        if column.dtype == pl.Boolean:
            return Guess(1.0, "true and false")
        if column.dtype.is_numeric():
            classes = reads_as_classes(column, as_target=as_target)
            return Guess(0.7, classes) if classes else Guess(0.1, "numbers")
        if column.dtype != pl.String:
            return Guess(0.1, "every different value could be a label")
        levels, rows = distinct(column), len(column) - column.null_count()
        words = sample(column).str.count_matches(r"\S+").mean()
        prose = isinstance(words, float) and words >= 4 and levels > rows / 2
        return Guess(0.3 if prose else 0.75, f"{levels:,} different labels in {rows:,} rows")

    def fit(self, column: pl.Series) -> Self:
        """Learn the labels and how often each occurs."""
        self.kept = kept_type(column)
        values = as_type(column, self.kept).drop_nulls()
        found = pl.DataFrame({"label": values}).group_by("label").len().sort("label")
        self.labels = texts(found["label"]).to_list()
        self.counts = found["len"].to_list()
        self.cardinality = 1 + int(self._codes().max(initial=0))
        self.outputs = len(self.labels)
        self.task = "two-class" if self.outputs <= 2 else "many-class"
        return self

    def _codes(self) -> np.ndarray:
        """(K,) the code of each label."""
        coded = np.asarray(self.counts, dtype=np.int64) > (1 if len(self.labels) > MANY else 0)
        return np.cumsum(coded) * coded

    def _places(self, column: pl.Series, codes: np.ndarray, unknown: int) -> np.ndarray:
        """(N,) int64: each value's entry in `codes`, which stand beside the labels."""
        keys = texts(as_type(column, self.kept))
        places = keys.replace_strict(self.labels, codes, default=unknown, return_dtype=pl.Int64)
        return np.array(places)

    @property
    def shape(self) -> Shape:
        """One code, of as many as there are labels that occur often enough, and 0."""
        return Shape("codes", (self.cardinality,))

    def encode(self, column: pl.Series) -> Tensor:
        """(N, 1) int64 codes in 0..cardinality-1."""
        return torch.from_numpy(self._places(column, self._codes(), 0))[:, None]

    def decode(self, encoded: Tensor) -> pl.Series:
        """Labels in their own type; null for code 0."""
        coded = np.append(0, np.flatnonzero(self._codes()) + 1)
        return self._named(coded[encoded[:, 0].numpy()] - 1)

    def _named(self, classes: np.ndarray) -> pl.Series:
        """The labels of class numbers; null for -1."""
        labels = as_type(pl.Series(self.column, self.labels, dtype=pl.String), self.kept)
        return labels.extend_constant(None, 1).gather(classes % (len(labels) + 1))

    def truth(self, column: pl.Series) -> np.ndarray:
        """(N,) int64 classes; raises Mistake where an answer is missing or unknown."""
        classes = self._places(column, np.arange(len(self.labels)), -1)
        strange = texts(column).filter(pl.Series(classes < 0))
        if strange.null_count():
            raise no_answer(self.column, strange.null_count())
        if len(strange):
            raise unknown_label(self.column, str(strange.first()), len(strange), self.labels)
        return classes

    def goal(self, column: pl.Series) -> Tensor:
        """(N,) int64 classes."""
        return torch.from_numpy(self.truth(column))

    def loss(self, output: Tensor, goal: Tensor, smoothing: float = 0.0) -> Tensor:
        """Mean cross-entropy of logits (N, K); `smoothing` spreads that share over all classes."""
        return torch.nn.functional.cross_entropy(output, goal, label_smoothing=smoothing)

    def scores(self, output: Tensor) -> np.ndarray:
        """(N, K) probabilities: the softmax of the logits."""
        return output.detach().double().softmax(dim=-1).numpy()

    def chance(self, truth: np.ndarray) -> np.ndarray:
        """(K,) how often each class occurs."""
        return np.bincount(truth, minlength=self.outputs) / max(1, len(truth))

    def answers(self, scores: np.ndarray) -> pl.DataFrame:
        """The likeliest label, and the probability of each as `p(label)`."""
        shares = {f"p({label})": scores[:, place] for place, label in enumerate(self.labels)}
        return pl.DataFrame({self.column: self._named(scores.argmax(axis=1)), **shares})

    def metrics(self) -> dict[str, Metric]:
        """ROC AUC first for two classes, accuracy for more."""
        return two_class_metrics() if self.task == "two-class" else many_class_metrics()
