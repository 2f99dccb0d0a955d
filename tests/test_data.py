"""Reading: any file or frame becomes the right table or a named mistake, and every row is accounted for."""

import csv
import datetime
import gzip
import io
import json
import os
import zipfile
from dataclasses import asdict
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from preceptor.data import cast as casting
from preceptor.data import room
from preceptor.data.dates import formats_of
from preceptor.data.delimited import Tokeniser
from preceptor.data.read import fingerprint, read
from preceptor.data.rows import Rows
from preceptor.data.samples import sample, samples
from preceptor.data.sniff import Dialect, dialect_of, has_header
from preceptor.data.table import Dropped, Misfit, Schema, Table
from preceptor.errors import Mistake
from preceptor.plan import Plan

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
GERMAN = "name;price;when\nhut;3,5;1.2.2020\nvilla;1.234,5;13.2.2020\n"


@pytest.fixture
def told(tmp_path):
    """Write a file, text or bytes, and read it."""

    def write_and_read(text: str | bytes, name: str = "t.csv", **choices) -> Table:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read(path, **choices)

    return write_and_read


def column(table: Table, name: str) -> list:
    return table.frame[name].to_list()


def one_column(cells: list[str]) -> str:
    return "x,y\n" + "".join(f'"{cell}",a\n' for cell in cells)


# --- how a file is written -------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~", "\x1f"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_any_delimiter_and_line_end_is_found(told, delimiter, newline):
    rows = [["name", "rooms"], ["hut", "1"], ["a house", "3"]]
    table = told("".join(delimiter.join(row) + newline for row in rows))
    assert table.frame.to_dict(as_series=False) == {"name": ["hut", "a house"], "rooms": [1, 3]}
    assert table.lines.tolist() == [2, 3]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"]
)
def test_any_encoding_is_found(told, encoding):
    table = told(GERMAN.replace("hut", "Hütte").encode(encoding))
    assert column(table, "name") == ["Hütte", "villa"]


def test_a_letter_of_latin_1_that_comes_late_does_not_spoil_the_file(told):
    table = told(b"name,n\n" + b"hut,1\n" * 300_000 + b"H\xfctte,2\n")
    assert column(table, "name")[-1] == "Hütte"
    assert len(table) == 300_001


def zipped(text: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("folder/", "")
        archive.writestr("folder/t.csv", text)
        archive.writestr("__MACOSX/folder/._t.csv", "x")
    return file.getvalue()


def zstd_frames(text: bytes) -> bytes:
    return zstandard.compress(text[:30]) + zstandard.compress(text[30:])


@pytest.mark.parametrize("pack", [gzip.compress, zipped, zstandard.compress, zstd_frames])
def test_packed_files_read_like_the_plain_one_whatever_their_name(told, pack):
    assert told(pack(GERMAN.encode()), "t.csv").frame.equals(told(GERMAN).frame)


def test_quoted_cells_hold_delimiters_quotes_and_lines(told):
    table = told('a,b\n1,"x, ""y""\nz"\n2,w\n')
    assert column(table, "b") == ['x, "y"\nz', "w"]
    assert table.lines.tolist() == [2, 4]


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ('a,b\n1,5" pipe\n2,"x"\n', ['5" pipe', "x"]),
        ('a,b\n1,"say \\"hi\\", friend"\n2,w\n3,"\\"q\\", r"\n', ['say "hi", friend', "w", '"q", r']),
        ('a, b\n1, "x, y"\n2, z\n', ["x, y", "z"]),
        ('a\tb\n1\tan "open\n2\tquote\n3\tnot "closed\n', ['an "open', "quote", 'not "closed']),
    ],
)
def test_unusual_quotes_are_understood(told, text, cells):
    assert column(told(text), "b") == cells


def test_apostrophes_that_enclose_cells_are_no_part_of_them(told):
    table = told("'no','1','a, b'\n'yes','2','c'\n'no','3','a, b'\n")
    assert table.frame.rows() == [("no", 1, "a, b"), ("yes", 2, "c"), ("no", 3, "a, b")]


