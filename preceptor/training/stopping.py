"""The best weights seen so far, and when to stop looking for better ones (B6).

best = Best(patience=16)
if best.see(score, epoch, flat.snapshot()): ...      # a new best
if best.exhausted: break
"""

import math

from preceptor.training.parameters import Snapshot


class Best:
    """Early stopping: keeps the snapshot with the best validation score, counts the epochs since.

    A score that is not a number is never better.
    """

    def __init__(self, patience: int, *, higher_is_better: bool = False):
        self.patience = patience
        self.sign = 1.0 if higher_is_better else -1.0
        self.score = -self.sign * math.inf
        self.epoch = 0
        self.waited = 0
        self.snapshot: Snapshot = {}

    def see(self, score: float, epoch: int, snapshot: Snapshot) -> bool:
        """Judge the epoch of this number by its validation score; True when it is the best so far."""
        better = self.sign * score > self.sign * self.score
        self.waited = 0 if better else self.waited + 1
        if better:
            self.score, self.epoch, self.snapshot = score, epoch, snapshot
        return better

    @property
    def exhausted(self) -> bool:
        """Whether `patience` epochs in a row brought nothing better."""
        return self.waited >= self.patience
