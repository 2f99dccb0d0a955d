"""Forecasting runs answer what comes after a file's last row, one row a step, its time in front."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from preceptor.answering import forecast
from preceptor.data.table import Account, Schema, Table
from preceptor.framing import HISTORY, Frame, framed_by
from preceptor.plan import Plan

START = datetime(2024, 1, 1)


class Counting:
    """It answers 0, 1, 2 ... for the first series, from 100 for the second."""

    def __init__(self, outputs: int):
        self.outputs = outputs

    def scores(self, table: Table) -> np.ndarray:
        assert table.frame[HISTORY].null_count() == 0
        return 100 * np.arange(len(table))[:, None] + np.arange(float(self.outputs))


def asked(target: str, series: str | None = None) -> tuple[Frame, Table]:
    times = [START + timedelta(hours=hour) for hour in range(200)]
    noise = np.random.default_rng(0).normal(size=(400, 2))
    frame = pl.DataFrame(
        {"when": times * 2, "shop": ["a"] * 200 + ["b"] * 200, "x": noise[:, 0], "y": noise[:, 1]}
    )
    frame = frame if series else frame.head(200).drop("shop")
    table = Table(frame, np.arange(frame.height), "shops.csv", Schema({}), Account(read=frame.height))
    framed = framed_by(table, Plan.of(target=target, time="when", horizon=3, series=series))
    assert framed.frame
    return framed.frame, table


def test_a_forecast_has_a_row_a_step_and_a_column_a_series_asked_for():
    answers = forecast(*asked("x,y"), Counting(6))
    assert answers.columns == ["when", "x", "y"]
    assert answers["when"].to_list() == [START + timedelta(hours=200 + step) for step in range(3)]
    assert answers.select("x", "y").rows() == [(0, 1), (2, 3), (4, 5)]


def test_each_series_is_forecast_after_its_own_end():
    frame, table = asked("y", series="shop")
    answers = forecast(frame, table.take(np.arange(390)), Counting(3))
    assert answers["shop"].to_list() == ["a"] * 3 + ["b"] * 3
    assert answers["when"].to_list()[::3] == [START + timedelta(hours=200), START + timedelta(hours=190)]
    assert answers["y"].to_list() == [0, 1, 2, 100, 101, 102]
