"""Rows in time become examples: which past, which answer, and what is said of odd times."""

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preceptor.data.table import Account, Schema, Table
from preceptor.errors import Mistake
from preceptor.framing import HISTORY, STRETCH, UNTIL, Frame, Framed, ahead_of, examples_of, framed_by
from preceptor.framing.season import season_of
from preceptor.plan import Plan

START = datetime(2024, 1, 1)


def table_of(**columns: object) -> Table:
    frame = pl.DataFrame(columns)
    return Table(frame, np.arange(frame.height), "energy.csv", Schema({}), Account(read=frame.height))


def hours(count: int) -> list[datetime]:
    return [START + timedelta(hours=hour) for hour in range(count)]


def waves(count: int, period: int = 24) -> np.ndarray:
    return np.sin(2 * np.pi * np.arange(count) / period) + 0.1 * np.random.default_rng(0).normal(size=count)


def forecast(table: Table, target: str = "load", **plan: object) -> Framed:
    return framed_by(table, Plan.of(target=target, time="when", **plan))


def codes(framed: Framed) -> set[str]:
    return {finding.code for finding in framed.findings}


def energy(count: int = 400) -> Table:
    return table_of(when=hours(count), load=waves(count), heat=np.random.default_rng(1).normal(size=count))


# ------------------------------------------------------------------------------------ windows