def test_columns_lined_up_with_blanks_are_parted(told):
    assert told("a   b    c\n1   2.5  3\n10 20   30\n").frame.rows() == [(1, 2.5, 3), (10, 20.0, 30)]


def test_a_single_column_keeps_its_commas(told):
    table = told('text\nhello, world\nfoo, bar, baz\nso "it" is\n')
    assert column(table, "text") == ["hello, world", "foo, bar, baz", 'so "it" is']


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a,b\n1,2\n", True),
        ("1.5,2\n2.5,3\n", False),
        ("1,2,3\n", False),
        ("0,1,2\n5,6,7\n", True),
        ("city,2019,2020\nA,1,2\n", True),
        ("1990,2000,2010\n3,1,2\n", True),
        ("39, State-gov, 13\n50, Private, 13\n38, State-gov, 9\n", False),
        ("M,0.455,15\nF,0.35,7\n", False),
        ("no,left\nyes,left\nno,right\n", False),
        ("name,city\nAnn,Rome\nBob,Rome\n", True),
        ("x,5,5\ny,1,2\nz,3,4\n", False),
        ("city,2019,1990\nA,1,2\n", True),
    ],
)
def test_a_line_of_names_is_told_from_a_row(told, text, named):
    table = told(text)
    assert table.schema.header == named
    assert len(table) == text.count("\n") - named
    assert table.lines[0] == 1 + named
    assert bool(table.account.notes) != named


def test_the_hint_that_spreadsheets_write_above_the_names_is_taken(told):
    table = told("sep=;\na;b\n1,5;x,y\n")
    assert table.frame.rows() == [(1.5, "x,y")]
    assert table.lines.tolist() == [3]


def test_a_schema_tells_whether_the_first_line_is_a_row(told):
    nameless = told("1.5,x\n2.5,y\n3.5,x\n").schema
    assert told("7,z\n", schema=nameless).frame.rows() == [(7, "z")]
    assert told("column_1,column_2\n7,z\n", schema=nameless).frame.rows() == [(7, "z")]
    named = Schema({"0.5": "number", "1.5": "number"})
    assert told("0.5,1.5\n3,4\n", schema=named).frame.columns == ["0.5", "1.5"]


def test_columns_without_a_name_are_named_by_their_place_and_noted(told):
    table = told(",rooms,price\n0,3,10\n1,4,12\n")
    assert table.frame.columns == ["column_1", "rooms", "price"]
    assert "column_1" in table.account.notes[0]


# --- what a column is ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "-2", "+3"], [1, -2, 3]),
        (["1.5", "-.5", "1e3", "2."], [1.5, -0.5, 1000.0, 2.0]),
        (["1,234.5", "1,000", "12"], [1234.5, 1000.0, 12.0]),
        (["1.234,5", "0,25", "7"], [1234.5, 0.25, 7.0]),
        (["1 234,5", "2\u00a0000,5"], [1234.5, 2000.5]),
        (["1'234.5", "2'000.5"], [1234.5, 2000.5]),
        (["12%", "5.5 %", "7"], [12.0, 5.5, 7.0]),
        (["$1,200", "-$5", "$3.50"], [1200.0, -5.0, 3.5]),
        (["1.200,50 €", "3 €"], [1200.5, 3.0]),
        (["−5", "3"], [-5, 3]),
        (["inf", "1", "2"], [float("inf"), 1.0, 2.0]),
        (["True", "false", "TRUE"], [True, False, True]),
        (["yes", "no", "yes"], ["yes", "no", "yes"]),
        (["00123", "4567"], ["00123", "4567"]),
        (["12345678901234567890", "1"], ["12345678901234567890", "1"]),
        (["9007199254740993", "1"], ["9007199254740993", "1"]),
        (["$5", "€6"], ["$5", "€6"]),
        (["A11", "A34"], ["A11", "A34"]),
        (["0", "0.5", "00"], [0.0, 0.5, 0.0]),
        ([" a ", "b"], ["a", "b"]),
    ],
)
def test_texts_become_the_values_they_mean(told, cells, values):
    assert column(told(one_column(cells)), "x") == values


