import hashlib
import json
import signal
import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest

import preceptor
from preceptor import Run
from preceptor.errors import Mistake

QUICK = {"rivals": ("tree",), "folds": 1, "minutes": 1.0, "training": {"epochs": 3}}


def flats(rows=240, seed=0):
    """A small table with every kind of column, and a price that depends on three of them."""
    rng = np.random.default_rng(seed)
    area, town = rng.uniform(30, 200, rows), rng.choice(["Ulm", "Bonn", "Jena"], rows)
    price = 2000 * area + 30_000 * (town == "Bonn") + rng.normal(0, 10_000, rows)
    return pl.DataFrame(
        {
            "id": [f"f-{n:05}" for n in rng.permutation(rows)],
            "area": area.round(1),
            "town": town,
            "sold": pl.Series(np.datetime64("2020-01-01") + rng.integers(0, 900, rows)).cast(pl.Date),
            "price": price.round(0),
            "dear": np.where(price > np.median(price), "yes", "no"),
        }
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    flats().drop("dear").write_csv(folder / "flats.csv")
    return preceptor.fit(folder / "flats.csv", "price", out=folder / "run", **QUICK)


def digest(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / "model").iterdir())
        if path.suffix in (".safetensors", ".json")
    }


def test_a_run_leaves_everything_that_the_design_promises(run):
    names = {path.name for path in run.folder.iterdir()}
    promised = {
        "plan.json",
        "data.json",
        "ledger.jsonl",
        "history.parquet",
        "model",
        "result.json",
        "report.html",
    }
    assert promised <= names


def test_the_result_holds_the_contract_that_other_programs_read(run):
    exam = run.exam
    assert (exam["task"], exam["target"], exam["metric"]) == ("number", "price", "rmse")
    assert exam["higher_is_better"] is False
    assert exam["interval"][0] < exam["score"] < exam["interval"][1]
    assert exam["verdict"] in ("better", "as_good", "worse", "chance")
    assert exam["openings"] == 1
    rows = exam["rows"]
    assert rows["train"] + rows["validation"] + rows["test"] + rows["dropped"] == rows["read"] == 240


def test_the_seal_is_broken_after_the_choice_and_before_the_exam(run):
    events = [event["event"] for event in run.ledger().events]
    assert events.index("candidates") < events.index("opening") < events.index("exam")
    assert events.count("opening") == 1


def test_answers_keep_the_order_and_the_ids_and_need_no_target(run, tmp_path):
    new = flats(20, seed=1)
    new.drop("price", "dear").write_csv(tmp_path / "new.csv")
    answers = run.predict(tmp_path / "new.csv")
    assert answers["id"].to_list() == new["id"].to_list()
    assert np.corrcoef(answers["price"], new["price"])[0, 1] > 0.8


def test_extra_columns_unseen_values_and_retyped_ones_are_answered_all_the_same(run):
    odd = flats(6, seed=2).with_columns(
        town=pl.Series(["Rome", None, "Ulm", "Ulm", "", "Bonn"]),
        area=pl.Series(["50", "sixty", None, "70.5", "1e3", "80"]),
        extra=pl.lit("x"),
    )
    answers, notes = run.answer(odd)
    assert np.isfinite(answers["price"].to_numpy()).all()
    assert any("extra" in note for note in notes)


def test_a_missing_column_is_named_with_the_nearest_one_that_is_there(run):
    with pytest.raises(Mistake, match="'area'") as caught:
        run.predict(flats(5).rename({"area": "Area2"}))
    assert "Area2" in caught.value.todo


def test_answers_come_out_the_same_one_by_one(run):
    new = flats(5, seed=3)
    whole = run.predict(new)["price"].to_numpy()
    single = [run.predict(new[row : row + 1])["price"].item() for row in range(5)]
    assert whole == pytest.approx(single, rel=1e-4)


def test_a_second_fit_in_one_folder_is_refused_and_nothing_is_lost(run):
    before = (run.folder / "ledger.jsonl").read_bytes()
    with pytest.raises(Mistake) as caught:
        preceptor.fit(flats(), "price", out=run.folder)
    assert caught.value.code == "run-exists"
    assert (run.folder / "ledger.jsonl").read_bytes() == before


def test_a_folder_that_is_no_run_is_named_as_such(tmp_path):
    with pytest.raises(Mistake) as caught:
        Run(tmp_path)
    assert caught.value.code == "not-a-run"


