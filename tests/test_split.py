"""The split: exact, disjoint, fair to classes and numbers, true to groups and time; and a seal that holds."""

import copy

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preceptor.data.table import Account, Schema, Table
from preceptor.errors import Mistake
from preceptor.inspection.duplicates import alike
from preceptor.split import Expected, Sealed, expected_width, split

FEW = settings(max_examples=40, deadline=None)


def table(**columns) -> Table:
    frame = pl.DataFrame(columns)
    return Table(frame, np.arange(frame.height) + 2, "t.csv", Schema({}), Account(frame.height))


def opened(sealed: Sealed) -> Table:
    return sealed._break()


def houses(rows: int = 200, seed: int = 0) -> Table:
    rng = np.random.default_rng(seed)
    return table(rooms=rng.normal(size=rows), age=rng.normal(size=rows), price=rng.lognormal(size=rows))


def flowers(rows: int = 200, shares=(0.6, 0.3, 0.1), seed: int = 0) -> Table:
    rng = np.random.default_rng(seed)
    kinds = np.array(["setosa", "virginica", "versicolor"])[: len(shares)]
    return table(petal=rng.normal(size=rows), kind=rng.choice(kinds, rows, p=shares))


def by_price(data: Table, **wishes):
    return split(data, target="price", task="number", inputs=["rooms", "age"], **wishes)