@pytest.mark.parametrize(
    "marker", ["", " ", "NA", "n/a", "NULL", "nan", "NaN", "?", "None", "-", "--", "nil"]
)
def test_missing_numbers_are_missing_and_no_misfits(told, marker):
    table = told(one_column(["1", marker, "3"]))
    assert column(table, "x") == [1, None, 3]
    assert not table.account.misfits


@pytest.mark.parametrize(("marker", "kept"), [("NA", None), ("?", None), ("none", "none"), ("-", "-")])
def test_words_that_may_be_answers_stay_in_a_column_of_words(told, marker, kept):
    assert column(told(one_column(["insomnia", marker, "apnea"])), "x") == ["insomnia", kept, "apnea"]


@pytest.mark.parametrize(
    ("cells", "format", "first"),
    [
        (["2020-03-04", "2020-12-31"], "%Y-%m-%d", (2020, 3, 4)),
        (["13/4/2020", "1/2/2020"], "%d/%m/%Y", (2020, 4, 13)),
        (["4/13/2020", "1/2/2020"], "%m/%d/%Y", (2020, 4, 13)),
        (["1/13/11", "1/2/11"], "%m/%d/%y", (2011, 1, 13)),
        (["4.3.2020", "5.3.2020"], "%d.%m.%Y", (2020, 3, 4)),
        (["4 March 2020", "5 Apr 2020"], "%d %B %Y", (2020, 3, 4)),
        (["Mar 4, 2020", "April 5, 2020"], "%B %d, %Y", (2020, 3, 4)),
        (["04-Mar-20", "05-Apr-20"], "%d-%B-%y", (2020, 3, 4)),
        (["1949-01", "1949-02"], "%Y-%m", (1949, 1, 1)),
    ],
)
def test_dates_are_read_in_the_format_that_fits_them_all(told, cells, format, first):
    table = told(one_column(cells))
    assert table.schema.date_formats == {"x": format}
    assert column(table, "x")[0] == datetime.date(*first)


@pytest.mark.parametrize(
    "cell",
    ["2020-03-04 05:06:07", "2020-03-04T05:06:07Z", "2020-03-04 05:06:07 UTC", "2020-03-04T07:06:07+02:00",
     "4.3.2020 05:06:07", "3/4/2020 5:06:07 AM"],
)  # fmt: skip
def test_clock_times_are_read_in_universal_time(told, cell):
    assert column(told(one_column([cell])), "x") == [datetime.datetime(2020, 3, 4, 5, 6, 7)]


def test_a_late_thirteenth_decides_over_day_and_month(told):
    table = told(one_column(["1/2/2020"] * 5_000 + ["13/2/2020"]))
    assert table.schema.date_formats == {"x": "%d/%m/%Y"}
    assert column(table, "x")[0] == datetime.date(2020, 2, 1)


def test_an_order_of_day_and_month_in_doubt_is_noted_unless_another_column_settles_it(told):
    assert "day or month first" in told("d,n\n1/2/2020,1\n3/4/2020,2\n").account.notes[0]
    settled = told("d,e\n1/2/2020,13/1/2020\n3/4/2020,1/1/2020\n")
    assert column(settled, "d")[0] == datetime.date(2020, 2, 1)
    assert not settled.account.notes


def test_a_comma_in_doubt_follows_the_other_columns(told):
    assert column(told('m,n\n"1,234",2\n"2,345",3\n'), "m") == [1234, 2345]
    assert column(told('m,n\n"1,234","1,5"\n"2,345",2\n'), "m") == [1.234, 2.345]


def test_a_decimal_comma_after_thousands_of_whole_numbers_is_seen(told):
    table = told("x;y\n" + "7;a\n" * 5_000 + "1,5;a\n")
    assert column(table, "x")[-1] == 1.5
    assert not table.account.misfits


def test_few_misfits_are_missing_and_told_with_their_lines(told):
    table = told("x,y\n" + "1,a\n" * 19 + "about 3,a\n" + "2,a\n")
    assert column(table, "x")[19] is None
    assert table.account.misfits == (Misfit("x", 21, "about 3"),)
    assert table.account.misfit_counts == {"x": 1}