@settings(max_examples=20)
@given(horizon=st.integers(1, 6), history=st.integers(2, 30), rows=st.integers(120, 200))
def test_an_answer_is_what_came_right_after_its_history(horizon: int, history: int, rows: int):
    values = np.arange(rows) ** 1.1 + waves(rows)
    framed = forecast(table_of(when=hours(rows), load=values), horizon=horizon, history=history)
    past, asked = framed.table.frame[HISTORY].to_numpy(), framed.table.frame["load"].to_numpy()
    assert len(past) == rows - history - horizon + 1
    for place in (0, len(past) // 2, len(past) - 1):
        np.testing.assert_allclose(past[place, :, 0], values[place : place + history].astype(np.float32))
        np.testing.assert_array_equal(
            asked[place].ravel(), values[place + history : place + history + horizon]
        )
    assert framed.table.frame["when"].to_list() == hours(rows)[history : rows - horizon + 1]
    assert framed.table.frame[UNTIL].to_list() == hours(rows)[history + horizon - 1 :]


def test_one_number_ahead_stays_a_plain_number_and_several_become_a_series():
    assert forecast(energy(), horizon=1).table.frame["load"].dtype == pl.Float64
    assert forecast(energy(), horizon=3).table.frame["load"].dtype == pl.Array(pl.Float64, (3, 1))
    both = forecast(energy(), "load,heat", horizon=1)
    assert both.plan.target == "load, heat"
    assert both.table.frame["load, heat"].dtype == pl.Array(pl.Float64, (1, 2))
    assert forecast(energy(), "*", horizon=2).frame.targets == ("load", "heat")


def test_channels_asked_for_come_first_and_columns_that_count_or_stand_still_are_none():
    table = table_of(
        when=hours(300), count=range(300), heat=waves(300, 7), still=[1.0] * 300, load=waves(300)
    )
    assert forecast(table, horizon=2).frame.channels == ("load", "heat")


def test_the_plan_keeps_stretches_of_time_together_and_takes_no_time_as_input():
    framed = forecast(energy(), horizon=5)
    assert framed.plan.group == STRETCH
    assert set(framed.plan.ignore) == {"when", UNTIL}
    stretches = framed.table.frame[STRETCH].to_numpy()
    assert (np.diff(stretches) <= 0).all()
    assert np.bincount(stretches)[:-1].min() == framed.frame.block >= 5


def test_the_calendar_is_that_of_the_first_step_ahead():
    framed = forecast(energy(), horizon=2)
    assert framed.frame.calendar == ("hour of day",)
    first = framed.table.frame.row(0, named=True)
    assert first["hour of day"] == f"hour {first['when'].hour:02}"


def test_a_frame_survives_json_and_frames_later_rows_the_same_way():
    framed = forecast(energy(), horizon=4)
    again = Frame.from_state(framed.frame.state())
    assert again == framed.frame
    assert examples_of(again, energy()).frame.equals(framed.table.frame)


def test_rows_before_a_test_file_serve_as_its_past_alone():
    whole, framed = energy(400), forecast(energy(300), horizon=4)
    later = examples_of(framed.frame, whole.take(np.arange(300, 400)), before=whole.take(np.arange(300)))
    assert later.frame["when"].to_list() == hours(400)[300:397]


def test_the_forecast_after_the_end_looks_back_on_the_last_rows():
    table = energy()
    framed = forecast(table, horizon=3)
    examples, times = ahead_of(framed.frame, table)
    last = table.frame["load"].to_numpy()[-framed.frame.history :].astype(np.float32)
    np.testing.assert_array_equal(examples.frame[HISTORY].to_numpy()[0, :, 0], last)
    assert [one.item() for one in times] == [START + timedelta(hours=400 + step) for step in range(3)]
    short, _ = ahead_of(framed.frame, table.take(np.arange(10)))
    assert np.isnan(short.frame[HISTORY].to_numpy()[0, 0, 0])


# ------------------------------------------------------------------------------------ odd times


def test_rows_out_of_order_are_sorted_and_told():
    table = energy()
    shuffled = table.take(np.random.default_rng(0).permutation(400))
    framed = forecast(shuffled, horizon=2)
    assert framed.table.frame.equals(forecast(table, horizon=2).table.frame)
    assert "times-unsorted" in codes(framed)


def test_gaps_stay_gaps_and_no_answer_lies_in_one():
    kept = np.setdiff1d(np.arange(400), [200, 201])
    framed = forecast(energy().take(kept), horizon=2, history=24)
    assert {"times-gaps", "windows-left-out"} <= codes(framed)
    gap = next(finding for finding in framed.findings if finding.code == "times-gaps")
    assert gap.evidence == {"missing": 2, "gaps": 1, "longest": 2}
    assert np.isnan(framed.table.frame[HISTORY].to_numpy()).any()
    assert not set(framed.table.frame[UNTIL]) & {hours(400)[200], hours(400)[201]}


def test_an_hour_told_twice_in_autumn_is_averaged():
    times = hours(300)
    table = table_of(when=[*times[:100], times[99], *times[100:]], load=[*waves(100), 7.0, *waves(300)[100:]])
    framed = forecast(table, horizon=2, history=24)
    assert "times-repeat" in codes(framed)
    row = framed.table.frame.filter(pl.col("when") == times[100])
    assert row[HISTORY].to_numpy()[0, -1, 0] == pytest.approx((waves(100)[99] + 7) / 2)


def test_months_are_steps_though_some_are_shorter():
    times = pl.date_range(date(2000, 1, 1), date(2014, 12, 1), "1mo", eager=True)
    framed = forecast(table_of(when=times, load=waves(180, 12) + np.arange(180)), horizon=2)
    assert framed.frame.clock.months == 1
    assert framed.frame.season == 12
    assert "times-gaps" not in codes(framed)
    assert ahead_of(framed.frame, table_of(when=times, load=waves(180)))[1][1].item() == date(2015, 2, 1)


def test_times_without_a_step_are_counted():
    apart = np.cumsum(np.random.default_rng(0).exponential(3600, size=300))
    times = [START + timedelta(seconds=float(seconds)) for seconds in apart]
    framed = forecast(table_of(when=times, load=waves(300)), horizon=2)
    assert "times-irregular" in codes(framed)
    assert framed.frame.clock.counted


# ------------------------------------------------------------------------------------ what is asked


def test_regular_times_alone_ask_for_the_next_value_and_zero_takes_it_back():
    asked = forecast(energy())
    assert (asked.frame.horizon, asked.plan.kinds["load"]) == (1, "number")
    assert "read-as-forecast" in codes(asked)
    assert forecast(energy(), horizon=0).frame is None


@pytest.mark.parametrize(
    "table",
    [
        table_of(when=[time for time in hours(60) for _ in range(4)], load=waves(240)),
        table_of(when=hours(200), load=["yes", "no"] * 100),
        table_of(when=["soon", "later"] * 100, load=waves(200)),
    ],
    ids=["repeated", "classes", "text"],
)
def test_other_times_keep_rows_rows(table: Table):
    assert forecast(table).frame is None


def test_several_series_are_learnt_together_and_no_window_mixes_two():
    shops = ["a"] * 150 + ["b"] * 150
    table = table_of(
        when=hours(150) * 2, shop=shops, load=np.r_[np.arange(150.0) ** 1.5, -(np.arange(150.0) ** 1.5)]
    )
    framed = framed_by(table, Plan.of(target="load", time="when", series="shop", horizon=3, history=20))
    assert len(framed.table) == 2 * (150 - 22)
    signs = np.sign(framed.table.frame[HISTORY].to_numpy()[:, 1:, 0])
    assert ((signs == 1).all(axis=1) == (framed.table.frame["shop"] == "a").to_numpy()).all()
    assert len(ahead_of(framed.frame, table)[0]) == 2


def test_without_a_horizon_each_series_is_one_example():
    table = table_of(
        id=[1, 1, 1, 2, 2, 3], x=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], place=["a", "a", "a", "b", "b", "a"],
        gesture=["up", "up", "up", "down", "down", "up"],
    )  # fmt: skip
    framed = framed_by(table, Plan.of(target="gesture", series="id"))
    assert framed.table.frame["gesture"].to_list() == ["up", "down", "up"]
    assert framed.table.frame[HISTORY].to_list() == [[[1.0], [2.0], [3.0]], [[4.0], [5.0]], [[6.0]]]
    assert framed.table.frame["place"].to_list() == ["a", "b", "a"]


