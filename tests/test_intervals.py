"""Intervals: they hold the truth as often as they say, never shrink to nothing, and cost little."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from preceptor.intervals import interval, paired_interval
from preceptor.metrics import many_class_metrics, regression_metrics, tag_metrics, two_class_metrics

NUMBER, TWO, MANY, TAGS = regression_metrics(), two_class_metrics(), many_class_metrics(), tag_metrics()


def numbers(rng, rows, error):
    truth = rng.normal(size=rows) * 3
    return truth, truth + error(rng, rows)


def normal(rng, rows):
    return rng.normal(size=rows)


def heavy(rng, rows):
    """Student's t with 5 degrees of freedom, whose squares have no finite variance but barely."""
    return rng.standard_t(5, rows)


def ranked(rng, rows, auc, positives=0.5):
    """Two normal heaps as far apart as the AUC wants."""
    truth = (rng.uniform(size=rows) < positives).astype(int)
    margin = rng.normal(size=rows) + truth * stats.norm.ppf(auc) * np.sqrt(2)
    p = 1 / (1 + np.exp(-margin))
    return truth, np.column_stack([1 - p, p])


def judged(rng, rows, accuracy, classes=3):
    truth = rng.integers(0, classes, rows)
    said = np.where(rng.uniform(size=rows) < accuracy, truth, (truth + 1) % classes)
    return truth, np.eye(classes)[said]


def coverage(make, metric, true, times, **options):
    """How often the interval holds the true score, in percent, and its mean width."""
    rng, held, widths = np.random.default_rng(0), [], []
    for seed in range(times):
        low, high = interval(*make(rng), metric, seed=seed, **options)
        if np.isfinite(low):
            held.append(low <= true <= high)
            widths.append(high - low)
    return 100 * np.mean(held), float(np.mean(widths))


# Metric, true score, how rows are made, and the least coverage (percent) at 30, 100 and 1,000 rows.
WORLDS = {
    "RMSE, normal errors": (NUMBER["rmse"], 1.0, lambda r, n: numbers(r, n, normal), (94, 94, 93)),
    "RMSE, heavy tails": (NUMBER["rmse"], np.sqrt(5 / 3), lambda r, n: numbers(r, n, heavy), (90, 91, 93)),
    "MAE, heavy tails": (NUMBER["mae"], 0.9490, lambda r, n: numbers(r, n, heavy), (93, 93, 93)),
    "AUC .7": (TWO["roc_auc"], 0.7, lambda r, n: ranked(r, n, 0.7), (94, 93, 93)),
    "AUC .95": (TWO["roc_auc"], 0.95, lambda r, n: ranked(r, n, 0.95), (95, 94, 93)),
    "AUC .999": (TWO["roc_auc"], 0.999, lambda r, n: ranked(r, n, 0.999), (95, 95, 94)),
    "AUC .9, few positives": (TWO["roc_auc"], 0.9, lambda r, n: ranked(r, n, 0.9, 1 / 8), (93, 93, 93)),
    "accuracy .6": (MANY["accuracy"], 0.6, lambda r, n: judged(r, n, 0.6), (93, 92, 92)),
    "accuracy .97": (MANY["accuracy"], 0.97, lambda r, n: judged(r, n, 0.97), (92, 91, 92)),
    "accuracy .999": (MANY["accuracy"], 0.999, lambda r, n: judged(r, n, 0.999), (95, 95, 95)),
    "macro F1 .8": (MANY["macro_f1"], 0.8, lambda r, n: judged(r, n, 0.8), (91, 92, 92)),
}  # fmt: skip


@pytest.mark.parametrize("world", ["RMSE, normal errors", "MAE, heavy tails", "AUC .95", "accuracy .97"])
def test_the_interval_holds_the_true_score_about_as_often_as_it_says(world):
    metric, true, make, least = WORLDS[world]
    held, width = coverage(lambda rng: make(rng, 100), metric, true, 150, draws=300)
    assert held >= least[1] - 3
    assert width < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
def test_the_interval_holds_the_true_score_at_every_size(world):
    metric, true, make, least = WORLDS[world]
    told = []
    for place, rows in enumerate((30, 100, 1000)):
        held, width = coverage(lambda rng, rows=rows: make(rng, rows), metric, true, 400)
        told.append(f"{rows} rows: {held:.1f} %, width {width:.3f}")
        assert held >= least[place], told
    print(f"{world:32}{'; '.join(told)}")


