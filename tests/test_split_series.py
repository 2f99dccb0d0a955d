"""Forecasts are split by time: no answer is on two sides, and neighbours count as one."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from preceptor.data.table import Account, Schema, Table
from preceptor.framing import STRETCH, UNTIL, framed_by
from preceptor.plan import Plan
from preceptor.split import Split, expected_width, split


def parts(
    count: int = 500, horizon: int = 6, series: int = 1, test: Table | None = None
) -> tuple[Split, Table]:
    times = [datetime(2024, 1, 1) + timedelta(hours=hour) for hour in range(count)] * series
    load = np.random.default_rng(0).normal(size=count * series).cumsum()
    frame = pl.DataFrame({"when": times, "load": load, "shop": np.repeat(np.arange(series), count)})
    table = Table(frame, np.arange(frame.height), "energy.csv", Schema({}), Account(read=frame.height))
    choices = {"series": "shop"} if series > 1 else {"ignore": ("shop",)}
    plan = Plan.of(target="load", time="when", horizon=horizon, history=24, **choices)
    examples, plan, _, _ = framed_by(table, plan)
    cut = split(
        examples,
        target=plan.target,
        task="series" if horizon > 1 else "number",
        inputs=["history"],
        group=plan.group,
        time=plan.time,
        sealed_file=test,
    )
    return cut, examples


@pytest.mark.parametrize("series", [1, 3])
@pytest.mark.parametrize("horizon", [1, 6])
def test_parts_follow_one_another_and_no_answer_reaches_into_the_next(horizon: int, series: int):
    cut, _ = parts(horizon=horizon, series=series)
    rows, (fold,) = cut.open.frame, cut.folds
    sealed = cut.sealed._break().frame
    assert rows[UNTIL].max() < sealed["when"].min()
    assert rows[fold.train][UNTIL].max() < rows[fold.validation]["when"].min()
    assert rows["when"].max() < sealed["when"].min()


@pytest.mark.parametrize("horizon", [1, 6])
def test_every_row_left_out_is_counted(horizon: int):
    cut, examples = parts(horizon=horizon)
    (fold,) = cut.folds
    used = len(fold.train) + len(fold.validation) + cut.sealed.count
    assert len(examples) - used == sum(cut.left_out.values()) == 2 * (horizon - 1)


def test_stretches_of_time_are_never_divided():
    cut, _ = parts()
    rows, (fold,) = cut.open.frame, cut.folds
    sides = [set(rows[STRETCH].gather(fold.train)), set(rows[STRETCH].gather(fold.validation))]
    sides.append(set(cut.sealed._break().frame[STRETCH]))
    assert not sides[0] & sides[1]
    assert not sides[1] & sides[2]
    assert cut.groups is not None
    assert (np.diff(cut.groups) >= 0).all() or (np.diff(cut.groups) <= 0).all()
    assert "stretches of time" in cut.how


def test_the_expected_precision_counts_stretches_not_rows():
    cut, _ = parts()
    sealed = cut.sealed._break().frame
    rows = expected_width("series", cut.open.frame["load"], sealed.height)
    stretches = expected_width("series", cut.open.frame["load"], sealed[STRETCH].n_unique())
    assert cut.expected == stretches
    assert stretches.halfwidth > 1.5 * rows.halfwidth


def test_few_stretches_are_told():
    codes = {finding.code for finding in parts(count=160, horizon=12)[0].findings}
    assert "seal-few-stretches" in codes


def test_answers_that_reach_into_a_test_file_are_left_out():
    whole = parts()[0].sealed._break()
    cut, _ = parts(test=whole)
    assert cut.open.frame[UNTIL].max() < whole.frame["when"].min()