def test_many_misfits_leave_the_column_as_text_and_say_why(told):
    table = told("x,y\n" + "1.50,a\n" * 15 + "some,a\n" * 5)
    assert column(table, "x")[0] == "1.50"
    assert table.account.notes == (
        "Column 'x' stays text: 5 of 20 values are no number, the first is 'some'.",
    )


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=20))
@QUICK
def test_every_float_comes_back_to_the_last_bit(told, values):
    cells = [repr(value) for value in values]
    read_back = told("x,y\n" + "".join(f"{cell},a\n" for cell in cells)).frame["x"].to_list()
    assert [float(cell) for cell in read_back] == values


# --- every row accounted for -----------------------------------------------------------------------


def test_rows_of_another_width_are_left_out_with_their_lines_and_nothing_shifts(told):
    table = told('a,b\n1,2\n3\n4,"x\ny",6\n\n7,8\n' + "9,9\n" * 20)
    assert table.frame.rows()[:2] == [(1, 2), (7, 8)]
    assert table.lines.tolist()[:3] == [2, 7, 8]
    assert table.account.dropped == (
        Dropped(3, "1 values where 2 are expected"),
        Dropped(4, "3 values where 2 are expected, over 2 lines"),
        Dropped(6, "blank line"),
    )
    assert table.account.left_out == {"another number of values": 3, "blank line": 1}
    assert table.account.read == len(table) == 22


def test_only_the_first_rows_are_read_when_so_many_are_wanted(told):
    table = told("a,b\n" + "1,x\n" * 10 + "oops,y\n", rows=4)
    assert len(table) == table.account.read == len(table.lines) == 4


def naive(text: str, dialect: Dialect, names: int) -> Rows:
    rows = Rows([str(place) for place in range(names)], "t")
    list(Tokeniser(dialect, rows, 1)._take_carefully(io.StringIO(text, newline="\n")))
    return rows


@given(
    st.lists(st.text("a\",;\n '", max_size=30), max_size=6).map("\n".join).map(lambda text: text + "\n"),
    st.integers(1, 3),
    st.integers(1, 40),
)
@settings(max_examples=300, deadline=None)
def test_the_quick_path_sees_what_the_careful_one_sees(text, names, size):
    rows = Rows([str(place) for place in range(names)], "t")
    lines = text.encode().splitlines(keepends=True)
    blocks = (b"".join(lines[start : start + size]) for start in range(0, len(lines), size))
    try:
        slow = naive(text, Dialect(), names)
    except Mistake:
        with pytest.raises(Mistake, match="quote-unclosed"):
            list(Tokeniser(Dialect(), rows, 1).steps(blocks))
        return
    list(Tokeniser(Dialect(), rows, 1).steps(blocks))
    assert [*chain(*rows.lines)] == [*chain(*slow.lines)]
    assert rows.dropped == slow.dropped
    stripped = [[(cell or "").strip() for cell in row] for block in rows.blocks for row in block.rows()]
    assert stripped == [
        [(cell or "").strip() for cell in row] for block in slow.blocks for row in block.rows()
    ]


def expected(cell: str) -> str | None:
    """What becomes of a cell: line ends are one letter, blanks around it go, and markers mean missing."""
    clean = cell.replace("\r\n", "\n").replace("\r", "\n").strip()
    return None if clean.lower() in ("", "?", "na", "nan") else clean


CELLS = st.text('abNA01.,;\t|"\n\r éü?-\\', max_size=12)


@given(
    table=st.integers(2, 4).flatmap(lambda k: st.lists(st.lists(CELLS, min_size=k, max_size=k), min_size=1)),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
)
@QUICK
def test_whatever_the_csv_module_writes_comes_back_cell_by_cell(told, table, delimiter, quoting, encoding):
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting)
    names = [f"kol{place}" for place in range(len(table[0]))]
    writer.writerows([names, *table])
    back = told(file.getvalue().encode(encoding), schema=Schema(dict.fromkeys(names, "text")))
    assert back.frame.rows() == [tuple(expected(cell) for cell in row) for row in table]