def test_a_model_of_another_version_is_refused(run, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(run.folder, copy)
    path = copy / "model" / "predictor.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
    with pytest.raises(Mistake) as caught:
        Run(copy).predict(flats(5))
    assert caught.value.code == "model-version"


def test_a_plan_given_back_repeats_the_run_to_the_bit(run, tmp_path):
    again = preceptor.fit(
        run.folder.parent / "flats.csv", plan=run.folder / "plan.json", out=tmp_path / "again"
    )
    assert digest(again.folder) == digest(run.folder)
    assert again.exam["score"] == run.exam["score"]


def test_the_seal_can_be_broken_again_only_on_purpose_and_it_is_confessed(run, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(run.folder, copy)
    with pytest.raises(Mistake):
        Run(copy).examine()
    mark = Run(copy).examine(again=True, reason="a test")
    assert mark.score == pytest.approx(run.exam["score"])
    assert Run(copy).exam["openings"] == 2


@pytest.mark.parametrize("target", ["dear", "town"])
def test_classes_are_answered_with_probabilities(tmp_path, target):
    run = preceptor.fit(flats().drop("price"), target, out=tmp_path / "run", **QUICK)
    answers = run.predict(flats(10, seed=4).drop("price"))
    shares = answers.select(name for name in answers.columns if name.startswith("p("))
    assert shares.sum_horizontal().to_list() == pytest.approx([1] * 10)
    assert set(answers[target].to_list()) <= set(flats()[target].to_list())


def test_tags_are_learnt_and_answered(tmp_path):
    frame = flats().drop("dear", "price")
    large = pl.when(pl.col("area") > 100).then(pl.lit("large")).otherwise(pl.lit("small"))
    frame = frame.with_columns(tags=large + "|" + pl.col("town"))
    run = preceptor.fit(frame, "tags", out=tmp_path / "run", kinds={"tags": "tags"}, **QUICK)
    assert run.exam["task"] == "tags"


def test_random_labels_are_no_better_than_chance(tmp_path):
    rng = np.random.default_rng(5)
    frame = pl.DataFrame(
        {"a": rng.normal(size=400), "b": rng.normal(size=400), "y": rng.choice(["u", "v"], 400)}
    )
    run = preceptor.fit(frame, "y", out=tmp_path / "run", **{**QUICK, "folds": 2})
    assert run.exam["verdict"] == "chance"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (flats().head(1), "too-few-rows"),
        (flats().with_columns(price=pl.lit(1.0)), "target-constant"),
        (flats().with_columns(price=pl.lit(None, pl.Float64)), "target-empty"),
        (flats().select("price"), "no-inputs"),
        (flats().select(pl.lit(1).alias("one"), "price"), "no-inputs"),
    ],
)
def test_data_that_teach_nothing_are_refused_by_name(tmp_path, frame, code):
    with pytest.raises(Mistake) as caught:
        preceptor.fit(frame, "price", out=tmp_path / "run", **QUICK)
    assert caught.value.code == code


def test_an_absent_target_is_answered_with_the_nearest_name(tmp_path):
    with pytest.raises(Mistake, match="prise") as caught:
        preceptor.fit(flats(), "prise", out=tmp_path / "run")
    assert "price" in caught.value.todo
    assert not (tmp_path / "run").exists()