@FEW
@given(rows=st.integers(10, 400), fraction=st.floats(0.05, 0.6), seed=st.integers(0, 99))
def test_every_row_is_open_or_sealed_and_never_both(rows, fraction, seed):
    data = houses(rows)
    parts = by_price(data, test_fraction=fraction, seed=seed)
    lines = np.concatenate([parts.open.lines, opened(parts.sealed).lines])
    assert sorted(lines) == sorted(data.lines)
    assert parts.sealed.count == len(opened(parts.sealed)) >= min(5, rows // 2)
    assert abs(parts.sealed.count - max(fraction * rows, min(5, rows // 2))) <= 1


@FEW
@given(rows=st.integers(10, 400), folds=st.one_of(st.none(), st.integers(1, 12)), seed=st.integers(0, 99))
def test_folds_divide_the_open_rows_exactly(rows, folds, seed):
    parts = by_price(houses(rows), folds=folds, seed=seed)
    everyone = np.arange(len(parts.open))
    for fold in parts.folds:
        assert np.array_equal(np.sort(np.concatenate([fold.train, fold.validation])), everyone)
    if len(parts.folds) > 1:
        validated = np.concatenate([fold.validation for fold in parts.folds])
        assert np.array_equal(np.sort(validated), everyone)
        sizes = [len(fold.validation) for fold in parts.folds]
        assert max(sizes) - min(sizes) <= 1


@FEW
@given(data=st.data(), seed=st.integers(0, 99))
def test_rows_with_the_same_inputs_never_straddle_the_seal_or_a_fold(data, seed):
    times = data.draw(st.lists(st.integers(1, 6), min_size=20, max_size=80))
    rng = np.random.default_rng(seed)
    rooms = rng.permutation(np.repeat(rng.normal(size=len(times)), times))
    repeated = table(rooms=rooms, age=rooms * 2, price=rng.normal(size=len(rooms)))
    parts = by_price(repeated, seed=seed)
    kept, sealed = parts.open.frame["rooms"].to_numpy(), opened(parts.sealed).frame["rooms"].to_numpy()
    assert not set(kept) & set(sealed)
    for fold in parts.folds:
        assert not set(kept[fold.train]) & set(kept[fold.validation])


def test_common_combinations_of_few_values_stand_on_both_sides():
    rng = np.random.default_rng(0)
    left, right = rng.integers(0, 2, 400), rng.integers(0, 2, 400)
    parts = split(
        table(left=left, right=right, out=left ^ right),
        target="out",
        task="two-class",
        inputs=["left", "right"],
    )
    corners = {tuple(row) for row in opened(parts.sealed).frame.select("left", "right").iter_rows()}
    assert len(corners) == 4
    assert len(set(alike(parts.open.frame.select("left", "right")))) == 4


@FEW
@given(sizes=st.lists(st.integers(1, 30), min_size=12, max_size=60), seed=st.integers(0, 99))
def test_groups_never_straddle(sizes, seed):
    rng = np.random.default_rng(seed)
    patient = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    data = table(patient=patient, x=rng.normal(size=len(patient)), y=rng.normal(size=len(patient)))
    parts = split(data, target="y", task="number", inputs=["x"], group="patient", seed=seed)
    kept = parts.open.frame["patient"].to_numpy()
    assert not set(kept) & set(opened(parts.sealed).frame["patient"])
    for fold in parts.folds:
        assert not set(kept[fold.train]) & set(kept[fold.validation])
    assert np.array_equal(np.unique(kept, return_inverse=True)[1], parts.groups)


def test_rows_without_a_group_are_groups_of_their_own():
    data = table(g=[None] * 40 + ["a"] * 10, x=np.arange(50.0), y=np.arange(50.0) % 7)
    parts = split(data, target="y", task="number", inputs=["x"], group="g")
    assert len(np.unique(parts.groups)) > 10


def test_one_giant_group_is_not_sealed():
    group = np.array([0] * 600 + list(range(1, 41)) * 10)
    rng = np.random.default_rng(0)
    data = table(g=group, x=rng.normal(size=1000), y=rng.normal(size=1000))
    parts = split(data, target="y", task="number", inputs=["x"], group="g")
    assert 0 not in opened(parts.sealed).frame["g"]
    assert 150 <= parts.sealed.count <= 250


@FEW
@given(rows=st.integers(60, 600), seed=st.integers(0, 99))
def test_classes_keep_their_shares_on_every_side(rows, seed):
    data = flowers(rows, seed=seed)
    parts = split(data, target="kind", task="many-class", inputs=["petal"], seed=seed)
    for kind in data.frame["kind"].unique():
        count = (data.frame["kind"] == kind).sum()
        sealed = (opened(parts.sealed).frame["kind"] == kind).sum()
        assert abs(sealed - parts.sealed.count * count / rows) <= 1
        for fold in parts.folds:
            among = (parts.open.frame["kind"].to_numpy()[fold.validation] == kind).sum()
            assert abs(among - (count - sealed) / len(parts.folds)) <= 1


@FEW
@given(seed=st.integers(0, 99))
def test_answers_spread_alike_on_both_sides(seed):
    data = houses(1000)
    parts = by_price(data, seed=seed)
    edges = np.quantile(data.frame["price"].to_numpy(), np.linspace(0, 1, 11)[1:-1])
    tenths = np.bincount(np.searchsorted(edges, opened(parts.sealed).frame["price"].to_numpy()), minlength=10)
    assert (abs(tenths - 20) <= 1).all()


@FEW
@given(
    counts=st.lists(st.integers(1, 3), min_size=1, max_size=8),
    fraction=st.floats(0.1, 0.6),
    seed=st.integers(0, 99),
)
def test_every_class_has_open_rows_however_rare(counts, fraction, seed):
    kinds = np.repeat([f"rare{i}" for i in range(len(counts))], counts).tolist() + ["common"] * 40
    data = table(x=np.arange(float(len(kinds))), y=kinds)
    parts = split(data, target="y", task="many-class", inputs=["x"], test_fraction=fraction, seed=seed)
    assert set(parts.open.frame["y"]) == set(kinds)


def test_a_class_of_two_open_rows_is_in_the_training_rows_of_every_fold():
    kinds = ["a"] * 60 + ["b"] * 2
    data = table(x=np.arange(62.0), y=kinds)
    for seed in range(20):
        parts = split(data, target="y", task="two-class", inputs=["x"], seed=seed)
        answers = parts.open.frame["y"].to_numpy()
        if (answers == "b").sum() == 2:
            assert all("b" in answers[fold.train] for fold in parts.folds)


@FEW
@given(rows=st.integers(20, 300), moments=st.integers(5, 40), seed=st.integers(0, 99))
def test_by_time_the_test_is_the_future_and_no_moment_is_divided(rows, moments, seed):
    day = np.random.default_rng(seed).integers(0, moments, rows)
    data = table(day=day, x=np.arange(float(rows)), y=np.arange(float(rows)))
    parts = split(data, target="y", task="number", inputs=["x"], time="day", seed=seed)
    kept = parts.open.frame["day"].to_numpy()
    assert kept.max() < opened(parts.sealed).frame["day"].min()
    [fold] = parts.folds
    assert kept[fold.train].max() < kept[fold.validation].min()


def test_dates_have_an_order_and_missing_ones_count_as_the_oldest():
    day = pl.Series([None, *pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 2, 19), eager=True)])
    data = table(day=day, x=np.arange(51.0), y=np.arange(51.0))
    parts = split(data, target="y", task="number", inputs=["x"], time="day")
    assert opened(parts.sealed).frame["day"].to_list() == day.to_list()[-10:]
    assert parts.open.frame["day"].null_count() == 1


def test_by_group_and_time_the_groups_that_came_last_are_sealed_whole():
    group, day = np.repeat(np.arange(20), 10), np.tile(np.arange(10), 20) + np.repeat(np.arange(20), 10)
    data = table(g=group, day=day, y=np.arange(200.0))
    parts = split(data, target="y", task="number", inputs=["day"], group="g", time="day")
    assert set(opened(parts.sealed).frame["g"]) == {16, 17, 18, 19}


def test_the_same_seed_gives_the_same_split_and_another_seed_another():
    first, again, other = (by_price(houses(), seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.open.lines, again.open.lines)
    assert all(np.array_equal(a.train, b.train) for a, b in zip(first.folds, again.folds, strict=True))
    assert not np.array_equal(first.open.lines, other.open.lines)


def test_small_tables_get_more_folds_and_large_ones_a_single_validation():
    assert len(by_price(houses(100)).folds) == 10
    assert len(by_price(houses(1000)).folds) == 5
    assert len(by_price(houses(1000), folds=3).folds) == 3
    [fold] = by_price(houses(130_000)).folds
    assert len(fold.validation) == 20_000


def test_a_test_file_is_sealed_and_its_rows_leave_the_training_rows():
    data, test = houses(100), houses(30, seed=1)
    repeated = Table(
        pl.concat([data.frame, test.frame[:7]]), np.arange(107), "t.csv", Schema({}), Account(107)
    )
    parts = by_price(repeated, sealed_file=test)
    assert parts.sealed.count == 30
    assert len(parts.open) == 100
    assert sum(parts.left_out.values()) == 7
    assert [finding.code for finding in parts.findings] == ["test-file-repeats"]


def test_a_tiny_seal_is_said_so():
    parts = by_price(houses(12))
    assert parts.sealed.count == 5
    assert [finding.code for finding in parts.findings] == ["seal-small"]
    assert not by_price(houses(300)).findings


def test_few_sealed_groups_are_said_so():
    group = np.repeat(np.arange(10), 20)
    data = table(g=group, x=np.random.default_rng(0).normal(size=200), y=np.arange(200.0))
    parts = split(data, target="y", task="number", inputs=["x"], group="g")
    assert [finding.code for finding in parts.findings] == ["seal-few-groups"]


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"group": "rom"}, "split-column-absent"),
        ({"time": "word"}, "time-unordered"),
        ({"time": "rooms", "folds": 4}, "folds-and-time"),
        ({"group": "same"}, "split-impossible"),
        ({"time": "same"}, "split-impossible"),
    ],
)
def test_an_impossible_wish_is_a_mistake_with_a_name(wishes, code):
    data = houses(50)
    frame = data.frame.with_columns(same=pl.lit(1), word=pl.lit("soon"))
    wished = Table(frame, data.lines, "t.csv", Schema({}), Account(50))
    with pytest.raises(Mistake) as raised:
        by_price(wished, **wishes)
    assert raised.value.code == code


