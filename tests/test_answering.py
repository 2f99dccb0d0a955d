"""Forecasting runs answer what comes after a file's last row; a row asked alone is answered as in a file."""

import copy
from dataclasses import asdict
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
import torch

from preceptor.answering import Opened, forecast
from preceptor.data.read import read
from preceptor.data.table import Account, Schema, Table
from preceptor.errors import Mistake
from preceptor.framing import HISTORY, Frame, framed_by
from preceptor.kinds.category import Category
from preceptor.kinds.number import Number
from preceptor.net import new_net
from preceptor.plan import NetPlan, Plan
from preceptor.predictor import Predictor
from preceptor.problem import Problem

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


def opened_on(target: str) -> tuple[Opened, pl.DataFrame]:
    """A run's model, unlearned save for its memory, that has numbers with gaps, a category and a constant."""
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "a": [None if n % 7 == 0 else float(x) for n, x in enumerate(rng.normal(size=60))],
            "b": rng.integers(-900, 900, 60),
            "still": [3.0] * 60,
            "town": rng.choice(["Ulm", "Bonn", "Kiel"], 60),
            "price": rng.normal(size=60),
            "sold": rng.choice(["yes", "no"], 60),
        }
    )
    table = read(frame)
    inputs = [Number("a"), Number("b"), Number("still"), Category("town")]
    answer = (Number if target == "price" else Category)(target).fit(table.frame[target])
    problems = [Problem(copy.deepcopy(inputs), answer).fit(table.take(np.arange(s, 60, 2))) for s in (0, 1)]
    goal, truth = answer.goal(table.frame[target]), answer.truth(table.frame[target])
    nets = [new_net(NetPlan(), one, one.encode(table), goal, truth, seed=0) for one in problems]
    for net in nets:
        torch.nn.init.normal_(net.module.head, generator=torch.Generator().manual_seed(1))
    known = {
        "schema": asdict(table.schema),
        "repairs": {"b": [-899.0, 5.0]},
        "roles": {"inputs": ["a", "b", "still", "town"], "ignored": [], "target": target},
    }
    return Opened(Predictor(problems, {"net": nets}, {"net": 1.0}), known), frame.drop("price", "sold")


@pytest.mark.parametrize("target", ["price", "sold"])
def test_a_row_asked_alone_is_answered_as_in_a_file(target):
    run, frame = opened_on(target)
    strange = pl.DataFrame({"a": [None, 1e9], "b": [-899, 5], "still": [4.0, 3.0], "town": ["Rom", None]})
    frame = pl.concat([frame, strange, strange])
    together = run.answer(frame)[0]
    for asked, row in zip(frame.iter_rows(named=True), together.iter_rows(named=True), strict=True):
        near = {n: v if isinstance(v, str) else pytest.approx(v, rel=1e-4, abs=1e-5) for n, v in row.items()}
        assert run.ask(asked) == near


def test_a_row_asked_alone_may_not_lack_a_column():
    run, frame = opened_on("price")
    with pytest.raises(Mistake, match="column"):
        run.ask(frame.drop("b").row(0, named=True))
