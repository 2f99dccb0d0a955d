"""One walk through every room, on embedded real data: read this file to see what preceptor does."""

import polars as pl
import pytest
from run_folders import told

import preceptor
from preceptor.data.read import read
from preceptor.data.samples import sample, samples
from preceptor.explanations import explanation
from preceptor.framing import framed_by
from preceptor.intake import set_apart
from preceptor.look import look_at
from preceptor.plan import Plan
from preceptor.problem import Problem
from preceptor.show import show

PENGUINS = sample("penguins")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tour") / "run"
    return preceptor.fit(
        PENGUINS.path, "species", minutes=0.5, folds=3, out=folder, rivals=("logistic", "tree")
    )


def test_a_file_becomes_a_table_with_every_row_accounted_for():
    table = read(PENGUINS.path)
    assert table.account.read + sum(table.account.left_out.values()) == 344
    assert table.frame["body_mass_g"].dtype.is_numeric()


def test_a_look_recognises_kinds_and_finds_what_is_wrong():
    look = look_at(read(PENGUINS.path), Plan.of(target="species"))
    assert look.roles.kinds["island"] == "category"
    assert "values-missing" in {finding.code for finding in look.findings}
    assert all(explanation(finding.code).text for finding in look.findings)


def test_rows_become_tensors_and_the_sealed_ones_stay_out_of_reach():
    table, plan = read(PENGUINS.path), Plan.of(target="species")
    parts, target = set_apart(table, framed_by(table, plan), look_at(table, plan))
    with pytest.raises(preceptor.errors.Mistake):
        len(parts.sealed)
    assert len(parts.open) + parts.sealed.count == 344
    assert target.outputs == 3
    assert isinstance(Problem([], target), Problem)


def test_show_says_all_that_without_training():
    assert any("Adelie" in line for line in show(PENGUINS.path, Plan.of(target="species")))


def test_a_fit_ends_with_a_verdict_an_interval_and_answers(run):
    assert run.exam["score"] > 0.9
    assert run.exam["verdict"] in ("better", "as_good", "worse")
    answers = run.predict(pl.read_csv(PENGUINS.path).head(3).drop("species"))
    assert answers.columns == ["species", "p(Adelie)", "p(Chinstrap)", "p(Gentoo)"]


def test_page_terminal_and_notebook_tell_the_same_story(run):
    page = run.report.read_text(encoding="utf-8")
    assert "species" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert any(line.strip().startswith("exam") for line in told(run.folder))
    assert "species" in run._repr_html_()


def test_every_embedded_set_can_be_read():
    assert all(set(read(one.path).frame.columns) >= {one.target} for one in samples().values())
