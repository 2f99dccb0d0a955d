"""Explanations: what matters drops the score, what is idle does not; the worst part is found."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from preceptor.data.table import Account, Schema, Table
from preceptor.explain import importance_rows, permutation_importance, slices
from preceptor.metrics import regression_metrics, two_class_metrics

RMSE = regression_metrics()["rmse"]
AUC = two_class_metrics()["roc_auc"]


def table_of(**columns) -> Table:
    frame = pl.DataFrame(columns)
    return Table(frame, np.arange(len(frame)), "t.csv", Schema({}), Account(len(frame)))


@pytest.fixture
def grown():
    """A target that hangs on `strong` three times as much as on `weak`, and not on `idle`."""
    rng = np.random.default_rng(0)
    strong, weak, idle, noise = rng.normal(size=(4, 400))
    return table_of(strong=strong, weak=weak, idle=idle), 3 * strong + weak + 0.5 * noise


def formula(table: Table) -> np.ndarray:
    return (3 * table.frame["strong"] + table.frame["weak"]).to_numpy()


def test_importance_orders_columns_by_what_the_predictor_leans_on(grown):
    table, truth = grown
    found = permutation_importance(formula, table, ["idle", "weak", "strong"], truth, RMSE, rows=400)
    assert [one["column"] for one in found] == ["strong", "weak", "idle"]
    assert all(one["interval"][0] < one["drop"] < one["interval"][1] for one in found[:2])
    assert found[0]["interval"][0] > found[1]["interval"][1]
    assert (found[2]["drop"], found[2]["interval"]) == (0.0, (0.0, 0.0))


def test_a_shuffled_column_costs_about_what_theory_says(grown):
    table, truth = grown
    strong = permutation_importance(formula, table, ["strong"], truth, RMSE, rows=400, repeats=10)[0]
    assert strong["drop"] == pytest.approx(np.sqrt(2 * 9 + 0.25) - 0.5, rel=0.1)


def test_importance_counts_upwards_where_higher_is_better():
    rng = np.random.default_rng(0)
    x, truth = rng.normal(size=300), rng.integers(0, 2, 300)

    def predict(table):
        p = 1 / (1 + np.exp(-table.frame["x"].to_numpy()))
        return np.column_stack([1 - p, p])

    found = permutation_importance(predict, table_of(x=x + 2 * truth), ["x"], truth, AUC, rows=300)
    assert found[0]["drop"] > 0.3


def test_importance_is_the_same_with_the_same_seed_and_leaves_the_table_alone(grown):
    table, truth = grown
    before = table.frame.clone()
    once, twice = (
        permutation_importance(formula, table, ["weak"], truth, RMSE, rows=100, seed=3) for _ in "ab"
    )
    assert once == twice
    assert table.frame.equals(before)


def test_importance_takes_the_rows_that_the_time_allows(grown):
    table, _ = grown
    assert importance_rows(formula, table, ["weak", "idle"], seconds=1e9) == 400
    assert importance_rows(formula, table, ["weak", "idle"], seconds=1e-9) == 0
    assert importance_rows(formula, table, ["weak"], seconds=1e9) == 0  # one column: nothing to compare
    assert permutation_importance(formula, table, ["weak"], np.zeros(400), RMSE, rows=0) == []


def test_the_worst_part_is_found_among_values_and_quarters():
    rng = np.random.default_rng(0)
    place, age = rng.choice(["inland", "coast", "island"], 600, p=[0.5, 0.45, 0.05]), rng.uniform(0, 80, 600)
    error = np.where(place == "coast", 3.0, 1.0) * rng.normal(size=600)
    found = slices(
        table_of(place=place, age=age), ["place", "age"], np.zeros(600), error, RMSE, least_rows=50
    )
    assert (found[0]["column"], found[0]["value"]) == ("place", "coast")
    assert found[0]["score"] == pytest.approx(3, rel=0.15)
    assert found[0]["interval"][0] < found[0]["score"] < found[0]["interval"][1]
    assert "island" not in [one["value"] for one in found]
    assert sum(one["rows"] for one in found if one["column"] == "age") == 600


def test_missing_values_and_dates_are_parts_too():
    days = [date(2020, 1, 1) + timedelta(days=n) if n % 2 else None for n in range(400)]
    error = np.where([day is None for day in days], 2.0, 1.0)
    found = slices(table_of(day=days), ["day"], np.zeros(400), error, RMSE)
    assert (found[0]["value"], found[0]["rows"]) == ("missing", 200)
    assert found[1]["value"].startswith("2020-")


def test_parts_that_cannot_be_scored_are_left_out():
    truth, rng = np.repeat([0, 1], 100), np.random.default_rng(0)
    p = rng.uniform(size=200)
    found = slices(table_of(same=truth), ["same"], truth, np.column_stack([1 - p, p]), AUC)
    assert found == []


def test_an_accidentally_bad_small_part_does_not_come_before_a_surely_bad_large_one():
    rng = np.random.default_rng(0)
    kind = np.repeat(["many", "few", "rest"], [500, 30, 500])
    error = np.where(kind == "many", 2.0, 1.0) * rng.normal(size=1030)
    error[500] = 9.0
    found = slices(table_of(kind=kind), ["kind"], np.zeros(1030), error, RMSE)
    assert found[0]["value"] == "many"