SHOPS = table_of(when=hours(50) * 4, shop=np.repeat([*"abcd"], 50), load=waves(200))
REFUSED = {
    "horizon-without-time": (energy(), {"target": "load", "horizon": 3, "time": None}),
    "horizon-not-a-number": (table_of(when=hours(90), load=["a", "b"] * 45), {"horizon": 2}),
    "horizon-and-group": (energy(), {"horizon": 2, "group": "heat"}),
    "horizon-too-long": (energy(), {"horizon": 500}),
    "history-too-long": (energy(), {"horizon": 2, "history": 395}),
    "times-repeat": (SHOPS, {"horizon": 2}),
    "times-missing": (table_of(when=pl.Series([None] * 60, dtype=pl.Date), load=waves(60)), {"horizon": 2}),
    "time-unordered": (table_of(when=["soon"] * 60, load=waves(60)), {"horizon": 2}),
    "column-absent": (energy(), {"target": "lod", "horizon": 2}),
    "name-taken": (table_of(when=hours(60), history=waves(60)), {"target": "history", "horizon": 2}),
    "series-answers-differ": (SHOPS, {"series": "shop"}),
    "series-single": (table_of(when=hours(60), load=waves(60)), {"series": "when", "time": None}),
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_cannot_be_framed_is_refused_by_name(code: str):
    table, choices = REFUSED[code]
    with pytest.raises(Mistake) as refused:
        framed_by(table, Plan.of(**{"target": "load", "time": "when", **choices}))
    assert refused.value.code == code


def test_the_refusal_of_repeated_times_names_the_column_that_tells_series_apart():
    with pytest.raises(Mistake, match="--series shop"):
        forecast(SHOPS, horizon=2)


@pytest.mark.parametrize("period", [7, 12, 24])
def test_a_season_is_found_through_noise_and_trend(period: int):
    assert season_of(waves(20 * period, period) + 0.02 * np.arange(20 * period)) == period


def test_noise_and_stillness_have_no_season():
    assert season_of(np.random.default_rng(0).normal(size=500)) == 1
    assert season_of(np.ones(500)) == 1
