"""The course of lessons: remedies are tried on the first fold, judged and told."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import preceptor
from preceptor import recipe
from preceptor.course import Course
from preceptor.finding import Finding
from preceptor.plan import NetPlan, Plan, TrainingPlan
from preceptor.remedy import CURES, change_for, prescribed, remedy_for
from preceptor.report.summary import Narrator
from preceptor.run import Run

FAULT = Finding("overfitting", "warning", "It learns its rows by heart.")
SOWN = {
    **{"rivals": ("forest",), "folds": 1, "minutes": 10.0},
    **{"training": {"epochs": 25}, "net": {"neighbours": 0}},
}
PLAN = {"rivals": ("tree",), "folds": 3, "minutes": 1.0, "training": {"epochs": 4}}


def hills(rows: int = 400) -> pl.DataFrame:
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, 3))
    height = np.sin(2 * x[:, 0]) + x[:, 1] + 0.1 * random.normal(size=rows)
    return pl.DataFrame({**{f"x{place}": x[:, place] for place in range(3)}, "height": height})


@pytest.fixture(scope="module")
def mended(tmp_path_factory):
    """A run whose first fold is said to overfit, once."""
    named = iter([[FAULT]])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("preceptor.course.diagnose", lambda *_, **__: next(named, []))
        return preceptor.fit(hills(), "height", out=tmp_path_factory.mktemp("runs") / "run", **PLAN)


def lesson(**given) -> SimpleNamespace:
    schedule = SimpleNamespace(epochs=10)
    return SimpleNamespace(
        plan=TrainingPlan(learning_rate=0.01),
        shape=NetPlan(dropout=0.1),
        schedule=schedule,
        desk=SimpleNamespace(given=Plan(**given)),
    )


def test_the_remedy_is_tried_and_told_with_both_curves(mended):
    (remedy,) = mended.ledger().of("remedy")
    assert remedy["text"] == "dropout 0.3 → 0.4"
    assert remedy["code"] == "overfitting"
    assert len(remedy["curves"]["before"]) == len(remedy["curves"]["after"]) == 4
    assert remedy["kept"] == (remedy["after"] < remedy["before"])


def test_what_is_kept_is_what_all_folds_are_taught_with_and_what_the_plan_says(mended):
    (remedy,) = mended.ledger().of("remedy")
    plan = Plan.model_validate_json((mended.folder / "plan.json").read_text("utf-8"))
    assert plan.net.dropout == (0.4 if remedy["kept"] else 0.3)
    assert [lesson["fold"] for lesson in mended.ledger().of("train")] == [0, 1, 2]


def test_the_report_draws_the_remedy_before_and_after(mended):
    page = (mended.folder / "report.html").read_text("utf-8")
    assert "Dropout 0.3 → 0.4" in page
    assert "only what the remedy changed is different" in page


def test_the_run_asks_of_the_net_what_there_is_time_for(mended):
    asked = [probe["name"] for probe in mended.ledger().of("probe")]
    known = ["landscape", "data", "learning rate", "bias and variance"]
    assert asked == [name for name in known if name in asked]
    assert "landscape" in asked
    assert "Is its minimum sharp or flat?" in (mended.folder / "report.html").read_text("utf-8")


def test_a_note_a_person_s_own_choice_and_what_was_tried_are_no_remedies():
    note = Finding("overfitting", "note", "Perhaps.")
    assert remedy_for([note], lesson(), set()) is None
    assert remedy_for([FAULT], lesson(net={"dropout": 0.1}), set()) is None
    assert remedy_for([FAULT], lesson(), {"overfitting"}) is None
    assert remedy_for([FAULT], lesson(), set()).change == {"net": {"dropout": 0.2}}


def test_twice_the_epochs_cost_twice_the_lesson():
    longer = Finding("too-few-epochs", "warning", "It still learns.")
    remedy = remedy_for([longer], lesson(), set())
    assert remedy.cost == 2.0
    assert remedy.text == "epochs 10 → 20"


@pytest.mark.parametrize("code", CURES)
def test_a_cure_changes_one_part_of_the_plan_and_is_told_as_the_line_that_makes_it(code):
    ill = lesson()
    ill.plan = TrainingPlan(clip=0.1, augment=("flip",), schedule="step")
    finding = prescribed(Finding(code, "warning", "It is so."), ill)
    assert len(finding.change) == 1
    assert "preceptor.fit(..., " in finding.remedy
    Plan.of(**finding.change)


def test_what_is_so_already_is_no_change():
    ill = lesson()
    ill.plan = TrainingPlan(clip=1.0)
    assert change_for(Finding("clipping-always", "warning", "It is so."), ill) == {}


# ---------------------------------------------------------------- faults sown into the recipe

FAULTS = {
    "learning-rate-too-low": ("_training", {"learning_rate": 1e-6}, "learning_rate"),
    "over-regularised": ("_net", {"dropout": 0.9}, "dropout"),
    "underfitting": ("_net", {"width": 2, "members": 1, "embedding": 1, "dropout": 0.0}, "width"),
}


@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_sown_into_the_recipe_is_named_mended_and_told(code, tmp_path, monkeypatch):
    part, wrong, cause = FAULTS[code]
    good = getattr(recipe, part)
    monkeypatch.setattr(recipe, part, lambda *given: {**good(*given), **wrong})
    for other in ("study.check_net", "study.inquire", "run.write_report"):
        monkeypatch.setattr(f"preceptor.{other}", lambda *_: "")
    run = preceptor.fit(hills(800), "height", out=tmp_path / "run", **SOWN)
    (remedy,) = [event for event in run.ledger().of("remedy") if event["code"] == code]
    assert [cause in fields for fields in remedy["change"].values()] == [True]
    assert remedy["kept"]
    assert remedy["after"] < 0.8 * remedy["before"]
    assert getattr(getattr(run.plan, part[1:]), cause) != wrong[cause]
    (named,) = [finding for finding in run.ledger().of("finding") if finding["code"] == code]
    assert named["done"] == f"{remedy['text'][:1].upper()}{remedy['text'][1:]}: kept."
    lines = [line for event in run.ledger().events for line in Narrator(run.folder).hear(event)]
    assert any("doctor" in line and remedy["text"] in line for line in lines)


def weights(run: Run) -> list[bytes]:
    return [path.read_bytes() for path in sorted((run.folder / "model").rglob("*.safetensors"))]


@pytest.mark.slow
def test_a_mended_run_ends_with_the_same_bits_when_it_is_killed_and_resumed_and_when_its_plan_is_given_back(
    tmp_path, monkeypatch
):
    good, judged = recipe._training, Course._judged
    monkeypatch.setattr(recipe, "_training", lambda *given: {**good(*given), "learning_rate": 1e-6})
    whole = preceptor.fit(hills(800), "height", out=tmp_path / "whole", **SOWN)
    monkeypatch.setattr(Course, "_judged", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        preceptor.fit(hills(800), "height", out=tmp_path / "killed", **SOWN)
    monkeypatch.setattr(Course, "_judged", judged)
    resumed = preceptor.fit(hills(800), resume=tmp_path / "killed")
    monkeypatch.setattr(recipe, "_training", good)
    again = preceptor.fit(hills(800), plan=whole.folder / "plan.json", out=tmp_path / "again")
    told, retold = ([(e["code"], e["kept"]) for e in run.ledger().of("remedy")] for run in (whole, resumed))
    assert told == retold
    assert weights(whole) == weights(resumed) == weights(again)