def test_time_and_groups_reach_the_split(tmp_path):
    frame = flats().drop("dear").with_columns(house=pl.Series(np.arange(240) // 4).cast(pl.String))
    by_time = preceptor.fit(frame, "price", time="sold", out=tmp_path / "time", **QUICK)
    by_group = preceptor.fit(frame, "price", group="house", out=tmp_path / "group", **QUICK)
    assert "latest" in by_time.ledger().of("split")[0]["how"]
    assert "house" in by_group.ledger().of("split")[0]["how"]


def started(folder, epochs):
    """A fit in a process of its own, to be killed."""
    plan = {**QUICK, "training": {"epochs": epochs, "patience": epochs}, "target": "price"}
    (folder / "plan.json").write_text(json.dumps(plan))
    code = "import sys; from preceptor.cli import main; main()"
    run = [
        "fit",
        str(folder / "flats.csv"),
        "--plan",
        str(folder / "plan.json"),
        "--out",
        str(folder / "run"),
    ]
    return subprocess.Popen(
        [sys.executable, "-c", code, *run], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )


def test_ctrl_c_ends_early_with_a_model_and_a_report(tmp_path):
    flats().drop("dear").write_csv(tmp_path / "flats.csv")
    process = started(tmp_path, epochs=100_000)
    ledger = tmp_path / "run" / "ledger.jsonl"
    wait_for(lambda: ledger.exists() and '"schedule"' in ledger.read_text())
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert (tmp_path / "run" / "report.html").exists()
    assert np.isfinite(Run(tmp_path / "run").predict(flats(5))["price"].to_numpy()).all()


def wait_for(event, seconds=60):
    end = time.monotonic() + seconds
    while not event():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.mark.slow
def test_a_run_killed_at_twenty_random_moments_ends_with_the_same_bits(tmp_path):
    flats().drop("dear").write_csv(tmp_path / "flats.csv")
    rng = np.random.default_rng(0)
    whole = preceptor.fit(
        tmp_path / "flats.csv",
        "price",
        out=tmp_path / "whole",
        **{**QUICK, "training": {"epochs": 300, "patience": 300}},
    )
    for moment in range(20):
        folder = tmp_path / f"killed-{moment}"
        folder.mkdir()
        plan = ["--plan", str(whole.folder / "plan.json")]
        code = "import sys; from preceptor.cli import main; main()"
        fit = [
            sys.executable,
            "-c",
            code,
            "fit",
            str(tmp_path / "flats.csv"),
            *plan,
            "--out",
            str(folder / "run"),
        ]
        process = subprocess.Popen(fit, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_for(lambda folder=folder: (folder / "run" / "ledger.jsonl").exists())
        time.sleep(rng.uniform(0, whole.exam["seconds"]))
        process.kill()
        process.wait()
        if not (folder / "run" / "result.json").exists():
            preceptor.fit(resume=folder / "run")
        assert digest(folder / "run") == digest(whole.folder)


def test_folds_that_encode_differently_are_saved_each_with_its_own_net(tmp_path):
    holes = (
        flats()
        .drop("dear")
        .with_columns(area=pl.when(pl.int_range(pl.len()) == 7).then(None).otherwise("area"))
    )
    run = preceptor.fit(holes, "price", out=tmp_path / "run", **{**QUICK, "folds": 3, "rivals": ()})
    assert np.isfinite(run.predict(flats(5, seed=6))["price"].to_numpy()).all()


def test_a_table_without_ids_is_answered_with_the_target_alone(tmp_path):
    run = preceptor.fit(flats().drop("id", "dear"), "price", out=tmp_path / "run", **QUICK)
    assert run.predict(flats(5, seed=7).drop("id")).columns == ["price"]


def test_a_dozen_rows_and_names_that_look_like_patterns_are_learnt_from_all_the_same(tmp_path):
    frame = pl.DataFrame(
        {"^x$": np.arange(12.0), "p(1)": np.arange(12.0) % 5, "Ünï*": np.arange(12.0) * 2 + 1}
    )
    run = preceptor.fit(frame, "Ünï*", out=tmp_path / "run", minutes=0.5)
    assert run.predict(frame.drop("Ünï*")).columns == ["Ünï*"]


def test_a_run_resumed_on_changed_data_is_refused_and_keeps_its_ledger(tmp_path):
    flats().drop("dear").write_csv(tmp_path / "flats.csv")
    process = started(tmp_path, epochs=100_000)
    ledger = tmp_path / "run" / "ledger.jsonl"
    wait_for(lambda: ledger.exists() and '"split"' in ledger.read_text())
    process.kill()
    process.wait()
    kept = [line for line in ledger.read_text().split("\n") if line and '"rival"' not in line]
    ledger.write_text("\n".join(kept[:3]) + "\n")
    flats(seed=9).drop("dear").write_csv(tmp_path / "flats.csv")
    with pytest.raises(Mistake) as caught:
        preceptor.fit(resume=tmp_path / "run")
    assert caught.value.code == "data-changed"
    assert len(ledger.read_text().split("\n")) == 4


LOADED = """
import importlib, sys, torch

def packages():
    parts = [name.split(".") for name in sys.modules]
    return {".".join(one[: 2 if one[0] == "torch" else 1]) for one in parts} - set(sys.stdlib_module_names)

known = packages()
importlib.import_module(sys.argv[1])
print(*(name for name in packages() - known if not name.startswith(("_", "cython"))))
"""
FEW = {
    "annotated_types",
    "preceptor",
    "psutil",
    "pydantic",
    "pydantic_core",
    "safetensors",
    "typing_inspection",
}
MORE = {"polars", "PIL", "narwhals", "packaging", "tokenizers", "zstandard"}


@pytest.mark.parametrize(("door", "may"), [("preceptor.run", FEW), ("preceptor.answering", FEW | MORE)])
def test_a_door_loads_little_more_than_torch(door, may):
    done = subprocess.run([sys.executable, "-c", LOADED, door], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= may
