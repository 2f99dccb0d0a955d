"""What each kind promises beyond the laws, how columns are recognised, and how kinds are found."""

import math
from datetime import date, datetime, timedelta
from importlib.metadata import EntryPoint

import numpy as np
import polars as pl
import pytest
import torch

from preceptor.errors import Mistake
from preceptor.kinds import registry
from preceptor.kinds.category import MANY, Category
from preceptor.kinds.datetime import Datetime
from preceptor.kinds.kind import Guess, Kind
from preceptor.kinds.number import Number
from preceptor.kinds.recognise import recognise
from preceptor.kinds.registry import kind_from_state, kind_named, kind_names
from preceptor.kinds.tags import Tags
from preceptor.kinds.values import as_type, numbers


def series(values, name="c"):
    return pl.Series(name, values, strict=False)


def told(column, *, as_target=False, kind=None, name="c"):
    """What is recognised in one column that is called `name`."""
    column = column.alias(name)
    return recognise(pl.DataFrame(column), name if as_target else None, {name: kind} if kind else {})[name]


# ------------------------------------------------------------------------------------------------ values


def test_text_is_read_as_numbers_where_it_is_one():
    read = numbers(series(["3", " 4.5 ", "1e3", "-inf", "x", "", None]))
    np.testing.assert_array_equal(read, [3, 4.5, 1000, -np.inf, np.nan, np.nan, np.nan])


def test_dates_are_no_numbers():
    assert np.isnan(numbers(series([date(2020, 1, 1)]))).all()


@pytest.mark.parametrize(
    ("values", "kept", "expected"),
    [
        ([3.0, 4.5, math.inf], "Int64", [3, None, None]),
        (["9007199254740993", "3.0", "x"], "Int64", [9007199254740993, 3, None]),
        (["True", "false", "1", "2"], "Boolean", [True, False, True, None]),
        ([1, 0, 7], "Boolean", [True, False, None]),
        ([3.0, 4.5], "String", ["3", "4.5"]),
        ([True, None], "Int64", [1, None]),
    ],
)
def test_values_are_read_in_the_type_they_had_in_training(values, kept, expected):
    assert as_type(series(values), kept).to_list() == expected


# ------------------------------------------------------------------------------------------------ number


def test_a_number_is_scaled_by_the_quartile_range_and_clipped_smoothly():
    fitted = Number("c").fit(series([0.0, 1.0, 2.0, 3.0, 4.0]))
    encoded = fitted.encode(series([2.0, 4.0, 8.0, math.inf, -math.inf]))
    expected = [0, 1 / math.sqrt(1 + 1 / 9), 3 / math.sqrt(2), 3, -3]
    torch.testing.assert_close(encoded[:, 0], torch.tensor(expected))


def test_mostly_equal_numbers_are_scaled_by_their_range():
    fitted = Number("c").fit(series([0.0] * 98 + [5.0, 10.0]))
    assert (fitted.center, fitted.scale) == (0.0, 5.0)


def test_a_missing_number_raises_a_flag_only_if_training_had_missing_ones():
    with_holes = Number("c").fit(series([1.0, None, 3.0]))
    without = Number("c").fit(series([1.0, 2.0, 3.0]))
    assert with_holes.encode(series([None, 3.0])).tolist()[0] == [0.0, 1.0]
    assert without.encode(series([None, 2.0])).tolist() == [[0.0], [0.0]]


def test_the_only_outlier_of_a_column_comes_back():
    column = series([*range(100), 10**12])
    fitted = Number("c").fit(column)
    assert fitted.decode(fitted.encode(column)).to_list() == column.to_list()


def test_ordinary_decimals_come_back_as_they_were_written():
    column = series([-122.23, -118.3252, -121.0, -119.5, -120.07])
    fitted = Number("c").fit(column)
    assert fitted.decode(fitted.encode(column)).to_list() == column.to_list()


def test_a_constant_number_stays_silent_whatever_comes():
    fitted = Number("c").fit(series([5.0] * 10))
    assert fitted.encode(series([5.0, 9.0, -math.inf])).abs().sum() == 0


