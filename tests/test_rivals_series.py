"""The classical forecasters: each is exact on the series that it is made for."""

from pathlib import Path

import numpy as np
import pytest
import torch

from preceptor.problem import Inputs
from preceptor.rivals import Rival, rivals_for
from preceptor.rivals.series import SERIES, LastValue, RidgeOnLags, SeasonAgo, TreesOnLags, series_count
from preceptor.shapes import Shape

HORIZON, HISTORY = 3, 30


def windows(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Histories (N, T, S), standardised answers (N, H x S) of values (L, S), the answers' mean and spread."""
    count = len(values) - HISTORY - HORIZON + 1
    X = np.stack([values[place : place + HISTORY] for place in range(count)]).astype(np.float32)
    Y = np.stack([values[place + HISTORY : place + HISTORY + HORIZON].ravel() for place in range(count)])
    center, spread = Y.mean(axis=0), Y.std(axis=0)
    return X, (Y - center) / spread, center, spread


def seasonal(count: int = 400, period: int = 7) -> np.ndarray:
    angle = 2 * np.pi * np.arange(count) / period
    return np.stack([np.sin(angle) + 5, 10 * np.cos(angle) + np.sin(3 * angle)], axis=1)


def wandering(count: int = 2000) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 2)).cumsum(axis=0)


def test_the_last_value_is_repeated_for_every_step():
    X, Y, center, spread = windows(wandering())
    found = LastValue().fit(X, Y).predict(X) * spread + center
    np.testing.assert_allclose(found, np.tile(X[:, -1], HORIZON), atol=0.05 * X.std())


def test_a_season_is_found_and_repeated():
    X, Y, _, _ = windows(seasonal())
    rival = SeasonAgo().fit(X, Y)
    assert rival.period_ == 7
    np.testing.assert_allclose(rival.predict(X), Y, atol=0.05)


def test_ridge_finds_the_recurrence():
    X, Y, _, _ = windows(seasonal())
    np.testing.assert_allclose(RidgeOnLags().fit(X[:300], Y[:300]).predict(X[300:]), Y[300:], atol=0.02)


def test_trees_beat_the_last_value_on_a_season():
    X, Y, _, _ = windows(seasonal())
    error, naive = (
        np.square(rival.fit(X[:300], Y[:300]).predict(X[300:]) - Y[300:]).mean()
        for rival in (TreesOnLags(0), LastValue())
    )
    assert error < 0.1 * naive


@pytest.mark.parametrize("count", [1, 2])
def test_the_number_of_series_is_told_by_the_last_values(count: int):
    X, Y, _, _ = windows(wandering()[:, :count])
    beside = np.random.default_rng(1).normal(size=(len(X), 3))
    assert series_count(np.hstack([X[:, -1], beside]), Y) == count


@pytest.mark.parametrize("recipe", SERIES, ids=lambda recipe: recipe.name)
def test_gaps_are_borne_and_saved_equals_loaded(recipe, tmp_path: Path):
    X, Y, center, spread = windows(seasonal(150))
    X[::5, -1], X[3] = np.nan, np.nan
    inputs = Inputs(torch.empty(len(X), 0), torch.empty(len(X), 0, dtype=torch.int64), (torch.from_numpy(X),))
    rival = Rival(recipe, "series", Y.shape[1]).fit(inputs, Y * spread + center, seed=0)
    scores = rival.predict(inputs)
    assert scores.shape == Y.shape
    assert np.isfinite(scores).all()
    rival.save(tmp_path / "rival.skops")
    np.testing.assert_array_equal(Rival.load(tmp_path / "rival.skops").predict(inputs), scores)


@pytest.mark.parametrize("recipe", SERIES, ids=lambda recipe: recipe.name)
def test_one_number_ahead_is_answered_as_one_number(recipe):
    X, Y, _, _ = windows(seasonal(150))
    inputs = Inputs(torch.empty(len(X), 0), torch.empty(len(X), 0, dtype=torch.int64), (torch.from_numpy(X),))
    assert Rival(recipe, "number", 1).fit(inputs, Y[:, 0], seed=0).predict(inputs).shape == (len(X),)


def test_forecasters_compete_where_a_history_is_read_though_a_calendar_stands_beside_it():
    names = {recipe.name for recipe in SERIES}
    steps = [Shape("steps", (30, 2))]
    assert names <= {recipe.name for recipe in rivals_for("series", 100, None, steps, alone=False)}
    assert not names & {recipe.name for recipe in rivals_for("two-class", 100, None, steps, alone=False)}
    assert not names & {recipe.name for recipe in rivals_for("number", 100)}
