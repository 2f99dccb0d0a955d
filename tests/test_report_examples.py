"""The report shows pictures and words: every exhibit becomes blocks that are whole, told, and bounded."""

import json
import re

import pytest
from exhibits import WORDS, picture_exhibit, text_exhibit, write_exhibits
from run_folders import RunFolder
from test_report import EMPTY, Reader, headline, quick

from preceptor.report import write_report
from preceptor.report.summary import Narrator

__all__ = ["quick"]
ANIMALS = ["cat", "dog", "frog", "ship"]


def pictured(folder, names=None, task="many-class", **more):
    names = names or ANIMALS
    folder = RunFolder(folder, task=task, classes=names, rows=300, epochs=3, **more).write()
    write_exhibits(folder, picture_exhibit(names), kind="image")
    return folder


def worded(folder, names=("ham", "spam")):
    folder = RunFolder(folder, task="two-class", classes=list(names), rows=300, epochs=3).write()
    write_exhibits(folder, text_exhibit(list(names)), kind="text")
    return folder


def read(folder) -> Reader:
    return Reader(write_report(folder).read_text(encoding="utf-8"))


def images(reader: Reader) -> list[dict]:
    return [given for tag, given in reader.tags if tag == "img"]


def test_pictures_stand_in_the_page_itself_and_every_one_is_told_in_words(tmp_path, quick):
    reader = read(pictured(tmp_path))
    assert len(images(reader)) > 60
    assert all(given["src"].startswith("data:image/") for given in images(reader))
    assert all(len(given["alt"]) > 3 for given in images(reader))
    assert not EMPTY.search(reader.text)
    assert reader.count("script") == 0


def test_mistakes_are_shown_with_truth_answer_and_how_sure_it_was(tmp_path, quick):
    text = read(pictured(tmp_path)).text.replace("\u00a0", " ")
    assert "Its gravest mistake: cat, taken for dog, 90 % sure" in text
    assert "cat, rightly, 90 % sure" in text
    assert "Where the net looked for its answer" in text
    assert "8 patterns of 3 × 3 pixels" in text
    assert "4 of 4 nearest examples are of the class it said" in text
    assert "How pictures were changed while it learnt" in text


def test_a_few_classes_become_a_matrix_of_pictures_and_many_become_pairs(tmp_path, quick):
    few = read(pictured(tmp_path / "few"))
    assert [given.get("class") for tag, given in few.tags if tag == "figure"].count("crossing") == 1
    assert "confusion" not in few.ids  # the same is not shown twice
    many = read(pictured(tmp_path / "many", [f"class {n}" for n in range(30)]))
    assert "class 0 taken for class 1, 50 times" in many.text
    assert "confusion" in many.ids


def test_words_are_shaded_by_what_hangs_on_them_and_the_shades_are_explained(tmp_path, quick):
    html = write_report(worded(tmp_path)).read_text(encoding="utf-8")
    assert '<mark class="for s5">won</mark>' in html
    assert '<mark class="against s3">have</mark>' in html
    assert "argues against it" in html
    assert "<b>prize" not in html
    shown = re.search(r'<p class="words">(<mark[^>]*>you.*?)</p>', html)[1]
    assert Reader(f"<p>{shown}</p>").text == WORDS  # no letter is lost or doubled by the shading
    reader = Reader(html)
    assert "(no text)" in reader.text
    assert not EMPTY.search(reader.text)


def test_the_words_that_argue_most_are_the_answer_to_why(tmp_path, quick):
    text = read(worded(tmp_path)).text
    assert "The words that argue most: “hamword0”, “hamword1” and “hamword2” for ham" in text


def test_what_a_row_is_is_called_by_its_name(tmp_path, quick):
    folder = pictured(tmp_path)
    assert "of 100 pictures" in headline(folder)
    assert "Measured on 300 pictures" in read(folder).text
    assert "Given one text with" in headline(worded(tmp_path / "w"))


