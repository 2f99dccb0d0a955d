"""Metrics: scikit-learn's numbers, weights as repeated rows, the textbook's worked example, influences."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from preceptor.metrics import (
    Metric,
    many_class_metrics,
    regression_metrics,
    tag_metrics,
    two_class_metrics,
)

FEW = settings(max_examples=40, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)


def papers(task: str, seed: int, rows: int = 40):
    """Truth, scores with ties, and integer weights, for one task."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 4, rows)
    weights[:4] = 1
    if task == "number":
        truth = rng.normal(size=rows) * 10.0 ** rng.integers(-3, 6)
        return truth, truth + rng.standard_t(3, rows) * truth.std(), weights
    if task == "tags":
        return rng.integers(0, 2, (rows, 4)), rng.uniform(size=(rows, 4)), weights
    classes = 2 if task == "two-class" else 5
    truth = np.concatenate([[0, 1, 0, 1], rng.integers(0, classes, rows - 4)])
    raw = np.round(rng.dirichlet(np.ones(classes), rows), 1) + 0.01
    return truth, raw / raw.sum(axis=1, keepdims=True), weights


METRICS = {
    "number": regression_metrics(),
    "two-class": two_class_metrics(),
    "many-class": many_class_metrics(),
    "tags": tag_metrics(),
}
ALL = [(task, name) for task, metrics in METRICS.items() for name in metrics]


def called(scores):
    return scores.argmax(axis=1)


ORACLES = {
    ("number", "rmse"): lambda t, s, w: sk.root_mean_squared_error(t, s, sample_weight=w),
    ("number", "mae"): lambda t, s, w: sk.mean_absolute_error(t, s, sample_weight=w),
    ("number", "r2"): lambda t, s, w: sk.r2_score(t, s, sample_weight=w),
    ("two-class", "roc_auc"): lambda t, s, w: sk.roc_auc_score(t, s[:, 1], sample_weight=w),
    ("two-class", "accuracy"): lambda t, s, w: sk.accuracy_score(t, called(s), sample_weight=w),
    ("two-class", "f1"): lambda t, s, w: sk.f1_score(t, called(s), sample_weight=w, zero_division=0),
    ("two-class", "precision"): lambda t, s, w: sk.precision_score(
        t, called(s), sample_weight=w, zero_division=0
    ),
    ("two-class", "recall"): lambda t, s, w: sk.recall_score(t, called(s), sample_weight=w, zero_division=0),
    ("two-class", "average_precision"): lambda t, s, w: sk.average_precision_score(
        t, s[:, 1], sample_weight=w
    ),
    ("two-class", "log_loss"): lambda t, s, w: sk.log_loss(t, s, sample_weight=w, labels=[0, 1]),
    ("two-class", "brier"): lambda t, s, w: sk.brier_score_loss(t, s[:, 1], sample_weight=w),
    ("many-class", "accuracy"): lambda t, s, w: sk.accuracy_score(t, called(s), sample_weight=w),
    ("many-class", "macro_f1"): lambda t, s, w: sk.f1_score(
        np.repeat(t, w), np.repeat(called(s), w), average="macro", zero_division=0
    ),
    ("many-class", "macro_recall"): lambda t, s, w: sk.balanced_accuracy_score(t, called(s), sample_weight=w),
    ("many-class", "log_loss"): lambda t, s, w: sk.log_loss(t, s, sample_weight=w, labels=range(5)),
    ("tags", "macro_f1"): lambda t, s, w: sk.f1_score(
        t, s > 0.5, average="macro", sample_weight=w, zero_division=np.nan
    ),
    ("tags", "hamming_accuracy"): lambda t, s, w: 1 - sk.hamming_loss(t, s > 0.5, sample_weight=w),
    ("tags", "micro_f1"): lambda t, s, w: sk.f1_score(
        t, s > 0.5, average="micro", sample_weight=w, zero_division=0
    ),
}


def test_every_metric_has_an_oracle():
    assert set(ORACLES) == set(ALL)