@pytest.mark.parametrize(
    "peek",
    [
        len,
        iter,
        list,
        bool,
        copy.copy,
        copy.deepcopy,
        lambda s: s.__reduce_ex__(4),
        np.asarray,
        lambda s: s[0],
        lambda s: 1 in s,
    ],
)
def test_the_seal_cannot_be_read_by_accident(peek):
    with pytest.raises(Mistake) as raised:
        peek(by_price(houses()).sealed)
    assert raised.value.code == "sealed"


def test_the_seal_shows_its_count_and_nothing_else():
    sealed = by_price(houses(200)).sealed
    assert repr(sealed) == str(sealed) == "Sealed(40 rows)"
    assert not hasattr(sealed, "__dict__")
    assert not any(isinstance(getattr(sealed, name), Table | pl.DataFrame) for name in dir(sealed))


def test_the_expected_width_shrinks_with_the_root_of_the_rows():
    kinds, price = flowers().frame["kind"], houses(1000).frame["price"]
    few, many = expected_width("many-class", kinds, 100), expected_width("many-class", kinds, 400)
    assert few.halfwidth == pytest.approx(2 * many.halfwidth)
    few, many = expected_width("number", price, 10_000), expected_width("number", price, 40_000)
    assert few.halfwidth == pytest.approx(2 * many.halfwidth, rel=0.02)


def test_the_expected_width_is_said_in_percent_for_numbers_and_plainly_for_shares():
    assert Expected(0.0312, relative=True).sentence == "expect the final score to within ±3.1 %"
    assert Expected(0.0093, relative=False).sentence == "expect the final score to within ±0.0093"


def test_the_expected_width_of_two_classes_is_hanley_and_mcneils():
    answers = pl.Series(["no"] * 750 + ["yes"] * 250)
    width = expected_width("two-class", answers, 1000)
    rng = np.random.default_rng(0)
    shift = np.sqrt(2) * 1.0364  # AUC 0.85 = Φ(shift/√2)
    aucs = [(rng.normal(shift, 1, 250)[:, None] > rng.normal(0, 1, 750)).mean() for _ in range(300)]
    assert width.halfwidth == pytest.approx(1.96 * np.std(aucs), rel=0.15)


def test_rows_of_one_group_count_for_less():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(50), 20)
    same = pl.Series(np.repeat(rng.normal(size=50), 20))
    loose = pl.Series(rng.normal(size=1000))
    alone = expected_width("number", loose, 200).halfwidth
    assert expected_width("number", loose, 200, groups).halfwidth == pytest.approx(alone, rel=0.1)
    assert expected_width("number", same, 200, groups).halfwidth > 3 * alone