@pytest.mark.slow
def test_the_interval_of_a_few_real_errors_holds_the_error_of_all():
    from sklearn.linear_model import LinearRegression

    data = Path(os.environ.get("PRECEPTOR_DATA", Path(__file__).parent.parent.parent / "shared/data"))
    if not (data / "wine_quality/winequality-white.csv").exists():
        pytest.skip("the wine data lies neither in $PRECEPTOR_DATA nor in ../shared/data")
    rows = np.genfromtxt(data / "wine_quality/winequality-white.csv", delimiter=",", skip_header=1)
    x, y = rows[:, :-1], rows[:, -1]
    answers = LinearRegression().fit(x[:500], y[:500]).predict(x)
    x, y, answers = x[500:], y[500:], answers[500:]

    def some(rng):
        drawn = rng.integers(0, len(y), 60)
        return y[drawn], answers[drawn]

    assert 92 <= coverage(some, NUMBER["rmse"], NUMBER["rmse"].function(y, answers, None), 500)[0] <= 99


def test_with_groups_the_interval_is_as_wide_as_the_groups_make_it():
    rng, held, alone = np.random.default_rng(0), [], []
    for seed in range(100):
        groups = np.repeat(np.arange(25), 20)
        error = rng.normal(size=25)[groups] + 0.3 * rng.normal(size=500)
        truth, true = np.zeros(500), np.sqrt(1.09)
        low, high = interval(truth, error, NUMBER["rmse"], groups=groups, draws=300, seed=seed)
        held.append(low <= true <= high)
        low, high = interval(truth, error, NUMBER["rmse"], draws=300, seed=seed)
        alone.append(low <= true <= high)
    assert np.mean(held) >= 0.9
    assert np.mean(alone) <= 0.6


def test_groups_widen_a_share_and_may_have_any_names():
    rng = np.random.default_rng(0)
    sick = rng.uniform(size=20) < 0.3
    truth, scores = np.zeros(400, dtype=int), np.eye(2)[sick.astype(int)].repeat(20, axis=0)
    wide = interval(truth, scores, TWO["accuracy"], groups=np.array([f"p{n}" for n in range(20)]).repeat(20))
    narrow = interval(truth, scores, TWO["accuracy"])
    exact = stats.binomtest(int((~sick).sum()), 20).proportion_ci(method="exact")
    assert wide[1] - wide[0] > 3 * (narrow[1] - narrow[0])
    assert wide == pytest.approx((exact.low, exact.high), abs=0.08)


# ---------------------------------------------------------------------------- edges


@pytest.mark.parametrize("rows", [10, 30, 300])
def test_all_right_leaves_about_three_in_n_for_what_was_not_seen(rows):
    truth = np.arange(rows) % 2
    low, high = interval(truth, np.eye(2)[truth], TWO["accuracy"])
    assert (1 - low) * rows == pytest.approx(3, rel=0.3)
    assert high == 1


@pytest.mark.parametrize("metrics", [NUMBER, TWO, MANY, TAGS], ids=["number", "two", "many", "tags"])
@pytest.mark.parametrize("answers", ["perfect", "alike"])
def test_no_interval_is_ever_empty(metrics, answers):
    rng = np.random.default_rng(0)
    if metrics is NUMBER:
        truth = rng.normal(size=20)
        scores = truth + (answers == "alike")
    elif metrics is TAGS:
        truth = rng.integers(0, 2, (20, 3))
        scores = truth if answers == "perfect" else 1.0 - truth
    else:
        truth = np.arange(20) % (2 if metrics is TWO else 4)
        scores = np.eye(truth.max() + 1)[truth if answers == "perfect" else np.zeros(20, dtype=int)]
    for metric in metrics.values():
        low, high = interval(truth, scores, metric)
        assert low < high, metric.name
        assert low - 1e-9 <= metric.function(truth, scores, None) <= high + 1e-9, metric.name


def test_a_score_that_cannot_be_had_has_no_interval():
    truth, scores = np.zeros(10, dtype=int), np.tile([0.3, 0.7], (10, 1))
    assert np.isnan(interval(truth, scores, TWO["roc_auc"])).all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), rows=st.integers(2, 60), confidence=st.sampled_from([0.8, 0.95, 0.99]))
