"""The report: whatever a run left behind becomes a whole page that a person can read."""

import itertools
import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import polars as pl
import pytest
from run_folders import METRICS, RIVALS, STAGES, RunFolder, told

from preceptor.report import notebook_html, page, write_report
from preceptor.report.page import questions
from preceptor.report.record import Record
from preceptor.report.sentences import joined, name, say
from preceptor.report.summary import Narrator
from preceptor.report.verdict import Verdict
from preceptor.report.yardstick import Yardstick

QUESTIONS = [
    "How good is it really?",
    "Why did it do that?",
    "When does it succeed, when does it fail?",
    "When can I trust it?",
    "How do I correct it?",
    "What did it cost?",
]
VERDICTS = ["better", "as_good", "worse", "chance"]
EMPTY = re.compile(r"\b(nan|None|inf|undefined|null|NaN)\b")
VOID = {"meta", "br", "path", "line", "rect", "link", "img", "image"}


class Reader(HTMLParser):
    """Reads a page as a browser does: its words, its tags, its sections, and whether all is closed."""

    def __init__(self, html: str):
        super().__init__()
        self.open, self.tags, self.words, self.sections, self.ids, self.links = [], [], [], {}, [], []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.append((tag, given))
        self.ids += [given["id"]] if "id" in given else []
        self.links += [value for key, value in attributes if key in ("src", "href", "xlink:href")]
        if tag == "section":
            self.section = self.sections.setdefault(given["id"], [])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "text", "title"):
            self.words.append(data)
            if "section" in self.open:
                self.section.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def count(self, tag: str) -> int:
        return sum(found == tag for found, _ in self.tags)


@pytest.fixture
def quick(monkeypatch):
    """Charts are made but not drawn: drawing is what takes the time, and has its own tests."""

    def sketch(figure, width):
        figure.draw(width)
        return "<svg><path/></svg>"

    monkeypatch.setattr(page, "drawn", sketch)


def read(folder) -> Reader:
    return Reader(write_report(folder).read_text(encoding="utf-8"))


def whole(reader: Reader) -> None:
    """A page is whole when all questions are answered, nothing reads like a hole, nothing is fetched."""
    assert [q for q in QUESTIONS if q in reader.text] == QUESTIONS
    for words in reader.sections.values():
        answer = "".join(words).split("?", 1)[1].strip()
        assert re.match(r"[A-Z0-9].{20,}", answer, re.DOTALL)
    assert not EMPTY.search(reader.text), EMPTY.search(reader.text)
    assert "{" not in reader.text
    assert reader.count("figure") * 2 == reader.count("svg")
    assert all(link.startswith("#") for link in reader.links)
    assert len(set(reader.ids)) == len(reader.ids)
    assert reader.count("script") == 0


# ---------------------------------------------------------------------------------------- every run


@pytest.mark.parametrize(("task", "verdict"), list(itertools.product(METRICS, VERDICTS)))
def test_every_task_with_every_verdict_becomes_a_whole_page(tmp_path, quick, task, verdict):
    turn = list(METRICS).index(task) + VERDICTS.index(verdict)
    shipped = ["net", "blend", "forest", "dumb"][turn % 4]
    whole(read(RunFolder(tmp_path, task=task, verdict=verdict, shipped=shipped, rows=300, epochs=4).write()))


@pytest.mark.parametrize(("until", "stopped"), list(itertools.product(STAGES, [True, False])))
def test_a_run_that_got_no_further_than_a_stage_says_what_is_missing_and_why(tmp_path, quick, until, stopped):
    reader = read(RunFolder(tmp_path, until=until, stopped=stopped, rows=300, epochs=4).write())
    whole(reader)
    if until not in ("exam", "cost"):
        assert "No verdict" in reader.text
        assert ("stopped in the stage “train”" if stopped else "the run has come to") in reader.text


def test_an_empty_run_folder_still_becomes_a_page(tmp_path, quick):
    (tmp_path / "ledger.jsonl").write_text("")
    whole(read(tmp_path))