@pytest.mark.parametrize(("task", "name"), ALL)
@FEW
@given(seed=SEEDS)
def test_scores_are_those_of_scikit_learn_weighted_or_not(task, name, seed):
    truth, scores, weights = papers(task, seed)
    for counts in (np.ones(len(truth), dtype=int), weights):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = ORACLES[task, name](truth, scores, counts)
        assert METRICS[task][name].function(truth, scores, counts) == pytest.approx(
            expected, rel=1e-9, abs=1e-12
        )


@pytest.mark.parametrize(("task", "name"), ALL)
@FEW
@given(seed=SEEDS)
def test_a_weight_counts_the_row_so_often(task, name, seed):
    truth, scores, weights = papers(task, seed)
    metric = METRICS[task][name]
    repeated = metric.function(np.repeat(truth, weights, axis=0), np.repeat(scores, weights, axis=0), None)
    assert metric.function(truth, scores, weights) == pytest.approx(repeated, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("errors", "mae", "rmse"),
    [([2] * 10, 2, 2), ([1] * 5 + [3] * 5, 2, 2.236), ([0] * 9 + [20], 2, 6.325)],
)
def test_textbook_g3_the_same_mean_error_and_a_growing_rmse(errors, mae, rmse):
    truth = np.arange(10.0)
    scores, metrics = truth + errors, regression_metrics()
    assert metrics["mae"].function(truth, scores, None) == pytest.approx(mae)
    assert metrics["rmse"].function(truth, scores, None) == pytest.approx(rmse, abs=5e-4)


@FEW
@given(errors=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_textbook_g3_rmse_lies_between_mae_and_mae_times_root_n(errors):
    truth, scores, metrics = np.zeros(len(errors)), np.array(errors), regression_metrics()
    mae, rmse = (metrics[name].function(truth, scores, None) for name in ("mae", "rmse"))
    assert mae <= rmse * (1 + 1e-9) + 1e-150
    assert rmse <= mae * np.sqrt(len(errors)) * (1 + 1e-9) + 1e-150


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
@FEW
@given(seed=SEEDS)
def test_influence_is_the_speed_at_which_a_ranking_moves_with_a_rows_weight(name, seed):
    truth, scores, _ = papers("two-class", seed, rows=20)
    metric, step = two_class_metrics()[name], 1e-5

    def moved(row, by):
        weights = np.ones(len(truth))
        weights[row] += by
        return metric.function(truth, scores, weights)

    speeds = [(moved(n, step) - moved(n, -step)) / (2 * step) * len(truth) for n in range(len(truth))]
    assert metric.influence(truth, scores) == pytest.approx(np.array(speeds), abs=1e-6)


def test_what_cannot_be_ranked_has_no_score():
    truth, scores = np.zeros(5, dtype=int), np.tile([0.4, 0.6], (5, 1))
    metrics = two_class_metrics()
    assert np.isnan(metrics["roc_auc"].function(truth, scores, None))
    assert np.isnan(metrics["average_precision"].function(truth, scores, None))
    assert metrics["recall"].function(truth, scores, None) == 0


@pytest.mark.parametrize(("task", "name"), ALL)
def test_a_perfect_score_is_the_best_there_is(task, name):
    truth, scores, _ = papers(task, 0)
    perfect = truth if scores.ndim == 1 or task == "tags" else np.eye(scores.shape[1])[truth]
    metric: Metric = METRICS[task][name]
    assert metric.function(truth, perfect, None) == pytest.approx(1.0 if metric.higher_is_better else 0.0)


@pytest.mark.parametrize(("task", "name"), ALL)
def test_every_metric_says_itself_in_plain_words(task, name):
    metric = METRICS[task][name]
    assert metric.name == name
    assert metric.unit in ("target", "share", "")
    assert "{score}" in metric.sentence
    assert (metric.trials is not None) == (metric.unit == "share")


def test_the_first_metric_is_the_default_and_errors_carry_the_unit():
    assert [next(iter(metrics)) for metrics in METRICS.values()] == [
        "rmse",
        "roc_auc",
        "accuracy",
        "macro_f1",
    ]
    assert regression_metrics("dollars")["rmse"].sentence == "is typically off by {score} dollars"