def test_intervals_contain_their_score_and_grow_with_confidence(seed, rows, confidence):
    rng = np.random.default_rng(seed)
    for metric, (truth, scores) in (
        (NUMBER["rmse"], numbers(rng, rows, heavy)),
        (TWO["accuracy"], ranked(rng, rows, 0.8)),
        (MANY["macro_recall"], judged(rng, rows, 0.8)),
    ):
        low, high = interval(truth, scores, metric, confidence=confidence, draws=200)
        surer = interval(truth, scores, metric, confidence=0.999, draws=200)
        assert low - 1e-9 <= metric.function(truth, scores, None) <= high + 1e-9
        assert surer[0] - 1e-9 <= low <= high <= surer[1] + 1e-9


def test_the_same_seed_gives_the_same_interval_and_rows_may_come_in_any_order():
    truth, scores = numbers(np.random.default_rng(0), 200, heavy)
    once = interval(truth, scores, NUMBER["rmse"], seed=7)
    assert once == interval(truth, scores, NUMBER["rmse"], seed=7)
    shuffled = np.random.default_rng(1).permutation(200)
    other = interval(truth[shuffled], scores[shuffled], NUMBER["rmse"], seed=7)
    assert other == pytest.approx(once, rel=0.03)


def test_many_rows_in_bundles_give_what_the_central_limit_says():
    rng = np.random.default_rng(0)
    truth, scores = numbers(rng, 50_000, normal)
    low, high = interval(truth, scores, NUMBER["rmse"])
    assert high - low == pytest.approx(2 * 1.96 / np.sqrt(2 * 50_000), rel=0.15)


# ---------------------------------------------------------------------------- differences


def test_the_difference_is_above_zero_for_the_better_one_whichever_way_the_metric_counts():
    rng = np.random.default_rng(0)
    truth, good = numbers(rng, 200, normal)
    bad = truth + 2 * rng.normal(size=200)
    for metric in (NUMBER["rmse"], NUMBER["r2"]):
        assert paired_interval(truth, good, bad, metric)[0] > 0
        assert paired_interval(truth, bad, good, metric)[1] < 0


def test_equal_answers_differ_by_exactly_nothing():
    truth, scores = numbers(np.random.default_rng(0), 50, normal)
    assert paired_interval(truth, scores, scores.copy(), NUMBER["rmse"]) == (0.0, 0.0)


def test_pairing_sees_a_small_difference_that_two_intervals_would_hide():
    rng = np.random.default_rng(0)
    truth, scores = numbers(rng, 400, heavy)
    worse = truth + 1.05 * (scores - truth)
    ours, theirs = (interval(truth, s, NUMBER["rmse"]) for s in (scores, worse))
    assert ours[1] > theirs[0]
    assert paired_interval(truth, scores, worse, NUMBER["rmse"])[0] > 0


@pytest.mark.parametrize("rows", [40, 200])
def test_equally_good_predictors_are_rarely_told_apart(rows):
    rng, apart = np.random.default_rng(0), {"rmse": 0, "roc_auc": 0, "accuracy": 0}
    for seed in range(80):
        truth = rng.normal(size=rows)
        one, other = truth + rng.standard_t(5, (2, rows))
        low, high = paired_interval(truth, one, other, NUMBER["rmse"], draws=300, seed=seed)
        apart["rmse"] += not low <= 0 <= high
        label = (rng.uniform(size=rows) < 0.4).astype(int)
        for name in ("roc_auc", "accuracy"):
            p, q = 1 / (1 + np.exp(-(label * 2.0 - 1 + rng.normal(size=(2, rows)))))
            low, high = paired_interval(
                label, np.column_stack([1 - p, p]), np.column_stack([1 - q, q]), TWO[name]
            )
            apart[name] += not low <= 0 <= high
    assert max(apart.values()) <= 10, apart


def test_agreeing_on_every_row_is_no_proof_of_being_equal_for_ever():
    truth = np.arange(30) % 2
    sure, unsure = np.eye(2)[truth], np.eye(2)[truth] * 0.2 + 0.4
    low, high = paired_interval(truth, sure, unsure, TWO["accuracy"])
    assert low == pytest.approx(-high)
    assert 0.05 < high < 0.15