@pytest.mark.parametrize("task", METRICS)
def test_the_page_is_one_small_file_with_real_pictures_that_loads_nothing(tmp_path, task):
    folder = RunFolder(tmp_path, task=task, rows=700, epochs=12).write()
    path = write_report(folder)
    html = path.read_text(encoding="utf-8")
    reader = Reader(html)
    whole(reader)
    assert path.stat().st_size < 1_000_000
    assert reader.count("figure") >= 6
    assert len(list((folder / "figures").glob("*.svg"))) == reader.count("figure")
    fetched = re.findall(r"(?:url\(|@import|https?:)[^\"') ]*", html)
    assert set(fetched) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink", "http:", "url("}
    assert "prefers-color-scheme:dark" in html
    assert "@media print" in html


def test_words_from_the_data_stay_words(tmp_path):
    evil = "<script>alert('x')</script>&amp;\"{{ 7*7 }}\n€ 漢字 🙂"
    columns = [f"{evil}{'very ' * 30}long {n}" for n in range(10)]
    finding = {
        "code": evil,
        "severity": "warning",
        "text": evil,
        "done": evil,
        "remedy": evil,
        "column": evil,
    }
    folder = RunFolder(
        tmp_path,
        task="two-class",
        target=evil,
        columns=columns,
        classes=[evil, "b)"],
        findings=[finding],
        rows=400,
    ).write()
    reader = read(folder)
    assert reader.count("script") == 0
    assert "{{ 7*7 }}" in reader.text
    assert "<script>alert" in reader.text
    assert "<script" not in notebook_html(folder)


def test_no_findings_and_very_many_findings_are_both_told(tmp_path, quick):
    none = read(RunFolder(tmp_path / "none", findings=[], rows=200).write())
    assert "Nothing is wrong that preceptor could see" in none.text
    many = [{"code": f"odd-{n}", "severity": "warning", "text": f"Column {n} is odd."} for n in range(40)]
    told = read(RunFolder(tmp_path / "many", findings=many, rows=200).write())
    assert "40 things are worth a look" in told.text
    assert "34 more findings" in told.text
    assert all(f"Column {n} is odd." in told.text for n in range(40))


def test_numbers_that_are_not_there_leave_no_hole(tmp_path, quick):
    folder = RunFolder(tmp_path, rows=40, epochs=1, folds=1).write()
    lines = [json.loads(line) for line in (folder / "ledger.jsonl").read_text().splitlines()]
    for line in lines:
        for key in ("interval", "difference", "peak_memory_mb", "energy_wh", "expected"):
            line.pop(key, None)
        line.update({"best_epoch": None} if line["event"] == "train" else {})
        for entry in line.get("list", []) + line.get("rivals", []):
            entry.update(
                interval=None, score=float("nan") if entry.get("name") == "linear" else entry.get("score")
            )
    (folder / "ledger.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    answers = pl.read_parquet(folder / "exam.parquet").with_columns(
        score=pl.when(pl.int_range(pl.len()) < 5).then(float("nan")).otherwise("score")
    )
    answers.write_parquet(folder / "exam.parquet")
    whole(read(folder))


def test_one_sealed_row_is_enough_for_a_page(tmp_path, quick):
    for task in METRICS:
        whole(read(RunFolder(tmp_path / task, task=task, rows=1).write()))


def test_a_finding_whose_code_is_known_is_explained_on_the_page(tmp_path, quick):
    finding = {"code": "file-empty", "severity": "warning", "text": "The file is empty."}
    folder = RunFolder(tmp_path, findings=[finding], rows=100).write()
    assert "The file is empty" in read(folder).text
    assert "preceptor explain" in read(folder).text


@pytest.mark.slow
def test_a_million_sealed_rows_make_a_page_like_any_other(tmp_path):
    for task in METRICS:
        path = write_report(RunFolder(tmp_path / task, task=task, rows=1_000_000).write())
        assert path.stat().st_size < 1_000_000


# ------------------------------------------------------------------------------------- what is said


def headline(folder) -> str:
    return str(Verdict(Record.read(folder)).headline.striptags()).replace("\u00a0", " ")


def test_the_verdict_is_one_plain_sentence(tmp_path):
    def said(**run):
        return headline(RunFolder(tmp_path / "-".join(run.values()), rows=300, epochs=3, **run).write())

    assert said(task="number", verdict="better", shipped="blend") == (
        "preceptor’s prediction of median_house_value is typically off by 42,900 (41,700 to 44,100), "
        "better than the best rival, boosting, by 3,900."
    )
    assert said(task="number", verdict="as_good", shipped="net").endswith(
        ", as good as the best rival, boosting: what lies between them may be luck."
    )
    assert said(task="number", verdict="worse", shipped="boosting").endswith(
        " (45,500 to 48,100). The answers come from boosting; the network did worse, by 3,900."
    )
    assert said(task="two-class", verdict="better", shipped="net") == (
        "Given one row with median_house_value “<=50K” and one with “>50K”, preceptor tells which is which "
        "92.9 times in 100 (92.3 to 93.5), better than the best rival, boosting, by 1.2 percentage points."
    )
    assert said(task="many-class", verdict="chance", shipped="dumb") == (
        "No better than chance: these inputs do not tell median_house_value."
    )
    assert said(task="many-class", verdict="worse", shipped="net").endswith("by 1.2 percentage points.")


def test_a_rival_that_answers_is_told_apart_from_the_network_it_beat(tmp_path):
    folder = RunFolder(tmp_path, verdict="worse", shipped="boosting", rows=50).write()
    assert told(folder)[-1].endswith("; the network is worse by 3,900 [3,100 to 4,700]")
    text = read(folder).text
    assert "the network50,700" in text
    assert "best rival" not in text


def test_who_answers_is_named(tmp_path):
    def shipped(name):
        return Verdict(Record.read(RunFolder(tmp_path / name, shipped=name, rows=50).write())).shipped

    assert shipped("blend") == "a blend of neural network (70 %) and boosting (30 %)".replace(" %", "\u00a0%")
    assert shipped("net") == "the neural network"
    assert shipped("forest") == "forest"
    assert shipped("dumb") == "guessing (always the same)"


def test_a_second_look_behind_the_seal_is_confessed(tmp_path, quick):
    once, twice = (read(RunFolder(tmp_path / f"{n}", openings=n, rows=99).write()).text for n in (1, 2))
    assert "opened once" in once
    assert "opened 2 times" in twice
    assert "curiosity" in twice


def test_a_failed_check_stands_in_the_open(tmp_path, quick):
    folder = RunFolder(tmp_path, rows=99).write()
    with (folder / "ledger.jsonl").open("a") as file:
        check = {"name": "one-batch", "passed": False, "text": "does not overfit 64 rows"}
        file.write(json.dumps({"event": "check", "at": "", "seconds": 300, **check}) + "\n")
    text = read(folder).text
    assert "1 of 4 checks before training failed" in text
    assert "✗does not overfit 64 rows" in text.replace("✗ ", "✗")


def test_answers_agree_with_the_rows_behind_them(tmp_path):
    folder = RunFolder(tmp_path, task="two-class", rows=2000).write()
    answers = pl.read_parquet(folder / "exam.parquet")
    right = 100 * (answers["truth"] == answers["answer"]).mean()
    told = questions(Record.read(folder))[0].answer.striptags()
    assert abs(float(re.search(r"answers about ([\d.]+) rightly", told)[1]) - right) < 0.6


def test_a_resumed_run_that_repeats_itself_is_told_once(tmp_path, quick):
    folder = RunFolder(tmp_path, rows=99).write()
    ledger = folder / "ledger.jsonl"
    lines = ledger.read_text().splitlines()
    again = [line for line in lines if json.loads(line)["event"] in ("rival", "check", "finding", "train")]
    ledger.write_text("\n".join([*lines[:5], *again, *lines[5:]]) + "\n")
    record = Record.read(folder)
    assert len(record.findings) == 3
    assert len(record.latest("rival", "name")) == len(RIVALS)
    assert "How five nets were trained" in read(folder).text


def test_a_metric_is_said_in_its_unit():
    price = Yardstick.of("number", "rmse", "price")
    assert price.said(42913.0, (41700, 44200)) == "42,900"
    assert price.axis == "typical error, in units of price"
    auc = Yardstick.of("two-class", "roc_auc", "income")
    assert auc.said(0.92716, (0.924, 0.930)) == "92.7\u00a0%"
    assert auc.gap(0.012, (0.010, 0.014)) == "1.2 percentage points"
    assert auc.worse_by(0.1, (0.09, 0.11)) == "falls by 10.0 percentage points"
    assert price.worse_by(5000, (4000, 6000)) == "grows by 5,000"
    strange = Yardstick.of("number", "pinball", "price", "pinball loss", higher=False)
    assert (strange.said(0.1234), strange.short, strange.plain) == ("0.123", "pinball loss", "")


def test_sentences_escape_what_is_filled_in():
    assert say("{a} & so", a="<b>") == "&lt;b&gt; & so"
    assert joined([name("<a>"), name("b"), name("c")]) == (
        '<b class="name">&lt;a&gt;</b>, <b class="name">b</b> and <b class="name">c</b>'
    )


# ------------------------------------------------------------------------------ terminal and notebook


def test_the_terminal_tells_the_same_story_one_aligned_line_a_stage(tmp_path):
    folder = RunFolder(tmp_path, rows=300).write()
    lines = told(folder)
    assert lines[0].startswith("houses.csv · 20,640 rows, 10 inputs -> median_house_value (number)")
    stages = [line[2:10].strip() for line in lines[1:] if line[2:10].strip()]
    assert stages == ["data", "split", "rivals", "checks", "train", "doctor", "choice", "exam"]
    assert all(line.startswith("  ") and line[10:12] == "  " and line[12] != " " for line in lines[1:])
    assert all(len(line) <= 110 for line in lines[1:])
    assert "  rivals    always the same 115,000 · linear 68,100 · forest 49,300 · boosting 46,800" in lines
    assert lines[-1].endswith(
        "typical error 42,900 [41,700 to 44,100]; better than boosting by 3,900 [3,100 to 4,700]"
    )


@pytest.mark.parametrize("task", METRICS)
@pytest.mark.parametrize("verdict", VERDICTS)
def test_the_terminal_tells_every_verdict(tmp_path, task, verdict):
    line = told(RunFolder(tmp_path, task=task, verdict=verdict, rows=30).write())[-1]
    words = {"better": "better than", "worse": "worse than", "as_good": "as good as", "chance": "than chance"}
    assert words[verdict] in " ".join(line.split())


def test_a_line_is_told_when_its_stage_is_over_and_only_once(tmp_path):
    folder = RunFolder(tmp_path, rows=30).write()
    narrator, heard = Narrator(folder), []
    for event in Record.read(folder).events:
        heard.append((event["event"], narrator.hear(event)))
    rivals = [n for n, (_, lines) in enumerate(heard) if any("  rivals" in line for line in lines)]
    assert len(rivals) == 1
    assert heard[rivals[0]][0] == "check"


def test_every_single_event_can_be_told_alone(tmp_path):
    for event in Record.read(RunFolder(tmp_path, rows=30, stopped=True).write()).events:
        narrator = Narrator()
        assert all(line.strip() for line in [*narrator.hear(event), *narrator.close()])
    assert narrator.hear({"event": "report", "path": "1/report.html"}) == ["  report    1/report.html"]
    assert narrator.hear({"event": "decision", "key": "pace", "value": 1}) == []


def test_a_stopped_run_says_so_in_the_terminal(tmp_path):
    lines = told(RunFolder(tmp_path, until="train", stopped=True).write())
    assert lines[-1].startswith("  stopped   in the stage “train”")


def test_the_notebook_tells_the_verdict_and_all_six_answers(tmp_path):
    folder = RunFolder(tmp_path, rows=300).write()
    reader = Reader(notebook_html(folder))
    assert all(question in reader.text for question in QUESTIONS)
    assert "typically off by 42,900" in reader.text.replace("\u00a0", " ")
    assert not EMPTY.search(reader.text)


def test_the_terminal_s_words_load_no_charts():
    script = (
        "import sys, preceptor.report.summary; sys.exit('altair' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