def test_a_target_number_is_standardised_but_never_clipped():
    fitted = Number("c").fit(series([10.0, 20.0, 30.0]))
    goal = fitted.goal(series([20.0, 1_000_000.0]))
    assert goal[0] == 0
    assert goal[1] == pytest.approx(999_980 / math.sqrt(200 / 3))
    assert fitted.scores(goal[:, None])[1] == pytest.approx(1_000_000)
    assert fitted.loss(torch.tensor([[1.0], [3.0]]), torch.tensor([0.0, 0.0])) == pytest.approx(5.0)


@pytest.mark.parametrize("value", [None, math.nan, math.inf, "two"])
def test_a_target_that_is_no_finite_number_is_refused(value):
    fitted = Number("c").fit(series([1.0, 2.0]))
    with pytest.raises(Mistake, match="1 rows have no finite number in 'c'"):
        fitted.truth(series([value]))


# ---------------------------------------------------------------------------------------------- category


def test_labels_are_sorted_as_their_own_type_and_the_second_is_the_positive_one():
    assert Category("c").fit(series([10, 9, 10, 100])).labels == ["9", "10", "100"]
    assert Category("c").fit(series(["yes", "no"])).truth(series(["yes", "no"])).tolist() == [1, 0]
    assert Category("c").fit(series([True, False])).truth(series([True])).tolist() == [1]


@pytest.mark.parametrize(
    ("trained", "later", "codes"),
    [
        ([3, 7], ["3.0", "7", "x"], [1, 2, 0]),
        ([3, 7], [3.0, 7.5, None], [1, 0, 0]),
        (["3", "x"], [3, 4], [1, 0]),
        (["3", "x"], [3.0, 4.0], [1, 0]),
        ([False, True], ["TRUE", "false", "maybe"], [2, 1, 0]),
        (["03", "3"], ["3", "03"], [2, 1]),
    ],
)
def test_a_label_is_found_again_when_it_arrives_in_another_type(trained, later, codes):
    assert Category("c").fit(series(trained)).encode(series(later))[:, 0].tolist() == codes


def test_rare_labels_of_many_share_the_code_of_unseen_ones_but_stay_classes():
    labels = [f"often {place:02}" for place in range(MANY)] * 2 + ["once"]
    fitted = Category("c").fit(series(labels))
    assert fitted.encode(series(["once", "often 00"]))[:, 0].tolist() == [0, 1]
    assert fitted.shape.sizes == (MANY + 1,)
    assert fitted.outputs == MANY + 1
    assert fitted.truth(series(["once"])).tolist() == [fitted.labels.index("once")]


def test_few_labels_keep_their_codes_even_if_rare():
    assert Category("c").fit(series(["a", "a", "b"])).encode(series(["b"])).item() == 2


def test_answers_name_the_likeliest_label_in_its_own_type_and_every_probability():
    fitted = Category("size").fit(series([1, 2, 3]))
    answers = fitted.answers(np.array([[0.2, 0.5, 0.3], [0.6, 0.4, 0.0]]))
    assert answers.columns == ["size", "p(1)", "p(2)", "p(3)"]
    assert answers["size"].to_list() == [2, 1]
    assert answers["p(2)"].to_list() == [0.5, 0.4]


def test_the_default_metric_follows_the_number_of_classes():
    assert next(iter(Category("c").fit(series(["a", "b"])).metrics())) == "roc_auc"
    assert next(iter(Category("c").fit(series(["a", "b", "c"])).metrics())) == "accuracy"


def test_label_smoothing_makes_a_sure_answer_cost():
    fitted = Category("c").fit(series(["a", "b"]))
    sure = torch.tensor([[20.0, -20.0]])
    goal = fitted.goal(series(["a"]))
    assert fitted.loss(sure, goal) == pytest.approx(0.0, abs=1e-6)
    assert fitted.loss(sure, goal, smoothing=0.1) == pytest.approx(0.05 * 40)


def test_an_unknown_answer_is_refused_with_the_nearest_label():
    fitted = Category("species").fit(series(["Adelie", "Gentoo"]))
    with pytest.raises(Mistake) as refused:
        fitted.truth(series(["Adelie", "Adeli"]))
    assert refused.value.code == "label-unknown"
    assert refused.value.todo == "Did you mean 'Adelie'?"


# -------------------------------------------------------------------------------------------------- tags