@given(
    st.one_of(st.binary(max_size=300), st.text("ab01.,;\t|\"'\n\r -{}[]:\\é", max_size=200).map(str.encode))
)
@settings(QUICK, max_examples=300)
def test_any_bytes_are_a_table_or_a_named_mistake(told, raw):
    try:
        table = told(raw, "any")
    except Mistake:
        return
    assert len(table) == len(table.lines) == table.account.read > 0
    assert (np.diff(table.lines) > 0).all()
    lines = len(raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"))
    assert table.account.read + sum(table.account.left_out.values()) <= lines


# --- mistakes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "file-empty"),
        (b"\n \n\r\n", "file-empty"),
        (b"\xef\xbb\xbf", "file-empty"),
        (b"a,b\n", "file-without-rows"),
        (b"a,b\n\n\n", "file-without-rows"),
        (b"a,b,a\n1,2,3\n", "columns-twice"),
        (b"a, a\n1,2\n", "columns-twice"),
        (b"city,2019,2019\nA,1,2\n", "columns-twice"),
        (b",,x\n1,2,3\n", "names-empty"),
        (b"a,b\n1;2\n3;4\n5;6\n", "rows-ragged"),
        (b"Report of 2024\nname,price\nhut,3\nvilla,4\n", "rows-ragged"),
        (b'a,b\n1,"x\n2,y\n', "quote-unclosed"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "file-binary"),
        (bytes(range(1, 32)) * 9, "file-binary"),
        ("ä,ö\nü,é\n".encode() + b"\xe9,x\n", "text-undecodable"),
        (b"a,b\n\x81,2\n", "text-undecodable"),
        ("a,ü\n".encode() * 400_000 + b"\xe9,x\n", "text-undecodable"),
        (gzip.compress(GERMAN.encode() * 99)[:-20], "file-damaged"),
        (zstandard.compress(GERMAN.encode() * 99)[:-4], "file-damaged"),
        (zipped(GERMAN.encode()).replace(b"hut", b"hat"), "file-damaged"),
        (b"PK\x05\x06" + bytes(18), "zip-not-one-file"),
        (b"PAR1 and no more", "file-damaged"),
        (b"PK\x03\x04[Content_Types].xml", "file-damaged"),
        (b"\n<!DOCTYPE html>\n<html><body>a,b</body></html>\n", "file-is-page"),
        (b'{"a": 1\n"b": 2}\n{}\n', "json-no-rows"),
        (b'[{"a": 1}', "json-no-rows"),
        (b'{"a": 1, " a": 2}', "columns-twice"),
    ],
)
def test_what_is_no_table_is_refused_by_its_name(told, raw, code):
    with pytest.raises(Mistake) as raised:
        told(raw)
    assert raised.value.code == code


def test_an_archive_of_several_files_names_them(told):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.csv", "x")
        archive.writestr("b.csv", "y")
    with pytest.raises(Mistake, match=r"a\.csv, b\.csv"):
        told(file.getvalue())


def test_a_missing_file_names_its_neighbours(tmp_path):
    (tmp_path / "houses.csv").write_text("a\n1\n")
    with pytest.raises(Mistake, match=r"Did you mean 'houses\.csv'"):
        read(tmp_path / "house.csv")
    with pytest.raises(Mistake, match="There is no folder"):
        read(tmp_path / "nowhere" / "house.csv")


