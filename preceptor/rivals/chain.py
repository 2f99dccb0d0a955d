"""Read, then learn: an estimator on features that another part makes.

Chain(Ngrams(2), Chain(TfidfTransformer(), Ridge())).fit(x, y).predict(x)
"""

from collections.abc import Callable
from typing import Any, Self

VERBS = ("predict", "predict_proba", "decision_function")


class Chain:
    """A reader (`fit`, `transform`) and a learner (`fit`, and what it can of the verbs of prediction)."""

    def __init__(self, reader: Any, learner: Any):
        self.reader, self.learner = reader, learner

    def fit(self, x: Any, y: Any) -> Self:
        """Learn to read the rows, then to answer what was read."""
        self.learner.fit(self.reader.fit(x).transform(x), y)
        return self

    @property
    def classes_(self) -> Any:
        """The classes that the learner met."""
        return self.learner.classes_

    def __getattr__(self, verb: str) -> Callable[[Any], Any]:
        if verb not in VERBS:
            raise AttributeError(verb)
        answer = getattr(self.learner, verb)
        return lambda x: answer(self.reader.transform(x))