def test_tags_are_told_apart_and_unseen_ones_ignored():
    fitted = Tags("c").fit(series(["drama; comedy", "drama", "", "war"]))
    assert fitted.separator == ";"
    assert fitted.tags == ["comedy", "drama", "war"]
    encoded = fitted.encode(series(["war;opera", "drama ;drama", None]))
    assert encoded.tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_tags_likelier_than_one_half_are_answered():
    fitted = Tags("c").fit(series(["a|b", "c"]))
    answers = fitted.answers(np.array([[0.9, 0.6, 0.1], [0.1, 0.5, 0.2]]))
    assert answers["c"].to_list() == ["a|b", ""]
    assert answers["p(c)"].to_list() == [0.1, 0.2]


def test_smoothing_draws_every_tag_to_one_half():
    fitted = Tags("c").fit(series(["a|b", "b"]))
    for tags, sure in (("a|b", 20.0), ("", -20.0)):
        output, goal = torch.full((1, 2), sure), fitted.goal(series([tags]))
        assert fitted.loss(output, goal) == pytest.approx(0, abs=1e-6)
        assert fitted.loss(output, goal, smoothing=0.1) == pytest.approx(0.05 * 20)


def test_an_unknown_tag_is_refused_as_an_answer():
    with pytest.raises(Mistake, match="'d' is not one of the 3 labels"):
        Tags("c").fit(series(["a|b", "c"])).truth(series(["a", "a|d"]))


# ---------------------------------------------------------------------------------------------- datetime


def days(first, count, step=1):
    return series([first + timedelta(days=step * place) for place in range(count)])


def test_only_cycles_that_vary_and_were_seen_whole_are_encoded():
    assert Datetime("c").fit(days(date(2020, 1, 1), 5)).cycles == []
    assert Datetime("c").fit(days(date(2020, 1, 1), 10)).cycles == ["week"]
    assert Datetime("c").fit(days(date(2020, 1, 1), 100, step=7)).cycles == ["month", "year"]
    assert Datetime("c").fit(days(datetime(2020, 1, 1), 60, step=0.25)).cycles == ["day", "week"]


def test_midnight_lies_between_late_and_early():
    hours = series([datetime(2020, 1, 1) + timedelta(hours=place) for place in range(48)])
    sine, cosine = Datetime("c").fit(hours).encode(hours)[:, 1:3].T
    assert sine[6] == pytest.approx(1)
    assert cosine[0] == cosine[24] == pytest.approx(1)
    assert sine[23] == pytest.approx(-float(sine[1]), abs=1e-6)


def test_a_missing_moment_is_the_middle_of_time_and_the_hub_of_every_cycle():
    moments = days(date(2020, 1, 6), 30)
    assert Datetime("c").fit(moments).encode(series([None])).tolist() == [[0.0] * 5]
    with_holes = Datetime("c").fit(moments.extend_constant(None, 1))
    assert with_holes.encode(series(["no date"])).tolist() == [[0.0] * 5 + [1.0]]


def test_time_beyond_training_stays_in_range():
    fitted = Datetime("c").fit(days(date(2020, 1, 1), 11))
    linear = fitted.encode(series([date(2020, 1, 11), date(2020, 1, 21), date(2999, 1, 1)]))[:, 0]
    assert linear.tolist() == [1, 3, 3]


SOON = datetime(2011, 1, 13, 10, 30, 5)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (["1/13/11", "12/1/12"], [date(2011, 1, 13), date(2012, 12, 1)]),
        (["13/1/2011", "1/12/2012"], [date(2011, 1, 13), date(2012, 12, 1)]),
        (["13.01.2011 10:30", "01.12.2012 08:00"], [datetime(2011, 1, 13, 10, 30), datetime(2012, 12, 1, 8)]),
        (["2011-01-13T10:30:05Z", "2011-01-13T10:30:06.5Z"], [SOON, SOON + timedelta(seconds=1.5)]),
        (["1949-01", "1949-02"], [date(1949, 1, 1), date(1949, 2, 1)]),
        (["13 Jan 2011", "01 Dec 2012"], [date(2011, 1, 13), date(2012, 12, 1)]),
    ],
)
def test_dates_written_as_text_are_read_in_one_format(written, meant):
    fitted = Datetime("c").fit(series(written))
    back = fitted.decode(fitted.encode(series(written)))
    assert back.to_list() == pl.Series(meant).cast(pl.Datetime("us")).to_list()