def test_a_folder_says_what_it_holds(tmp_path):
    (tmp_path / "houses.csv").write_text("a\n1\n")
    with pytest.raises(Mistake, match=r"houses\.csv") as raised:
        read(str(tmp_path))
    assert raised.value.code == "file-is-folder"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_says_so(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a\n1\n")
    path.chmod(0)
    with pytest.raises(Mistake) as raised:
        read(path)
    assert raised.value.code == "file-unreadable"


def test_a_ragged_file_names_its_lines(told):
    with pytest.raises(Mistake, match=r"3 of 5 rows.*\n  where t\.csv, line 3, 4, 6"):
        told("a,b\n1,2\n1\n1,2,3\n3,4\n5\n")


def test_an_unclosed_quote_names_the_line_where_it_opens(told):
    with pytest.raises(Mistake, match="line 3"):
        told('a,b\n1,2\n3,"x\n4,5\n6,7\n')


def test_a_table_beyond_memory_is_refused_before_it_is_read(told, monkeypatch):
    class Small:
        available = 1_000

    monkeypatch.setattr(room.psutil, "virtual_memory", Small)
    with pytest.raises(Mistake, match=r"about 1,0\d\d rows of 2 columns") as raised:
        told("a,b\n" + "1,2\n" * 1_000)
    assert raised.value.code == "file-too-large"
    packed = gzip.compress(b"a,b\n" + b"1,2\n" * 1_000)
    with pytest.raises(Mistake, match="file-too-large"):
        told(packed)


# --- other sources ---------------------------------------------------------------------------------


def frames() -> list:
    data = {"n": [1, 2, None], "s": ["a", None, "b"], "f": [0.5, None, 2.0], "b": [True, False, None]}
    return [pl.DataFrame(data), pl.DataFrame(data).lazy(), pd.DataFrame(data), pa.table(data)]


@pytest.mark.parametrize("frame", frames(), ids=["polars", "lazy", "pandas", "arrow"])
def test_frames_come_in_with_their_types(frame):
    table = read(frame)
    assert table.schema.types == {"n": "number", "s": "text", "f": "number", "b": "boolean"}
    assert table.frame.rows() == [(1, "a", 0.5, True), (2, None, None, False), (None, "b", 2.0, None)]
    assert (table.source, table.lines.tolist()) == ("frame", [1, 2, 3])


def test_every_type_of_a_frame_has_a_fate():
    frame = pl.DataFrame(
        {
            "huge": pl.Series([2**60, 1]),
            "tags": [["a", "b"], None],
            "span": [datetime.timedelta(seconds=3), None],
            "clock": [datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), None],
            "class": pl.Series(["u", None], dtype=pl.Categorical),
            "raw": [b"x", None],
            "nan": [float("nan"), 1.0],
            "code": ["007", "12"],
            "digits": ["7", "12"],
        }
    )
    table = read(frame)
    assert table.frame.rows() == [
        (str(2**60), "a|b", 3.0, datetime.datetime(2020, 1, 1), "u", None, "007", 7),
        ("1", None, None, None, None, 1.0, "12", 12),
    ]
    assert any("'raw' is left out" in note for note in table.account.notes)


def test_a_pandas_column_of_mixed_things_is_read_as_their_text():
    assert column(read(pd.DataFrame({"o": [1, "x", None], "i": [1, 2, 3]})), "o") == ["1", "x", None]


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ([1, 2], "source-unknown"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "columns-twice"),
        (pd.DataFrame({"a": []}), "file-without-rows"),
        (pd.DataFrame(), "file-without-rows"),
    ],
)
def test_what_is_no_frame_is_refused_by_its_name(source, code):
    with pytest.raises(Mistake) as raised:
        read(source)
    assert raised.value.code == code


def test_parquet_and_csv_of_one_table_are_one_table(tmp_path, told):
    table = told("a,b,d\n1,x,2020-01-02\n2,y,2020-01-03\n")
    table.frame.write_parquet(tmp_path / "t.parquet")
    again = read(tmp_path / "t.parquet")
    assert again.frame.equals(table.frame)
    assert fingerprint(again) == fingerprint(table)


def test_json_lines_are_rows_whatever_keys_they_have(told):
    lines = ['{"a": 1, "b": "x"}', "", '{"a": 2.5, "c": ["u", "v"], "b": null}', "{broken",
             '{"a": "3", "d": {"k": 1}, "e": true}']  # fmt: skip
    table = told("\n".join(lines), "t.jsonl")
    assert table.frame.rows() == [
        (1.0, "x", None, None, None),
        (2.5, None, "u|v", None, None),
        (3.0, None, None, '{"k": 1}', True),
    ]
    assert table.lines.tolist() == [1, 3, 5]
    assert table.account.left_out == {"blank line": 1, "no JSON object": 1}


def test_a_json_list_of_objects_is_read_too(told):
    assert told(json.dumps([{"a": 1}, {"a": 2}], indent=2), "t.json").frame.rows() == [(1,), (2,)]


