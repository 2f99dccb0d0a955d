"""What the kind series promises beyond the laws: lists and windows, gaps, and forecasts as answers."""

import numpy as np
import polars as pl
import pytest

from preceptor.errors import Mistake
from preceptor.kinds.series import LIMIT, MOST_STEPS, Series
from preceptor.metrics import forecast_metrics


def windows(values: object, dtype: type[pl.DataType] = pl.Float64, name: str = "c") -> pl.Series:
    values = np.asarray(values, dtype=float)
    return pl.Series(name, values, dtype=pl.Array(dtype, values.shape[1:]))


def lists(rows: list[list[list[float]] | None], width: int) -> pl.Series:
    return pl.Series("c", rows, dtype=pl.List(pl.Array(pl.Float32, width)))


RANDOM = np.random.default_rng(0).normal(5, 3, size=(40, 6, 2))


def test_every_channel_gets_mean_zero_and_spread_one():
    encoded = Series("c").fit(windows(RANDOM)).encode(windows(RANDOM)).flatten(0, 1)
    np.testing.assert_allclose(encoded.mean(dim=0), [0, 0], atol=1e-6)
    np.testing.assert_allclose(encoded.std(dim=0, correction=0), [1, 1], atol=1e-6)


def test_gaps_and_infinities_are_absent_and_leave_the_others_alone():
    holed = RANDOM.copy()
    holed[0, 2, 1], holed[1, 0, 0] = np.nan, np.inf
    fitted = Series("c").fit(windows(RANDOM))
    encoded, whole = fitted.encode(windows(holed)), fitted.encode(windows(RANDOM))
    assert encoded.isnan().nonzero().tolist() == [[0, 2, 1], [1, 0, 0]]
    assert (encoded == whole).sum() == encoded.numel() - 2


def test_a_shorter_series_is_padded_in_front_and_of_a_longer_one_the_end_is_read():
    fitted = Series("c").fit(lists([[[1.0], [2.0], [3.0]], [[4.0], [6.0]]], 1))
    assert fitted.shape.sizes == (3, 1)
    encoded = fitted.encode(lists([[[4.0], [6.0]], [[9.0], [1.0], [2.0], [3.0]], [], None], 1))
    assert encoded[0, :, 0].isnan().tolist() == [True, False, False]
    assert encoded[1, :, 0].equal(fitted.encode(lists([[[1.0], [2.0], [3.0]]], 1))[0, :, 0])
    assert encoded[2:].isnan().all()


def test_series_of_any_length_come_back_from_their_encoding():
    column = lists([[[1.0, 2.0]], [[3.0, 4.0], [5.0, 7.0], [0.0, -1.0]], None], 2)
    back = Series("c").fit(column).decode(Series("c").fit(column).encode(column))
    assert back.dtype == column.dtype
    assert [len(row) if row is not None else None for row in back] == [1, 3, None]
    np.testing.assert_allclose(back[1].to_numpy(), column[1].to_numpy(), atol=1e-5)


def test_plain_lists_of_numbers_are_series_of_one_channel():
    fitted = Series("c").fit(pl.Series("c", [[1.0, 2.0], [3.0]]))
    assert fitted.shape.sizes == (2, 1)


def test_very_long_series_are_read_from_their_end():
    assert Series("c").fit(pl.Series("c", [[1.0, 2.0] * MOST_STEPS])).shape.sizes == (MOST_STEPS, 1)


def test_a_constant_channel_is_zero_and_a_far_value_stands_at_the_limit():
    fitted = Series("c").fit(windows(np.stack([np.ones((4, 3)), np.arange(12.0).reshape(4, 3)], axis=2)))
    encoded = fitted.encode(windows([[[5.0, 1e30]] * 3]))
    assert encoded[0, :, 0].tolist() == [0, 0, 0]
    assert encoded[0, :, 1].tolist() == [LIMIT] * 3


def test_a_column_of_other_channels_is_absent_throughout():
    assert Series("c").fit(windows(RANDOM)).encode(windows(RANDOM[:, :, :1])).isnan().all()


def test_only_columns_of_series_are_taken_for_series():
    assert Series.recognise(windows(RANDOM)).confidence == 1
    assert Series.recognise(pl.Series("c", [[1.0]])).confidence == 1
    for other in (pl.Series("c", [1.0]), pl.Series("c", ["a"]), pl.Series("c", [["a"]])):
        assert Series.recognise(other).confidence == 0


# ------------------------------------------------------------------------------------ as a target


def asked() -> Series:
    return Series("a, b").fit(windows(RANDOM, name="a, b"))


def test_answers_are_named_by_series_and_step():
    answers = asked().answers(RANDOM.reshape(40, -1))
    assert answers.columns[:4] == ["a, b", "a +1", "b +1", "a +2"]
    assert answers["b +2"].to_list() == RANDOM[:, 1, 1].tolist()
    assert Series("load").fit(windows(RANDOM)).names == ["load 1", "load 2"]


def test_the_goal_is_in_spreads_of_each_series():
    goal = asked().goal(windows(RANDOM, name="a, b")).unflatten(1, (6, 2))
    np.testing.assert_allclose(goal.mean(dim=(0, 1)), [0, 0], atol=1e-6)
    np.testing.assert_allclose(goal.std(dim=(0, 1), correction=0), [1, 1], atol=1e-6)


def test_an_answer_with_a_hole_is_refused():
    holed = RANDOM.copy()
    holed[3, 1, 0] = np.nan
    with pytest.raises(Mistake) as refused:
        asked().truth(windows(holed))
    assert refused.value.code == "answer-missing"


# ------------------------------------------------------------------------------------ metrics


def test_one_series_is_marked_in_its_own_units_and_several_in_spreads():
    assert next(iter(Series("a").fit(windows(RANDOM[:, :, :1])).metrics())) == "rmse"
    assert next(iter(asked().metrics())) == "mse_standardised"


def test_standardised_errors_count_each_series_in_its_spread():
    metrics = forecast_metrics(np.array([1.0, 10.0]), several=False)
    truth, scores = np.zeros((3, 2)), np.tile([2.0, 10.0], (3, 1))
    assert metrics["mse_standardised"].function(truth, scores, None) == pytest.approx((4 + 1) / 2)
    assert metrics["mae_standardised"].function(truth, scores, None) == pytest.approx((2 + 1) / 2)
    assert metrics["rmse"].function(truth, scores, None) == pytest.approx(((4 + 100) / 2) ** 0.5)
    assert metrics["mae"].function(truth, scores, None) == pytest.approx(6)


def test_the_mean_explains_nothing_and_the_truth_everything():
    metric, truth = forecast_metrics(np.ones(12), several=True)["r2"], RANDOM.reshape(40, -1)
    assert metric.function(truth, np.tile(truth.mean(axis=0), (40, 1)), None) == pytest.approx(0)
    assert metric.function(truth, truth, None) == 1