def test_a_date_is_the_same_as_text_once_trained_on_dates():
    column = days(date(2020, 1, 1), 400)
    fitted = Datetime("c").fit(column)
    assert torch.equal(fitted.encode(column.cast(pl.String)), fitted.encode(column))
    assert torch.equal(fitted.encode(column.cast(pl.Datetime("ms"))), fitted.encode(column))


def test_a_time_zone_is_kept_and_hours_are_those_on_the_wall():
    hours = [datetime(2020, 7, 1) + timedelta(hours=place) for place in range(48)]
    utc = series(hours).dt.replace_time_zone("UTC")
    rome = utc.dt.convert_time_zone("Europe/Rome")
    fitted = Datetime("c").fit(rome)
    assert fitted.decode(fitted.encode(rome)).equals(rome)
    assert torch.equal(fitted.encode(utc), fitted.encode(rome))
    assert fitted.encode(rome)[22, 2] == pytest.approx(1)  # midnight in Rome


HAM = ["see you at home tonight", "ok, later then", "are you coming to lunch?", "happy birthday mum"]

# --------------------------------------------------------------------------------------------- recognise

SHUFFLED = np.random.default_rng(0).permutation(100)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (series(np.linspace(0, 1, 50)), "number"),
        (series([1, 2, 3] * 20), "number"),
        (series([0, 1] * 20), "category"),
        (series([0.0, None, 1.0] * 20), "category"),
        (series([True, False]), "category"),
        (series(["red", "green", "blue"] * 20), "category"),
        (series([f"{place / 7:.3f}" for place in range(50)]), "number"),
        (series([f" {place}" for place in range(500, 540)] * 2), "number"),
        (series([f"{place:05}" for place in range(9980, 10020)] * 2), "category"),
        (series(["1", "2", "3"] * 20), "category"),
        (series(["a|b", "a", "c|b", "c|a|b"] * 10), "tags"),
        (series(["Smith, John", "Doe, Jane"] * 20), "category"),
        (series(["2020-01-05", "2020-02-01"] * 20), "datetime"),
        (series([date(2020, 1, 5)] * 2 + [date(2021, 1, 1)]), "datetime"),
        (series([f"{ham} number {place}" for place in range(10) for ham in HAM]), "text"),
        (series([f"{maker} {place}" for place in range(60) for maker in ("ford", "audi")]), "text"),
        (series([f"これは{place}番目の本です" for place in range(40)]), "text"),
        (series([7.0] * 30), "constant"),
        (series([7.0, None] * 15), "number"),
        (series([None, None]), "missing"),
        (series([math.nan, None]), "missing"),
        (series(range(1, 101)), "identifier"),
        (series(SHUFFLED), "identifier"),
        (series(SHUFFLED * 1.0), "identifier"),
        (series(SHUFFLED + 1700), "number"),
        (series([f"A-{place:05}" for place in SHUFFLED]), "identifier"),
        (series([1, 2, 3, 4, 5]), "number"),
        (series(["a", "b", "c"]), "category"),
    ],
)
def test_an_input_is_recognised(column, kind):
    found = told(column)
    assert found.kind == kind, found
    assert found.ignored == (kind in ("constant", "missing", "identifier"))


@pytest.mark.parametrize("name", ["id", "customer_id", "PassengerId", "Unnamed: 0", "row no", "key", "ID"])
def test_whole_numbers_that_all_differ_are_a_key_if_named_as_one(name):
    assert told(series(SHUFFLED * 37 + 5000), name=name).kind == "identifier"


@pytest.mark.parametrize("name", ["humidity", "paid", "width", "idle", "note"])
def test_a_name_that_only_contains_a_key_word_is_no_key(name):
    assert told(series(SHUFFLED * 37 + 5000), name=name).kind == "number"


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, 1] * 20, "category"),
        ([1.5, 2.5] * 20, "category"),
        ([0, 1, 2] * 20, "category"),
        ([1, 2, 3, 4, 5] * 20, "category"),
        ([3, 4, 5, 6, 7, 8] * 20, "number"),
        (list(range(11)) * 5, "number"),
        (["yes", "no"] * 20, "category"),
        (["a|b", "a", "c|b", "c|a|b"] * 10, "tags"),
        (np.linspace(0, 1, 50), "number"),
        (range(1, 101), "number"),
    ],
)
def test_a_target_is_recognised_and_never_ignored(values, kind):
    found = told(series(values), as_target=True)
    assert (found.kind, found.ignored) == (kind, False)