BOOK = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
RELATED = f'xmlns="{PACKAGE}/relationships"'


def workbook(rows: list[list], sheets: int = 1) -> bytes:
    """The smallest file that Excel would open, with the same rows on every sheet."""

    def cell(value) -> str:
        if value is None:
            return "<c/>"
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        return f"<c><v>{value!r}</v></c>"

    data = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    numbers = range(1, sheets + 1)
    listed = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="r{n}"/>' for n in numbers)
    related = "".join(
        f'<Relationship Id="r{n}" Type="{OFFICE}/worksheet" Target="worksheets/s{n}.xml"/>' for n in numbers
    )
    types = "".join(
        f'<Default Extension="{end}" ContentType="application/{kind}"/>'
        for end, kind in (("xml", "xml"), ("rels", "vnd.openxmlformats-package.relationships+xml"))
    )
    root = f'<Relationship Id="r" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">{types}</Types>',
        "_rels/.rels": f"<Relationships {RELATED}>{root}</Relationships>",
        "xl/workbook.xml": f'<workbook {BOOK} xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f"<Relationships {RELATED}>{related}</Relationships>",
    }
    for number in numbers:
        sheet = f"<worksheet {BOOK}><sheetData>{data}</sheetData></worksheet>"
        parts[f"xl/worksheets/s{number}.xml"] = sheet
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return file.getvalue()


def test_the_first_sheet_of_a_workbook_is_read_to_the_last_digit(told):
    rows = [[], ["name", "price", None], ["hut", 1 / 3, None], [None], ["00123", 1e-12, None]]
    table = told(workbook(rows, sheets=2), "t.xlsx")
    assert table.frame.rows() == [("hut", 1 / 3), ("00123", 1e-12)]
    assert table.lines.tolist() == [3, 5]
    assert table.account.left_out == {"blank line": 2}
    assert table.account.notes == ("Only the first of the sheets was read: S1, S2.",)


def test_an_empty_workbook_and_one_without_rows_are_refused(told):
    for rows, code in (([], "file-empty"), ([["a", "b"]], "file-without-rows")):
        with pytest.raises(Mistake) as raised:
            told(workbook(rows), "t.xlsx")
        assert raised.value.code == code


