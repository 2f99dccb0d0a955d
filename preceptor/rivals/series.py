"""The classical ways to forecast: as before, as a season ago, straight lines and trees on the last values.

    RidgeOnLags().fit(history_NTD, answers_NK).predict(history_NTD)

Each is handed the history as its kind encodes it, channels that are asked for first, and answers of mean 0
and spread 1. The history has units of its own, so "the last value" means: as far from its mean, in
spreads, as the last value is. A gap in the history counts as the value before it.

Shapes: N rows, T steps, D channels, H steps ahead of S series, K = H x S answers, step by step.
"""

from typing import Self

import numpy as np
import torch

from preceptor.models.forecast import filled, ridge
from preceptor.rivals.recipes import Recipe, Task

Array = np.ndarray
MOST_JUDGED, MOST_TREES_ROWS, LAGS = 500, 60_000, 24


class LastValue:
    """Everything stays as it is (naive forecast); `fit` learns what the values' mean and spread are."""

    def fit(self, X: Array, answers: Array) -> Self:
        """Learn from histories (N, T, D) and answers (N,) or (N, K)."""
        self.answers_ = 1 if answers.ndim == 1 else answers.shape[1]
        values = _whole(X)
        self.series_ = series_count(values[:, -1], answers.reshape(len(answers), -1))
        self.units_ = self._units(values)
        return self._learnt(values, answers.reshape(len(answers), -1))

    def _units(self, values: Array) -> Array:
        """(2, S) mean and spread of the last values of each series asked for."""
        last = values[:, -1, : self.series_].astype(np.float64)
        return np.stack([last.mean(axis=0), np.maximum(last.std(axis=0), 1e-6)])

    def _learnt(self, values: Array, answers: Array) -> Self:
        return self

    def _standard(self, values: Array) -> Array:
        """(N, T, S) the series asked for, in the units of their answers."""
        return (values[:, :, : self.series_] - self.units_[0]) / self.units_[1]

    def predict(self, X: Array) -> Array:
        """(N,) or (N, K) answers."""
        found = self._predicted(self._standard(_whole(X)))
        return found[:, 0] if self.answers_ == 1 else found

    def _predicted(self, values: Array) -> Array:
        return np.tile(values[:, -1], self.answers_ // self.series_)


class SeasonAgo(LastValue):
    """As one season ago: of all periods up to the history's length, the one that errs least in training."""

    def _learnt(self, values: Array, answers: Array) -> Self:
        some = slice(None, None, max(1, len(values) // MOST_JUDGED))
        past, coming = self._standard(values[some]), answers[some]
        errors = [np.square(self._ago(past, p) - coming).mean() for p in range(2, values.shape[1] + 1)]
        self.period_ = 2 + int(np.argmin(errors)) if errors else 1
        return self

    def _predicted(self, values: Array) -> Array:
        return self._ago(values, self.period_)

    def _ago(self, values: Array, period: int) -> Array:
        steps = np.arange(self.answers_ // self.series_)
        places = values.shape[1] - period + steps % period
        return values[:, places].reshape(len(values), -1)


class RidgeOnLags(LastValue):
    """The change from the last value as a weighted sum of earlier changes, one set of weights a series.

    Ridge regression in closed form (textbook C9); how strong the penalty is, the latest fifth of the
    training rows decides.
    """

    def _learnt(self, values: Array, answers: Array) -> Self:
        past, steps = self._standard(values), self.answers_ // self.series_
        coming = answers.reshape(len(answers), steps, self.series_) - past[:, -1:]
        changes = torch.from_numpy(past[:, :-1] - past[:, -1:])
        lines = [
            ridge(changes[:, :, s], torch.from_numpy(coming[:, :, s]), steps) for s in range(self.series_)
        ]
        self.weights_ = torch.stack(lines).numpy()
        return self

    def _predicted(self, values: Array) -> Array:
        changes = values[:, :-1] - values[:, -1:]
        found = np.einsum("nts,sth->nhs", changes, self.weights_, optimize=True) + values[:, -1:]
        return found.reshape(len(values), -1)


class TreesOnLags(LastValue):
    """Gradient boosting on recent changes, on those about a season ago, and on the step ahead as an input.

    One model answers all steps and series: a row is one step of one series of one history.
    """

    def __init__(self, seed: int = 0):
        self.seed = seed

    def _learnt(self, values: Array, answers: Array) -> Self:
        from sklearn.ensemble import HistGradientBoostingRegressor

        self.season_ = SeasonAgo()
        self.season_.answers_, self.season_.series_, self.season_.units_ = (
            self.answers_,
            self.series_,
            self.units_,
        )
        self.season_._learnt(values, answers)
        past, steps = self._standard(values), self.answers_ // self.series_
        rows = max(1, MOST_TREES_ROWS // self.answers_)
        some = np.sort(np.random.default_rng(self.seed).permutation(len(past))[:rows])
        coming = answers[some].reshape(len(some), steps, self.series_) - past[some][:, -1:]
        self.trees_ = HistGradientBoostingRegressor(
            learning_rate=0.05, max_iter=200, min_samples_leaf=40, max_features=0.5, random_state=self.seed
        ).fit(self._features(past[some]), coming.ravel())
        return self

    def _predicted(self, values: Array) -> Array:
        changes = self.trees_.predict(self._features(values)).reshape(len(values), -1, self.series_)
        return (changes + values[:, -1:]).reshape(len(values), -1)

    def _features(self, past: Array) -> Array:
        """(N H S, W): recent changes, the same step one, two and seven seasons ago, spread, step, series."""
        count, length, series = past.shape
        steps, period = self.answers_ // series, self.season_.period_
        changes = (past - past[:, -1:]).transpose(0, 2, 1)
        recent = changes[:, None, :, -1 - LAGS : -1].repeat(steps, axis=1)
        columns = []
        for seasons in (1, 2, 7):
            places = length - seasons * period + np.arange(steps) % period
            known = changes[:, :, np.clip(places, 0, None)].transpose(0, 2, 1)
            columns.append(np.where((places >= 0)[None, :, None], known, 0.0))
        spread = changes.std(axis=2)[:, None].repeat(steps, axis=1)
        step, owner = np.meshgrid(np.arange(steps), np.arange(series), indexing="ij")
        flat = [*columns, spread, *(np.broadcast_to(one, spread.shape) for one in (step, owner))]
        return np.concatenate([recent, np.stack(flat, axis=-1)], axis=-1).reshape(count * steps * series, -1)


def _whole(X: Array) -> Array:
    """(N, T, D) without gaps."""
    return filled(torch.from_numpy(X)).numpy()


def series_count(last: Array, answers: Array) -> int:
    """S, of how many series the K answers are: the number for which the last values tell them best.

    The first channels of `last` (N, D) are the series asked for, and the answers go round them.
    """
    width = answers.shape[1]
    possible = [count for count in range(1, min(last.shape[1], width) + 1) if width % count == 0]

    def link(count: int) -> float:
        told = np.tile(last[:, :count], width // count)
        with np.errstate(invalid="ignore", divide="ignore"):
            spreads = told.std(axis=0) * answers.std(axis=0)
            links = ((told - told.mean(axis=0)) * (answers - answers.mean(axis=0))).mean(axis=0) / spreads
        return float(np.nan_to_num(links).mean())

    return max(possible, key=link)


def _last_value(task: Task) -> LastValue:
    return LastValue()


def _season_ago(task: Task) -> SeasonAgo:
    return SeasonAgo()


def _ridge_on_lags(task: Task) -> RidgeOnLags:
    return RidgeOnLags()


def _trees_on_lags(task: Task) -> TreesOnLags:
    return TreesOnLags(task.seed)


SERIES = (
    Recipe("last-value", "the last value again", _last_value, None, jointly=True, reads="steps"),
    Recipe("season-ago", "the value a season ago", _season_ago, None, jointly=True, reads="steps"),
    Recipe("ridge-on-lags", "ridge on lags", _ridge_on_lags, None, jointly=True, reads="steps"),
    Recipe("boosting-on-lags", "boosting on lags", _trees_on_lags, None, jointly=True, reads="steps"),
)
"""The rivals made for forecasts from a history."""