def test_what_a_person_says_about_a_column_is_obeyed():
    assert told(series([1, 2, 3] * 20), kind="category").kind == "category"
    assert told(series(range(1, 101)), kind="number").ignored is False
    assert told(series([1, 2, 3, 4, 5] * 20), as_target=True, kind="number").kind == "number"


@pytest.mark.parametrize(
    ("column", "as_target", "kind", "code"),
    [
        (series(["red", "green"] * 20), False, "number", "kind-impossible"),
        (series([1.5, 2.5, 3.5]), False, "datetime", "kind-impossible"),
        (series([1.5, 2.5, 3.5]), False, "tags", "kind-impossible"),
        (series(["red", "green"] * 20), False, "nubmer", "kind-unknown"),
        (series(HAM), True, "text", "kind-not-a-target"),
    ],
)
def test_an_impossible_kind_is_refused(column, as_target, kind, code):
    with pytest.raises(Mistake) as refused:
        told(column, as_target=as_target, kind=kind)
    assert refused.value.code == code


def test_a_kind_for_a_column_that_is_not_there_is_refused_with_the_nearest_name():
    with pytest.raises(Mistake) as refused:
        recognise(pl.DataFrame({"price": [1]}), None, {"prise": "number"})
    assert refused.value.todo == "Did you mean 'price'?"


# ---------------------------------------------------------------------------------------------- registry


class Loud(Category):
    """A stranger's kind: labels, shouted."""

    name = "loud"

    @classmethod
    def recognise(cls, column, *, as_target=False):
        loud = column.dtype == pl.String and column.str.contains("^[A-Z]+$").all()
        return Guess(float(loud), "shouted")


@pytest.fixture
def plugged_in(monkeypatch):
    """A door through which a stranger's kinds enter beside preceptor's own."""

    def plug(**values):
        own = registry.entry_points
        strange = [EntryPoint(name, value, "preceptor.kinds") for name, value in values.items()]
        monkeypatch.setattr(registry, "entry_points", lambda group: [*own(group=group), *strange])
        registry._declared.cache_clear()

    yield plug
    registry._declared.cache_clear()


def test_a_strangers_kind_enters_by_the_same_door(plugged_in):
    plugged_in(loud=f"{__name__}:Loud")
    assert "loud" in kind_names()
    assert told(series(["STOP", "GO"] * 20)).kind == "loud"
    assert told(series(["stop", "go"] * 20)).kind == "category"
    fitted = kind_named("loud")("c").fit(series(["STOP", "GO"]))
    loaded = kind_from_state({"kind": "loud", **fitted.state()})
    assert type(loaded) is kind_named("loud")
    assert loaded.decode(loaded.encode(series(["GO"]))).to_list() == ["GO"]


NO_KINDS = ["no_package:Kind", "preceptor.errors:Nothing", "preceptor.errors:Mistake", f"{__name__}:Loud"]


@pytest.mark.parametrize("value", NO_KINDS)
def test_a_strangers_broken_kind_is_named(plugged_in, value):
    plugged_in(broken=value)
    with pytest.raises(Mistake, match="The kind 'broken' cannot be used"):
        kind_named("broken")


def test_every_built_in_kind_is_declared_under_its_own_name():
    assert kind_names() == ["category", "datetime", "image", "number", "series", "tags", "text"]
    assert all(issubclass(kind_named(name), Kind) and kind_named(name).name == name for name in kind_names())


def test_a_state_of_another_version_is_refused():
    state = {"kind": "number", **Number("c").fit(series([1, 2])).state()}
    with pytest.raises(Mistake, match="saved encoding of column 'c'"):
        kind_from_state({**state, "invented": 1})
    with pytest.raises(Mistake, match="saved encoding of column 'c'"):
        kind_from_state({name: value for name, value in state.items() if name != "scale"})
