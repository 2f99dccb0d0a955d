"""What a doctor found, as a page of its own and in the report: sentences, picture, what else it could be."""

import json
import re

import pytest
from run_folders import RunFolder
from test_report import Reader

from preceptor.finding import Finding
from preceptor.report import page, write_findings, write_report

FIRST = Finding(
    "learning-rate-too-high",
    "warning",
    "After 60 steps at a learning rate of 1 the loss is at infinity. The steps jump over the valley.",
    evidence={"rate": 1.0, "better_rate": 0.01, "now": None, "trial": 0.12, "also": ["dead-units"]},
    remedy="Set lr=0.01, or warm up to it over the first steps.",
)
SECOND = Finding(
    "dead-units",
    "warning",
    "In layer '1' 94% of the ReLU units are 0 for every probe row at step 60. No gradient passes.",
    layer="1",
    evidence={"step": 60, "dead": 0.94},
    remedy="Lower the learning rate.",
)
QUIET = Finding("one-batch", "note", "It learns slowly.", evidence={"first": 1.0, "last": 0.4, "share": 0.4})


@pytest.fixture
def quick(monkeypatch):
    """Charts are made but not drawn."""

    def sketch(figure, width):
        figure.draw(width)
        return "<svg><path/></svg>"

    monkeypatch.setattr(page, "drawn", sketch)


def test_the_page_leads_with_the_likeliest_cause_and_folds_the_notes(tmp_path, quick):
    path = write_findings([FIRST, SECOND, QUIET], tmp_path / "findings.html")
    reader = Reader(path.read_text("utf-8"))
    assert "<h1>The learning rate is too high</h1>" in path.read_text("utf-8")
    assert "The likeliest of two things that are wrong" in reader.text
    assert "What else it could be: dead ReLUs." in reader.text
    assert "What you can do: Set lr=0.01" in reader.text
    assert "One quiet note" in reader.text
    assert reader.count("figure") == 3
    assert reader.count("svg") == 6
    assert len(set(reader.ids)) == len(reader.ids)


def test_the_page_is_one_file_that_loads_nothing_and_runs_nothing(tmp_path):
    html = write_findings([FIRST, SECOND], tmp_path / "findings.html").read_text("utf-8")
    reader = Reader(html)
    assert reader.count("script") == 0
    assert reader.links == []
    assert set(re.findall(r"https?:[^\"') ]*", html)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert "prefers-color-scheme:dark" in html
    assert len(html) < 200_000
    assert "diverged" in html


@pytest.mark.parametrize(
    ("findings", "says"),
    [
        ([], "Nothing is wrong that the doctor could see"),
        ([QUIET], "A symptom without harm is a note"),
        ([SECOND], "The one thing that is wrong"),
    ],
)
def test_few_findings_are_told_too(tmp_path, quick, findings, says):
    assert says in Reader(write_findings(findings, tmp_path / "f.html").read_text("utf-8")).text


def test_words_of_a_finding_stay_words(tmp_path, quick):
    evil = Finding("dead-units", "error", "<script>{{ 7 }}", layer="<b>", evidence={"dead": 0.9})
    reader = Reader(write_findings([evil], tmp_path / "f.html").read_text("utf-8"))
    assert reader.count("script") == 0
    assert "<script>{{ 7 }}" in reader.text


def test_the_report_draws_its_findings_where_it_says_how_to_correct_them(tmp_path, quick):
    told = [{**one.as_dict()} for one in (FIRST, SECOND, QUIET)]
    html = write_report(RunFolder(tmp_path, findings=told, rows=99).write()).read_text("utf-8")
    section = html[html.index('<section id="correct"') : html.index('<section id="cost"')]
    assert [name for name in re.findall(r'<figure id="(finding-[a-z-]+-\d)"', section)] == [
        "finding-learning-rate-too-high-1",
        "finding-dead-units-2",
        "finding-one-batch-3",
    ]
    assert "What else it could be" in section


def test_a_reason_to_doubt_the_score_stands_where_trust_is_asked_for(tmp_path, quick):
    leak = {"code": "answer-given-away", "severity": "warning", "text": "Column x gives it away."}
    folders = [
        RunFolder(tmp_path / n, findings=found, rows=99).write() for n, found in (("a", [leak]), ("b", []))
    ]
    doubt, none = (Reader(write_report(folder).read_text("utf-8")) for folder in folders)
    assert "a reason to doubt it" in "".join(doubt.sections["trust"])
    assert "a reason to doubt it" not in "".join(none.sections["trust"])


def test_several_remedies_have_a_picture_each(tmp_path, quick):
    folder = RunFolder(tmp_path, rows=99).write()
    curves = {"before": [3.0, 2.0, 2.5], "after": [3.0, 1.5, 1.4]}
    with (folder / "ledger.jsonl").open("a") as ledger:
        for text, kept in (("dropout 0.1 → 0.2", True), ("width 64 → 128", False)):
            facts = {"code": "x", "text": text, "metric": "rmse", "before": 2.0, "after": 1.4, "kept": kept}
            ledger.write(
                json.dumps({"event": "remedy", "at": "", "seconds": 1, "curves": curves, **facts}) + "\n"
            )
    html = write_report(folder).read_text("utf-8")
    titles = re.findall(r'<figure id="remedy-\d">\s*<figcaption><h3>([^<]*)', html)
    assert titles == ["Dropout 0.1 → 0.2: 2.00 → 1.40, kept", "Width 64 → 128: 2.00 → 1.40, taken back"]
