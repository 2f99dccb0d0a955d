"""Inspection: every trap sees its fault, with the numbers, and stays calm where the data is sound."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preceptor.data.read import read
from preceptor.data.table import Account, Misfit, Schema, Table
from preceptor.errors import Mistake
from preceptor.inspection import Roles, blank, inspect, mend, repairs, usable_rows
from preceptor.inspection.duplicates import alike, copies
from preceptor.inspection.leaks import leaks
from preceptor.inspection.outliers import outliers
from preceptor.kinds.recognise import recognise

FEW = settings(max_examples=20, deadline=None)
ROWS = 400


def table(frame: pl.DataFrame) -> Table:
    return Table(frame, np.arange(frame.height) + 2, "t.csv", Schema({}), Account(frame.height))


def roles_of(data: Table, target: str = "y", **wishes) -> Roles:
    seen = recognise(data.frame, target, {})
    ignored = {name: it.why for name, it in seen.items() if it.ignored and name != target}
    inputs = tuple(name for name in seen if name not in ignored and name != target)
    return Roles(target, inputs, ignored, {name: it.kind for name, it in seen.items()}, **wishes)


def sound(rows: int = ROWS, seed: int = 0) -> pl.DataFrame:
    """A healthy table: two measurements, a category, and a noisy answer."""
    rng = np.random.default_rng(seed)
    a, b, c = rng.normal(50, 10, rows), rng.gamma(2, 3, rows), rng.choice(["red", "green", "blue"], rows)
    return pl.DataFrame({"a": a, "b": b, "c": c, "y": a + 2 * b + 5 * (c == "red") + rng.normal(0, 5, rows)})


def classes(rows: int = ROWS, seed: int = 0) -> pl.DataFrame:
    frame = sound(rows, seed)
    return frame.with_columns(y=pl.when(pl.col("y") > 62).then(pl.lit("high")).otherwise(pl.lit("low")))


def findings(frame: pl.DataFrame, **wishes) -> dict:
    data = table(frame)
    return {finding.code: finding for finding in inspect(data, roles_of(data, **wishes))}


@pytest.mark.parametrize("frame", [sound(), classes(), sound(seed=1), classes(seed=1)])
def test_sound_data_stays_calm(frame):
    assert not findings(frame)


# -- the target: Mistakes ---------------------------------------------------------------------


def test_rows_without_an_answer_are_counted_by_reason():
    frame = sound(30).with_columns(
        y=pl.Series([None, float("nan"), float("inf"), float("-inf"), *np.arange(26.0)])
    )
    rows, left_out = usable_rows(table(frame), "y")
    assert rows.tolist() == list(range(4, 30))
    assert left_out == {"the answer is missing": 2, "the answer is infinite": 2}


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([None] * 30, "target-empty"),
        ([float("nan")] * 30, "target-empty"),
        ([1.0, 2.0, 3.0] + [None] * 27, "too-few-rows"),
        ([1.0], "too-few-rows"),
        ([], "too-few-rows"),
        ([7] * 30, "target-constant"),
        (["yes"] * 29 + [None], "target-constant"),
    ],
)
def test_a_target_that_cannot_be_learnt_is_a_mistake(answers, code):
    with pytest.raises(Mistake) as raised:
        usable_rows(table(pl.DataFrame({"x": range(len(answers)), "y": answers})), "y")
    assert raised.value.code == code


def test_an_absent_target_names_its_neighbour():
    with pytest.raises(Mistake, match="Did you mean 'price'") as raised:
        usable_rows(table(pl.DataFrame({"price": [1.0] * 20})), "prise")
    assert raised.value.code == "target-absent"


def test_no_inputs_left_is_a_mistake_that_says_why():
    frame = pl.DataFrame({"id": range(40), "same": ["x"] * 40, "y": [1.0, 2.0] * 20})
    with pytest.raises(Mistake, match="'id': counts the rows") as raised:
        findings(frame)
    assert raised.value.code == "no-inputs"


def test_numbers_asked_for_as_text_are_inspected_as_numbers():
    frame = sound().with_columns(y=pl.col("y").cast(pl.String)).with_columns(leak=sound()["y"])
    data = table(
        frame.with_columns(pl.when(pl.int_range(pl.len()) < 3).then(pl.lit("?")).otherwise("y").alias("y"))
    )
    seen = roles_of(data)
    told = Roles("y", seen.inputs, seen.ignored, {**seen.kinds, "y": "number"})
    assert inspect(data, told)[0].column == "leak"


# -- rows -------------------------------------------------------------------------------------


@FEW
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", None])), min_size=1, max_size=40))
def test_rows_are_alike_exactly_when_all_their_values_are(rows):
    numbers = alike(pl.DataFrame(rows, schema={"i": pl.Int64, "s": pl.String}, orient="row"))
    for i, first in enumerate(rows):
        assert [number == numbers[i] for number in numbers] == [row == first for row in rows]


def test_fewer_than_ten_combinations_are_common_cases_in_any_table():
    assert len(set(copies(pl.DataFrame({"sex": ["m", "f"] * 8})))) == 16


def test_copies_stay_together_and_common_cases_stand_alone():
    frame = pl.DataFrame({"x": [1.5] * 3 + [0.0] * 50 + [float(i) for i in range(10, 57)]})
    numbers = copies(frame)
    assert len(set(numbers[:3])) == 1
    assert len(set(numbers[3:53])) == 50
    assert sorted(set(numbers)) == list(range(98))


@pytest.mark.parametrize(("repeats", "severity"), [(8, "note"), (80, "warning")])
def test_duplicate_rows_are_counted(repeats, severity):
    found = findings(pl.concat([sound(), sound().head(repeats)]))["duplicate-rows"]
    assert found.evidence["repeats"] == repeats
    assert found.severity == severity


def test_identifiers_do_not_hide_duplicates():
    frame = (
        pl.concat([sound(), sound().head(80)]).with_row_index("id").with_columns(pl.col("id").cast(pl.Int64))
    )
    assert findings(frame)["duplicate-rows"].evidence["repeats"] == 80


def test_conflicting_answers_are_counted_with_the_error_they_force():
    flipped = (
        classes()
        .head(40)
        .with_columns(y=pl.when(pl.col("y") == "low").then(pl.lit("high")).otherwise(pl.lit("low")))
    )
    found = findings(pl.concat([classes(), flipped]))["conflicting-answers"]
    assert found.severity == "warning"
    assert found.evidence["rows"] == 80
    assert found.evidence["noise"] == pytest.approx(40 / 440)


def test_conflicts_of_coarse_inputs_are_only_noted():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "s": rng.choice(["m", "f"], ROWS),
            "k": rng.choice(["1st", "2nd"], ROWS),
            "y": rng.choice(["no", "yes"], ROWS),
        }
    )
    assert findings(frame)["conflicting-answers"].severity == "note"


# -- columns ----------------------------------------------------------------------------------


def test_constant_empty_and_naming_columns_are_said_and_left_out():
    frame = sound().with_columns(same=pl.lit(3), gone=pl.lit(None, pl.Float64), key=pl.int_range(pl.len()))
    found = findings(frame)
    for code, column in (("column-constant", "same"), ("column-empty", "gone"), ("id-column", "key")):
        assert found[code].column == column
        assert found[code].done.startswith("left out")


def test_free_text_is_said():
    words = np.random.default_rng(0).choice(
        ["the", "steak", "was", "terrible", "fine", "wine", "again"], (ROWS, 9)
    )
    frame = sound().with_columns(review=pl.Series([" ".join(line) for line in words]))
    assert findings(frame)["free-text"].column == "review"


def leak(frame: pl.DataFrame, column: pl.Series) -> str | None:
    found = findings(frame.with_columns(column.alias("leak"))).get("answer-given-away")
    return found and found.column


NOISE = np.random.default_rng(5).normal(size=ROWS)
COPIES_OF_NUMBERS = {
    "with noise": lambda y: y + pl.Series(NOISE * 0.05) * y.std(),
    "rescaled": lambda y: y * -2.54 + 7,
    "curved": lambda y: (y / 20).exp(),
    "rounded": lambda y: y.round(),
    "folded": lambda y: (y - y.mean()).abs() + 1000 * (y > y.mean()).cast(pl.Int64),
    "as text": lambda y: y.round(1).cast(pl.String),
}
COPIES_OF_CLASSES = {
    "renamed": lambda y: y.replace({"low": "b", "high": "a"}),
    "with noise": lambda y: (y == "low").cast(pl.Float64) + pl.Series(NOISE * 0.15),
    "in three": lambda y: pl.Series(np.where(y == "low", 2, np.where(NOISE > 0, 1, 3))),
    "absent": lambda y: pl.Series(np.where(y == "low", np.nan, NOISE)).fill_nan(None),
}


@pytest.mark.parametrize("copied", [c for c in COPIES_OF_NUMBERS if c != "as text"])
def test_a_copy_of_the_number_asked_for_is_a_leak(copied):
    assert leak(sound(), COPIES_OF_NUMBERS[copied](sound()["y"])) == "leak"


@pytest.mark.parametrize("copied", COPIES_OF_CLASSES)
def test_a_copy_of_the_class_asked_for_is_a_leak(copied):
    assert leak(classes(), COPIES_OF_CLASSES[copied](classes()["y"])) == "leak"


def test_a_copy_among_many_classes_is_a_leak():
    frame = sound().with_columns(y="k" + (pl.col("a") // 4).cast(pl.Int64).cast(pl.String))
    rename = {name: f"z{number}" for number, name in enumerate(frame["y"].unique().sort(descending=True))}
    shuffled = frame.with_columns(pl.Series("a", NOISE))
    assert leak(shuffled, shuffled["y"].replace(rename)) == "leak"


@FEW
@given(noise=st.floats(0.3, 3), seed=st.integers(0, 99))
def test_a_strong_honest_column_is_no_leak(noise, seed):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=ROWS)
    assert (
        leak(pl.DataFrame({"b": rng.normal(size=ROWS), "y": y}), pl.Series(y + noise * rng.normal(size=ROWS)))
        is None
    )


@FEW
@given(columns=st.integers(5, 20), seed=st.integers(0, 99))
def test_among_many_random_columns_and_few_rows_none_is_a_leak(columns, seed):
    rng = np.random.default_rng(seed)
    frame = pl.DataFrame({f"x{i}": rng.normal(size=32) for i in range(columns)} | {"y": ["a", "b"] * 16})
    assert not leaks(table(frame), roles_of(table(frame)))


def test_parts_that_add_up_to_the_answer_are_a_leak():
    rng = np.random.default_rng(0)
    casual, registered = rng.poisson(30, ROWS), rng.poisson(100, ROWS)
    frame = sound().with_columns(
        casual=pl.Series(casual), registered=pl.Series(registered), y=pl.Series(casual + registered)
    )
    assert findings(frame)["answer-is-a-sum"].evidence["columns"] == ["casual", "registered"]


# -- groups, time, order ----------------------------------------------------------------------


def patients(each: int = 8, seed: int = 0) -> pl.DataFrame:
    """Visits of patients whose marks are constant and whose answer is their own secret, nearly."""
    rng = np.random.default_rng(seed)
    who = np.repeat(rng.permutation(60) + 1000, each)
    own = {name: np.repeat(rng.normal(size=60), each) for name in ("height", "age", "secret")}
    frame = pl.DataFrame({"patient_id": who, **own, "pulse": rng.normal(size=len(who))})
    frame = frame.with_columns(y=pl.col("secret") + 0.3 * pl.Series(rng.normal(size=len(who)))).drop("secret")
    return frame.sample(fraction=1, shuffle=True, seed=seed)


def test_groups_that_the_network_could_recognise_are_suspected():
    found = findings(patients())["groups-suspected"]
    assert found.column == "patient_id"
    assert found.change == {"group": "patient_id"}
    assert found.evidence["error_ratio"] > 1.2
    assert found.evidence["rows_each"] == pytest.approx(8, rel=0.1)


def test_a_named_group_is_suspected_no_more():
    assert "groups-suspected" not in findings(patients(), group="patient_id")


def test_repeating_names_without_resemblance_are_no_groups():
    who = np.random.default_rng(1).integers(1000, 1060, ROWS)
    assert "groups-suspected" not in findings(sound().with_columns(customer_id=pl.Series(who)))


def series(rows: int = 600) -> pl.DataFrame:
    """Dated rows whose answer wanders as time goes by."""
    rng = np.random.default_rng(0)
    day = pl.date_range(pl.date(2020, 1, 1), pl.date(2030, 1, 1), eager=True).head(rows)
    return pl.DataFrame({"day": day, "x": rng.normal(size=rows), "y": rng.normal(size=rows).cumsum()})


def test_a_future_that_is_harder_than_chance_says_is_suspected():
    found = findings(series())["time-suspected"]
    assert (found.column, found.change, found.severity) == ("day", {"time": "day"}, "warning")
    assert "time-suspected" not in findings(series(), time="day")


def test_a_column_that_rises_through_the_file_is_taken_for_time():
    frame = series().with_columns(day=pl.int_range(pl.len()) // 50 + 1990)
    assert findings(frame)["time-suspected"].severity == "note"


def test_dates_without_drift_are_no_cause_for_alarm():
    assert not findings(sound().with_columns(day=pl.Series(series(ROWS)["day"])))


def test_a_file_sorted_by_its_answers_is_noted():
    for frame in (sound(), classes()):
        found = findings(frame.sort("y"))
        assert found["file-sorted"].severity == "note"
        assert "file-in-order" not in found


def test_neighbours_that_resemble_each_other_are_noted():
    frame = patients().sort("patient_id").drop("patient_id")
    assert findings(frame)["file-in-order"].evidence["error_ratio"] > 1.2


# -- values -----------------------------------------------------------------------------------


def test_missing_values_are_counted_by_column():
    frame = sound().with_columns(
        pl.when(pl.int_range(pl.len()) % 10 == 0).then(None).otherwise(pl.col("a")).alias("a")
    )
    found = findings(frame)
    assert found["values-missing"].evidence["missing"] == {"a": 40}
    assert "missing-tells" not in found


def test_missing_values_that_tell_of_the_answer_are_noted():
    frame = sound().with_columns(pl.when(pl.col("y") > 70).then(None).otherwise(pl.col("a")).alias("a"))
    assert findings(frame)["missing-tells"].evidence["shifts"]["a"] > 1


def with_code(code: float, rows: int = 12) -> pl.DataFrame:
    return sound().with_columns(
        pl.when(pl.int_range(pl.len()) < rows).then(code).otherwise(pl.col("a")).alias("a")
    )


@pytest.mark.parametrize("code", [-999, -99, -9999, 9999, 999999])
def test_a_code_for_no_value_is_seen_and_mended(code):
    data = table(with_code(code))
    found = inspect(data, roles_of(data))
    assert repairs(found) == {"a": [code]}
    mended = mend(data, found)
    assert mended.frame["a"].null_count() == 12
    assert mended.frame.drop("a").equals(data.frame.drop("a"))
    assert blank(data, json.loads(json.dumps(repairs(found)))).frame.equals(mended.frame)


@pytest.mark.parametrize("code", [-1, 0])
def test_a_possible_code_is_noted_and_left_alone(code):
    data = table(with_code(code))
    found = inspect(data, roles_of(data))
    assert [(it.code, it.severity) for it in found] == [("missing-as-number", "note")]
    assert not repairs(found)


def test_a_code_among_the_answers_is_said_and_not_mended():
    frame = sound().with_columns(
        pl.when(pl.int_range(pl.len()) < 9).then(-999).otherwise(pl.col("y")).alias("y")
    )
    found = findings(frame)["missing-as-number"]
    assert (found.severity, found.change) == ("warning", {})


def test_counts_that_start_at_zero_and_spreads_around_it_hold_no_code():
    rng = np.random.default_rng(0)
    frame = sound().with_columns(
        n=pl.Series(rng.poisson(3, ROWS)), z=pl.Series(rng.normal(size=ROWS).round() * 99)
    )
    assert not findings(frame)


def test_a_repair_leaves_other_columns_and_types_alone():
    data = table(pl.DataFrame({"a": [-999, 1], "s": ["-999", "x"]}))
    assert blank(data, {"a": [-999.0], "s": [-999.0], "absent": [-999.0]}).frame.rows() == [
        (None, "-999"),
        (1, "x"),
    ]


def test_infinite_inputs_are_said():
    frame = sound().with_columns(
        pl.when(pl.int_range(pl.len()) == 3).then(float("inf")).otherwise(pl.col("a")).alias("a")
    )
    assert findings(frame)["values-infinite"].column == "a"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        (lambda i: f"${i * 37 % 9000:,}.50", "numbers-as-text"),
        (lambda i: f"{i * 37 % 900} kg", "numbers-as-text"),
        (lambda i: f"{i % 28 + 1}.{i % 12 + 1}.{1990 + i % 30} ?", "dates-as-text"),
        (lambda i: f"{i % 28 + 1} January {1990 + i % 30}", "dates-as-text"),
        (lambda i: f"{i * 37 % 9000:05d}", None),
        (lambda i: f"A{i % 40}", None),
    ],
)
def test_numbers_and_dates_written_as_text_are_seen(written, code):
    found = findings(sound().with_columns(t=pl.Series([written(i) for i in range(ROWS)])))
    assert {"numbers-as-text", "dates-as-text"} & set(found) == ({code} if code else set())


def test_values_that_did_not_fit_are_told_with_their_lines():
    misfits = (Misfit("a", 17, "unknown"), Misfit("a", 20, "n.b."))
    account = Account(ROWS, misfits=misfits, misfit_counts={"a": 9})
    data = replace(table(sound()), account=account)
    [found] = inspect(data, roles_of(data))
    assert found.code == "values-unreadable"
    assert "'unknown'" in found.text
    assert "line 17" in found.text


def test_one_category_written_in_several_ways_is_seen():
    frame = sound().with_columns(
        c=pl.when(pl.int_range(pl.len()) % 9 == 0).then(pl.lit("RED ")).otherwise(pl.col("c"))
    )
    assert findings(frame)["spelling-variants"].evidence["variants"] == [["RED ", "red"]]


@pytest.mark.parametrize(("column", "severity"), [("y", "warning"), ("a", "note")])
def test_values_cut_off_at_a_limit_are_counted(column, severity):
    frame = sound().with_columns(pl.col(column).clip(upper_bound=sound()[column].quantile(0.93)))
    found = findings(frame)["values-capped"]
    assert (found.column, found.severity) == (column, severity)


def test_many_zeros_are_no_cap():
    frame = sound().with_columns(rain=pl.Series(np.maximum(NOISE, 0)))
    assert "values-capped" not in findings(frame)


@pytest.mark.parametrize("factor", [1000, 30])
def test_mixed_up_units_are_seen(factor):
    frame = sound().with_columns(
        pl.when(pl.int_range(pl.len()) < 6).then(pl.col("a") * factor).otherwise(pl.col("a")).alias("a")
    )
    found = findings(frame)["values-far-away"]
    assert (found.column, found.evidence["rows"], found.severity) == ("a", 6, "warning")


def test_heavy_tails_are_hardly_ever_noted_and_never_a_warning_of_mixed_up_units():
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        heavy = {"a": rng.lognormal(0, 2, ROWS), "b": rng.standard_t(3, ROWS)}
        data = table(sound().with_columns(**{name: pl.Series(values) for name, values in heavy.items()}))
        found += outliers(data, roles_of(data))
    assert len(found) <= 2
    assert not [finding for finding in found if finding.severity == "warning"]


def test_answers_ruled_by_a_few_rows_are_noted():
    frame = sound().with_columns(y=pl.Series(np.random.default_rng(0).lognormal(0, 3, ROWS)))
    assert findings(frame)["answers-heavy-tailed"].evidence["share"] > 0.5


def test_rare_classes_and_classes_of_few_rows_are_told_apart():
    kinds = ["a"] * 1000 + ["b"] * 985 + ["rare"] * 15 + ["few"] * 4
    frame = sound(len(kinds)).with_columns(y=pl.Series(kinds).shuffle(seed=0))
    found = findings(frame)
    assert found["class-rare"].evidence["rows"] == {"rare": 15}
    assert found["class-few-rows"].evidence["rows"] == {"few": 4}


# -- all together -----------------------------------------------------------------------------


@FEW
@given(
    rows=st.integers(10, 80),
    seed=st.integers(0, 99),
    gaps=st.booleans(),
    task=st.sampled_from(["number", "class"]),
)
def test_no_trap_stumbles_over_odd_tables_and_all_evidence_is_json(rows, seed, gaps, task):
    rng = np.random.default_rng(seed)
    frame = pl.DataFrame(
        {
            "f": np.where(rng.random(rows) < 0.2, np.nan, rng.normal(size=rows)),
            "i": rng.integers(-1, 3, rows),
            "b": rng.random(rows) < 0.5,
            "s": rng.choice(["", "x", "X ", "2024-01-05", "-999"], rows),
            "d": pl.Series(rng.integers(0, 9, rows)).cast(pl.Date),
            "t": pl.Series(rng.integers(0, 9, rows)).cast(pl.Datetime("us")),
            "y": rng.normal(size=rows) if task == "number" else [str(i % 3) for i in range(rows)],
        }
    )
    if gaps:
        gone = pl.Series(rng.random(rows) < 0.3)
        frame = frame.with_columns(pl.when(gone).then(None).otherwise(pl.exclude("y")).name.keep())
    data = table(frame)
    for finding in inspect(data, roles_of(data)):
        json.dumps(finding.as_dict(), allow_nan=False)
        assert finding.text.endswith(".")
        assert finding.done


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "target", "expected"),
    [
        ("seaborn_small/penguins.csv", "species", set()),
        ("seaborn_small/iris.csv", "species", set()),
        ("seaborn_small/tips.csv", "tip", set()),
        ("seaborn_small/mpg.csv", "mpg", set()),
        ("seaborn_small/taxis.csv", "fare", set()),
        ("titanic/train.csv", "Survived", set()),
        ("uci_small/german.csv", "column_21", set()),
        ("uci_small/abalone.csv", "column_9", set()),
        ("adult/adult-train.csv", "column_15", set()),
        ("california_housing/housing.csv", "median_house_value", {"values-capped"}),
        ("wine_quality/winequality-red.csv", "column_12", {"duplicate-rows"}),
        ("bike_sharing/hour.csv", "cnt", {"answer-is-a-sum", "time-suspected"}),
    ],
)
def test_well_known_data_raises_the_warnings_that_it_deserves(file, target, expected):
    folder = Path(os.environ.get("PRECEPTOR_DATA", Path(__file__).parent.parent.parent / "shared" / "data"))
    if not (folder / file).exists():
        pytest.skip(f"no {file} in {folder}")
    data = read(folder / file)
    data = data.take(usable_rows(data, target)[0])
    found = inspect(data, roles_of(data, target))
    assert {finding.code for finding in found if finding.severity == "warning"} == expected
