"""Blends: convex, better where heads differ, absent where one head knows it all, the same each time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preceptor.ensemble import apply, blend, sharpened, sharpness
from preceptor.metrics import many_class_metrics, regression_metrics, tag_metrics, two_class_metrics

RMSE, MAE = regression_metrics()["rmse"], regression_metrics()["mae"]
AUC = two_class_metrics()["roc_auc"]
ACCURACY = many_class_metrics()["accuracy"]


def heads(rng, rows=400, errors=(1.0, 1.0, 1.2)):
    """Candidates that err independently, so that their mean errs less."""
    truth = 3 * rng.normal(size=rows)
    names = [f"head{n}" for n in range(len(errors))]
    return {n: truth + e * rng.normal(size=rows) for n, e in zip(names, errors, strict=True)}, truth


def classes(rng, rows, noise, number=3):
    truth = rng.integers(0, number, rows)
    scores = {}
    for n, size in enumerate(noise):
        raw = np.exp(2 * np.eye(number)[truth] + size * rng.normal(size=(rows, number)))
        scores[f"head{n}"] = raw / raw.sum(axis=1, keepdims=True)
    return scores, truth


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), rows=st.integers(10, 200))
def test_weights_are_convex_and_name_candidates(seed, rows):
    candidates, truth = heads(np.random.default_rng(seed), rows)
    weights = blend(candidates, truth, RMSE, seed=seed)
    assert set(weights) <= set(candidates)
    assert sum(weights.values()) == pytest.approx(1)
    assert min(weights.values()) > 0.05


def test_heads_that_err_differently_are_blended_and_err_less_on_new_rows():
    rng = np.random.default_rng(0)
    candidates, truth = heads(rng)
    weights = blend(candidates, truth, RMSE)
    fresh, fresh_truth = heads(np.random.default_rng(1), 2_000)
    blended = RMSE.function(fresh_truth, apply(weights, fresh), None)
    alone = min(RMSE.function(fresh_truth, scores, None) for scores in fresh.values())
    assert blended < 0.7 * alone


@pytest.mark.parametrize("metric", [RMSE, MAE])
def test_one_head_that_knows_it_all_ships_alone(metric):
    candidates, truth = heads(np.random.default_rng(0), errors=(0.01, 2.0, 3.0, 3.0))
    assert blend(candidates, truth, metric) == {"head0": 1.0}


def test_classes_are_blended_too_and_gain():
    rng = np.random.default_rng(0)
    candidates, truth = classes(rng, 300, (1.5, 1.5, 1.5, 4.0))
    weights = blend(candidates, truth, ACCURACY)
    fresh, fresh_truth = classes(rng, 3_000, (1.5, 1.5, 1.5, 4.0))
    best = max(ACCURACY.function(fresh_truth, scores, None) for scores in fresh.values())
    assert ACCURACY.function(fresh_truth, apply(weights, fresh), None) > best + 0.02
    assert apply(weights, fresh).sum(axis=1) == pytest.approx(1)


def test_a_constant_that_changes_no_ranking_does_not_crowd_out_who_ranks():
    rng = np.random.default_rng(0)
    scores, truth = classes(rng, 200, (1.0,), number=2)
    candidates = {"dumb": np.tile([0.5, 0.5], (200, 1)), **scores}
    assert blend(candidates, truth, AUC) == {"head0": 1.0}


def test_the_dumb_one_ships_alone_when_it_is_the_best_and_never_blends():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=200)
    noise = {f"head{n}": truth.mean() + 2 * rng.normal(size=200) for n in range(2)}
    assert blend({"dumb": np.full(200, truth.mean()), **noise}, truth, RMSE) == {"dumb": 1.0}
    candidates, truth = heads(rng, errors=(1.0, 1.1))
    assert "dumb" not in blend({**candidates, "dumb": np.zeros(len(truth))}, truth, RMSE)


def test_the_same_seed_gives_the_same_weights_and_the_inputs_stay_as_they_were():
    candidates, truth = heads(np.random.default_rng(0))
    before = {name: scores.copy() for name, scores in candidates.items()}
    assert blend(candidates, truth, RMSE, seed=3) == blend(candidates, truth, RMSE, seed=3)
    assert all(np.array_equal(candidates[name], before[name]) for name in candidates)


def test_rows_of_one_class_in_a_half_break_nothing():
    truth = np.zeros(40, dtype=int)
    truth[0] = 1
    rng = np.random.default_rng(0)
    p = rng.uniform(size=(3, 40))
    candidates = {f"head{n}": np.column_stack([1 - one, one]) for n, one in enumerate(p)}
    assert sum(blend(candidates, truth, AUC).values()) == pytest.approx(1)


def test_tags_blend_like_everything_else():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, (200, 3))
    candidates = {
        f"head{n}": 1 / (1 + np.exp(1 - 2 * truth - rng.normal(size=truth.shape))) for n in range(3)
    }
    weights = blend(candidates, truth, tag_metrics()["macro_f1"])
    assert apply(weights, candidates).shape == (200, 3)


def test_applied_weights_are_the_weighted_mean():
    scores = {"a": np.array([[1.0, 0.0]]), "b": np.array([[0.0, 1.0]])}
    assert apply({"a": 0.75, "b": 0.25}, scores).tolist() == [[0.75, 0.25]]


@pytest.mark.parametrize("power", [0.4, 1.0, 2.5])
def test_answers_that_are_too_sure_or_too_modest_become_as_sure_as_they_are_right(power):
    rng = np.random.default_rng(0)
    honest = rng.dirichlet(np.ones(4), 20_000)
    truth = (honest.cumsum(axis=1) < rng.random((len(honest), 1))).sum(axis=1)
    told = sharpened(honest, 1 / power)
    assert sharpness(told, truth) == pytest.approx(power, rel=0.05)
    again = sharpened(told, sharpness(told, truth))
    np.testing.assert_allclose(again, honest, atol=0.02)
    assert (again.argmax(axis=1) == told.argmax(axis=1)).all()
    np.testing.assert_allclose(again.sum(axis=1), 1.0)


def test_classes_that_never_got_a_share_keep_next_to_none():
    scores = np.array([[1.0, 0.0], [0.0, 1.0], [0.9, 0.1]])
    assert np.isfinite(sharpened(scores, 3.0)).all()
    assert np.isfinite(sharpness(scores, np.array([0, 1, 1])))