def test_the_terminal_counts_pictures_and_classes():
    narrator = Narrator()
    narrator.hear({"event": "start", "source": "photos/"})
    narrator.hear({"event": "read", "rows": 1000})
    columns = [{"column": "photo", "kind": "image", "role": "input"}]
    kinds = {"event": "kinds", "columns": columns, "target": "class", "task": "many-class", "classes": 10}
    assert narrator.hear(kinds) == ["photos/ · 1,000 pictures -> class (10 classes)"]


def test_mixed_rows_show_pictures_and_words_beside_the_columns(tmp_path, quick):
    folder = RunFolder(tmp_path, task="many-class", classes=ANIMALS, rows=300, epochs=3).write()
    write_exhibits(folder, picture_exhibit(ANIMALS), text_exhibit(ANIMALS))
    reader = read(folder)
    assert "matters most" in reader.text
    assert "The rows it is farthest off" in reader.text
    assert images(reader)
    assert "argues for the answer" in reader.text
    assert len(set(reader.ids)) == len(reader.ids)


def test_numbers_asked_of_pictures_are_told_as_numbers(tmp_path, quick):
    folder = RunFolder(tmp_path, rows=300, epochs=3).write()
    exhibit = picture_exhibit(ANIMALS)
    for key in ("worst", "best", "looked", "near"):
        exhibit[key] = [
            {k: v for k, v in {**row, "truth": 34.5678, "answer": 21.0}.items() if k != "sure"}
            for row in exhibit[key]
        ]
    exhibit |= {"confused": [], "glance": [{**exhibit["glance"][0], "name": ""}]}
    write_exhibits(folder, exhibit, kind="image")
    assert "Farthest off: 34.6, answered 21" in read(folder).text


@pytest.mark.parametrize(
    "lost", ["glance", "sizes", "worst", "confused", "looked", "filters", "near", "augmented"]
)
def test_an_exhibit_that_lacks_something_leaves_no_hole(tmp_path, quick, lost):
    folder = pictured(tmp_path)
    path = folder / "figures" / "examples.json"
    exhibit = json.loads(path.read_text())["exhibits"][0]
    del exhibit[lost]
    write_exhibits(folder, exhibit)
    assert not EMPTY.search(read(folder).text)


def test_names_from_the_data_stay_names(tmp_path, quick):
    evil = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "frog", "ship"]
    folder = pictured(tmp_path, evil)
    reader = read(folder)
    assert reader.count("script") == 0
    assert all("onerror" not in given for given in images(reader))


def test_files_that_were_left_out_are_named(tmp_path, quick):
    folder = pictured(tmp_path)
    dropped = [{"line": None, "why": "cat/broken.jpg: truncated"}]
    (folder / "data.json").write_text(json.dumps({"account": {"dropped": dropped}}))
    assert "cat/broken.jpg: truncated" in read(folder).text


@pytest.mark.slow
def test_a_page_of_large_photographs_of_many_classes_stays_small(tmp_path):
    path = write_report(pictured(tmp_path, [f"class {n}" for n in range(12)]))
    assert path.stat().st_size < 3_000_000


# --------------------------------------------------------------------------------------- forecasts


def test_forecasts_are_told_by_how_far_ahead_they_look(tmp_path, quick):
    folder = RunFolder(tmp_path, task="series", target="load", rows=200, epochs=3).write()
    text = read(folder).text
    assert "prediction of load is typically off by" in headline(folder)
    one, last = map(
        float,
        re.search(
            r"One step ahead it is typically off by ([\d.]+), 12 steps ahead by ([\d.]+\d)", text
        ).groups(),
    )
    assert one == pytest.approx(1.0, rel=0.15)
    assert last == pytest.approx(6.5, rel=0.15)
    assert "Half of its forecasts are within" in text
    assert "Nine times in ten what came lay between" in text


def test_series_of_several_units_are_told_in_spreads(tmp_path, quick):
    folder = RunFolder(
        tmp_path, task="series", series=("load", "sun"), target="load, sun", rows=200, epochs=3
    ).write()
    text = read(folder).text
    assert "spreads" in text
    assert "sun is forecast best and load worst" in text


def test_one_step_ahead_has_no_growth_to_tell(tmp_path, quick):
    folder = RunFolder(tmp_path, task="series", steps=1, rows=200, epochs=3).write()
    assert "It looks one step ahead" in read(folder).text
