"""Texts that are no table: folders by class, files by class, lines with labels; and their faults."""

import gzip

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preceptor.data.folder import list_folder
from preceptor.data.read import read
from preceptor.data.table import Schema
from preceptor.data.texts import are_texts, is_labelled_lines, read_labelled_lines, read_texts
from preceptor.errors import Mistake

FEW = settings(max_examples=20)
GOOD = [f"a fine film, and number {place}" for place in range(12)]
BAD = [f"what a dull, dull evening {place}" for place in range(12)]
KNOWN = Schema({"text": "text", "class": "text"})


def folder(path, files):
    """A folder of files; contents are bytes, or text that is written as UTF-8."""
    for name, held in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(held.encode() if isinstance(held, str) else held)
    return path


def reviews(path, **more):
    files = {f"good/{place}.txt": text for place, text in enumerate(GOOD)}
    files |= {f"bad/{place}.txt": text for place, text in enumerate(BAD)}
    return folder(path / "reviews", files | more)


def told(path, schema=None):
    listing = list_folder(path)
    assert are_texts(listing)
    return read_texts(listing, schema)


def refused(path, schema=None):
    with pytest.raises(Mistake) as raised:
        told(path, schema)
    return raised.value


# --------------------------------------------------------------------------------------- a file an example


def test_a_folder_of_files_for_each_class_is_a_table(tmp_path):
    table = told(reviews(tmp_path))
    assert table.frame["text"].to_list() == BAD + GOOD
    assert table.frame["class"].to_list() == ["bad"] * 12 + ["good"] * 12
    assert (table.answer, table.source) == ("class", "reviews")
    assert table.names[0] == "bad/0.txt"
    assert table.schema.types == {"text": "text", "class": "text"}
    assert table.account.read == len(table) == 24


def test_every_file_that_is_no_text_is_named_with_the_reason(tmp_path):
    strange = {
        "good/empty.txt": "",
        "good/blank.txt": " \n\n ",
        "bad/picture.txt": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4,
        "bad/broken.txt": "schön".encode() * 30 + b"\xff\xfe\x81" + "grün".encode() * 30,
        "bad/cut.gz": gzip.compress(b"a text " * 500)[:40],
        "beside.txt": "whose?",
        ".hidden": "x",
    }
    account = told(reviews(tmp_path, **strange)).account
    assert account.read == 24
    assert account.left_out == {
        "hidden file": 1,
        "file beside the folders of the classes": 1,
        "file that is no text": 1,
        "letters of no known alphabet": 1,
        "file that cannot be read": 1,
        "empty file": 2,
    }
    assert any("bad/broken.txt: letters" in row.why for row in account.dropped)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])
def test_every_file_is_read_in_its_own_encoding(tmp_path, encoding):
    text = "Schöne Grüße aus Köln, café au lait"
    table = told(reviews(tmp_path, **{"good/own.txt": text.encode(encoding)}))
    assert text in table.frame["text"].to_list()


def test_packed_files_are_unpacked_and_lines_kept(tmp_path):
    table = told(
        reviews(tmp_path, **{"good/x.txt.gz": gzip.compress(b"one\r\ntwo\rthree" + b"!" * 99 + b"\x0bfour")})
    )
    assert "one\ntwo\nthree" + "!" * 99 + "\x0bfour" in table.frame["text"].to_list()


def test_what_looks_like_a_number_or_like_nothing_stays_text(tmp_path):
    table = told(reviews(tmp_path, **{"good/n.txt": "NA", "1/a.txt": "12", "1/b.txt": "?"}))
    assert table.frame.dtypes == [pl.String, pl.String]
    assert {"NA", "12", "?"} <= set(table.frame["text"])