def test_excel_without_its_package_says_what_to_install(told, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fastexcel", None)
    with pytest.raises(Mistake, match=r"preceptor\[excel\]"):
        told(workbook([["a"], [1]]), "t.xlsx")


# --- a second file the same way --------------------------------------------------------------------


def test_a_schema_survives_json_and_reads_the_same_file_to_the_same_table(told):
    text = 'zip,price,when,"share"\n00123,"$1,200",1/2/2020,12%\n04567,$5,13/2/2020,5%\n'
    first = told(text)
    schema = Schema(**json.loads(json.dumps(asdict(first.schema))))
    assert schema == first.schema
    assert told(text, schema=schema).frame.equals(first.frame)


def test_a_schema_rules_over_what_a_column_looks_like(told):
    schema = Schema({"zip": "text", "n": "number", "d": "date"}, date_formats={"d": "%d/%m/%Y"})
    table = told("new,d,n,zip\nx,3/4/2020,about 3,123\n", schema=schema)
    assert table.frame.rows() == [("x", datetime.date(2020, 4, 3), None, "123")]
    assert table.account.misfits == (Misfit("n", 2, "about 3"),)
    assert table.schema.types == {"new": "text", "d": "date", "n": "number", "zip": "text"}


def test_a_schema_learnt_from_a_file_reads_a_frame_and_the_other_way_round(told):
    from_file = told("k,d,x\n1,2020-01-02,yes\n2,2020-01-03,no\n")
    frame = pd.DataFrame({"k": ["1"], "d": ["2020-01-04"], "x": [3.0]})
    values = read(frame, schema=from_file.schema).frame.rows()
    assert values == [(1, datetime.date(2020, 1, 4), "3")]
    dated = read(pd.DataFrame({"d": pd.to_datetime(["2020-01-02"])}))
    assert column(told("d\n2020-01-04 00:00\n", schema=dated.schema), "d") == [datetime.datetime(2020, 1, 4)]


def test_values_that_have_their_types_are_never_turned_into_text(told, monkeypatch):
    whole = pl.Series("rooms", [3, None], dtype=pl.Int64)
    typed = told(GERMAN).frame.with_columns(
        whole, sold=pl.Series([True, None]), at=datetime.datetime(2020, 1, 4)
    )
    table = read(typed)
    text = casting._as_text
    monkeypatch.setattr(
        casting,
        "_as_text",
        lambda one: text(one) if one.dtype == pl.String else pytest.fail(f"text of {one.name}"),
    )
    assert fingerprint(read(typed, schema=table.schema)) == fingerprint(table)


def test_a_fingerprint_changes_with_any_value_name_order_or_gap(told):
    texts = ["a,b\n1,x\n2,y\n", "a,b\n1,x\n3,y\n", "a,c\n1,x\n2,y\n", "a,b\n2,y\n1,x\n", "a,b\n1,x\n2,\n",
             "a,b\n1,xy\n2,-\n", "a,b\n1,x\n,y\n", "b,a\nx,1\ny,2\n"]  # fmt: skip
    prints = [fingerprint(told(text)) for text in texts]
    assert len(set(prints)) == len(texts)
    assert prints[0] == fingerprint(told("a;b\r\n1,0;x\r\n2,0;y\r\n"))
    assert prints[0].startswith("b9372348")


# --- the embedded sets -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rows", "width"),
    [
        ("houses", 20_640, 10),
        ("penguins", 344, 7),
        ("spam", 5_574, 2),
        ("fashion", 5_000, 2),
        ("digits", 1_797, 2),
        ("wardrobe", 1_500, 6),
        ("sunspots", 2_820, 2),
        ("airline", 144, 2),
    ],
)
def test_embedded_sets_are_whole(name, rows, width):
    known = sample(name)
    table = read(known.path)
    assert table.frame.shape == (rows, width)
    assert known.target in table.frame.columns
    assert not table.account.left_out
    assert not table.account.misfits
    assert known.path.name in (known.path.parent / "SOURCES.md").read_text()
    assert Plan.of(target=known.target, **known.choices)


def test_embedded_sets_of_each_kind_have_what_their_question_needs():
    fashion = sample("fashion")
    sealed = read(fashion.choices["test"], schema=read(fashion.path).schema)
    assert (len(sealed), sealed.answer) == (1_000, "class")
    assert read(sample("sunspots").path).frame["month"].dtype == pl.Date
    assert read(sample("wardrobe").path).schema.types["photo"] == "picture"


def test_a_wrong_name_of_an_embedded_set_is_met_with_the_right_one():
    assert [*samples()][:3] == ["houses", "penguins", "spam"]
    with pytest.raises(Mistake, match="Did you mean 'houses'"):
        sample("house")


# --- the parts -------------------------------------------------------------------------------------


def test_numbers_that_look_like_dates_are_told_apart():
    for cells in (["40-49", "50-59"], ["1-01", "1-02"], ["12 000", "1 234"], ["10-12", "3-5"], ["alfa beta"]):
        assert formats_of(pl.Series(cells)) == []


def test_a_dialect_is_not_misled_by_what_cells_hold():
    assert dialect_of("size;price\n1,5;2,5\n2,5;3,5\n") == Dialect(";")
    assert dialect_of("1,5;2,5\n2,5;3,5\n") == Dialect(";")
    assert dialect_of("full name\nJohn Smith\nJane Doe\n").delimiter != " "
    assert has_header([["a"]])


# --- large and real --------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_real_file_reads_without_loss():
    folder = Path(os.environ.get("PRECEPTOR_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; set PRECEPTOR_DATA")
    for path in sorted(folder.rglob("*.csv")):
        table = read(path)
        account = table.account
        assert set(account.left_out) <= {"blank line"}, path
        assert not account.misfits, path
        text = path.read_text(encoding="utf-8")
        assert account.read + sum(account.left_out.values()) + table.schema.header == len(
            text.splitlines()
        ), path