def test_the_folder_test_is_kept_for_the_exam(tmp_path):
    for part in ("train", "test"):
        reviews(tmp_path / part)
        (tmp_path / part / "reviews").rename(tmp_path / f"{part}_")
        (tmp_path / part).rmdir()
        (tmp_path / f"{part}_").rename(tmp_path / part)
    table = told(tmp_path)
    assert table.sealed == str(tmp_path / "test")
    assert len(table) == 24
    assert len(told(tmp_path / "test", KNOWN)) == 24


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"good/1.txt": "fine", "good/2.txt": "very fine"}, "folder-one-class"),
        ({"good/1.txt": "fine", "bad/1.txt": ""}, "folder-one-class"),
        ({"good/1.txt": "", "bad/1.txt": " "}, "folder-without-rows"),
        ({"good/1.txt": b"\0\1\2" * 99, "bad/1.txt": b"\0\1\2" * 99}, "folder-without-rows"),
        ({f"{place}.txt": "one line" for place in range(30)}, "folder-without-classes"),
        ({"only.txt": "one\n" * 30}, "folder-without-classes"),
    ],
)
def test_a_folder_that_teaches_nothing_is_refused(tmp_path, files, code):
    mistake = refused(folder(tmp_path / "t", files))
    assert mistake.code == code
    assert mistake.where
    assert mistake.todo or mistake.why


def test_new_texts_need_no_class(tmp_path):
    table = told(folder(tmp_path / "new", {f"{place}.txt": text for place, text in enumerate(GOOD)}), KNOWN)
    assert table.frame.columns == ["text"]
    assert table.answer is None
    assert len(told(folder(tmp_path / "one", {"good/1.txt": "fine"}), KNOWN)) == 1


# --------------------------------------------------------------------------------------- a line an example


def test_files_named_for_classes_hold_an_example_a_line(tmp_path):
    files = {"rt-polarity.pos": "\n".join(GOOD), "rt-polarity.neg": "\r\n".join([*BAD, "", " "])}
    table = told(folder(tmp_path, files | {"README.1.txt": "about\n" * 50}))
    assert table.frame["class"].to_list() == ["neg"] * 12 + ["pos"] * 12
    assert table.frame["text"].to_list() == BAD + GOOD
    assert table.lines.tolist() == [*range(1, 13)] * 2
    assert table.names[13] == "rt-polarity.pos, line 2"
    assert table.account.left_out == {"file about the data": 1, "blank line": 2}
    assert "neg, pos" in table.account.notes[0]


def test_only_line_feeds_end_a_line(tmp_path):
    strange = "never\x85\u2028 \x0b\x0c\x1e\x1cmind"
    lines = [strange, *GOOD]
    table = told(folder(tmp_path, {"a.txt": "\n".join(lines), "b.txt": "\n".join(lines)}))
    assert table.frame["text"].to_list() == lines * 2
    old = folder(tmp_path / "old", {"x.neg": b"caf\xe9 \x85 noir\n" * 10, "x.pos": b"na\xefve\x85\n" * 10})
    assert told(old).frame["text"].unique().sort().to_list() == ["café … noir", "naïve…"]


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (["x.pos", "x.neg"], ["neg", "pos"]),
        (["pos.txt", "neg.txt"], ["neg", "pos"]),
        (["movie_good_2.txt", "movie_bad_2.txt"], ["bad", "good"]),
        (["ham.txt.gz", "spam.txt"], ["ham", "spam"]),
        (["very good.txt", "bad.txt"], ["bad", "very good"]),
    ],
)
def test_a_class_is_what_tells_its_file_from_the_others(tmp_path, names, classes):
    text = "\n".join(GOOD).encode()
    files = {name: gzip.compress(text) if name.endswith("gz") else text for name in names}
    assert told(folder(tmp_path, files)).frame["class"].unique().sort().to_list() == classes


# ------------------------------------------------------------------------------------- lines with labels

LINES = "1 a stirring , funny film\n0 apparently reassembled\n0 they presume, wrongly .\n1 fine\n"


def test_lines_with_labels_are_known_and_read(tmp_path):
    assert is_labelled_lines(LINES.encode())
    file = tmp_path / "train.txt"
    file.write_bytes(LINES.encode() + b"\nunlabelled\n1 na\xc3\xafve\n")
    table = read_labelled_lines(file)
    assert table.frame["text"].to_list()[::4] == ["a stirring , funny film", "naïve"]
    assert table.frame["class"].to_list() == ["1", "0", "0", "1", "1"]
    assert table.lines.tolist() == [1, 2, 3, 4, 7]
    assert table.account.left_out == {"blank line": 1, "line without a label": 1}
    assert table.account.dropped[0].line == 6
    assert table.answer == "class"


def test_labels_as_fasttext_writes_them_lose_their_sign(tmp_path):
    file = tmp_path / "train.txt"
    file.write_text("__label__good very fine\n__label__bad so dull, so long\n" * 3)
    assert is_labelled_lines(file.read_bytes())
    assert read_labelled_lines(file).frame["class"].to_list() == ["good", "bad"] * 3


@pytest.mark.parametrize(
    ("text", "whether"),
    [
        ("good it was fun\nbad it was not, alas\n" * 10, True),
        ("1 2 3\n0 2 1\n1 1 1\n0 5 5\n", False),
        ("1 fine,5\n0 dull film,3\n1 a,4\n0 b c,4\n", False),
        ("a stirring film\nthe dull one is here\nsome people\na b c d\n", False),
        ("text,label\nit was fine,1\nit was so dull,0\n", False),
        ("ham\tsee you there\nspam\twin a prize now\n" * 10, False),
        ("1 one\n1 a class\n1 only , alas\n", False),
        ("", False),
        ("\n\n\n", False),
    ],
)
def test_tables_and_prose_are_no_lines_with_labels(text, whether):
    assert is_labelled_lines(text.encode()) is whether


def test_a_folder_of_labelled_files_or_of_tables_is_none_of_texts(tmp_path):
    assert not are_texts(list_folder(folder(tmp_path / "a", {"train": LINES, "dev": LINES})))
    assert not are_texts(
        list_folder(folder(tmp_path / "b", {"train.csv": "a,b\n1,2\n", "test.csv": "a,b\n"}))
    )
    assert not are_texts(
        list_folder(folder(tmp_path / "c", {"x/1.jpg": b"\xff\xd8\xff\0\0", "x/2.txt": "a"}))
    )
    (tmp_path / "d").mkdir()
    assert not are_texts(list_folder(tmp_path / "d"))


def test_texts_enter_by_the_door_of_tables(tmp_path):
    assert read(reviews(tmp_path)).answer == "class"
    file = tmp_path / "train.txt"
    file.write_text(LINES)
    table = read(file)
    assert table.frame["class"].to_list() == ["1", "0", "0", "1"]
    assert len(read(file, rows=2)) == 2
    assert read(file, schema=table.schema).frame.equals(table.frame)
    with pytest.raises(Mistake, match="is a folder, and a table is a file"):
        read(folder(tmp_path / "tables", {"train.csv": "a,b\n1,2\n", "test.csv": "a,b\n"}))


# ---------------------------------------------------------------------------------------------- anything


def withstands(path):
    """What is read is text, and every file is accounted for; or else no file could be read."""
    listing = list_folder(path)
    try:
        table = read_texts(listing, KNOWN)
    except Mistake as mistake:
        if mistake.code != "folder-without-rows":
            raise
        table = None
    assert table is None or (table.frame["text"].str.strip_chars() != "").all()
    assert (len(table) if table else 0) + sum(listing.left_out.values()) == len(listing.names)


@FEW
@given(st.lists(st.binary(max_size=200) | st.text(max_size=100).map(str.encode), min_size=1, max_size=8))
def test_whatever_the_files_hold_they_are_read_or_named(tmp_path_factory, contents):
    path = tmp_path_factory.mktemp("any")
    withstands(folder(path, {f"{'ab'[place % 2]}/{place}.txt": held for place, held in enumerate(contents)}))


@pytest.mark.slow
def test_two_thousand_broken_files_are_read_or_named(tmp_path):
    rng = np.random.default_rng(0)
    seeds = [text.encode(code) for text in GOOD for code in ("utf-8", "utf-16", "cp1252", "utf-32")]
    for number in range(20):
        files = {}
        for place in range(100):
            held = bytearray(seeds[rng.integers(len(seeds))] * int(rng.integers(1, 9)))
            for _ in range(rng.integers(0, 6)):
                held[rng.integers(len(held))] = rng.integers(256)
            files[f"{'ab'[place % 2]}/{place}"] = bytes(held[: rng.integers(1, len(held) + 1)])
        withstands(folder(tmp_path / str(number), files))
