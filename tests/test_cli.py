import subprocess
import sys

import pytest


def preceptor(*words):
    code = "from preceptor.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=120)


def test_help_never_imports_torch():
    code = """
import sys
from preceptor.cli import app
sys.argv = ["preceptor", "--help"]
try:
    app()
finally:
    assert not {"torch", "polars", "sklearn"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "fit" in done.stdout


def test_every_plain_choice_of_the_plan_is_a_flag():
    told = preceptor("fit", "--help").stdout
    for flag in (
        "--target",
        "--minutes",
        "--group",
        "--time",
        "--metric",
        "--test",
        "--plan",
        "--seed",
        "--out",
    ):
        assert flag in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("fit", "nowhere.csv", "--target", "y"), "nowhere.csv"),
        (("fit",), "nothing to fit"),
        (("fit", "a.csv", "--minutes", "0.1"), "minutes"),
        (("predict", "nowhere", "a.csv"), "not a run"),
        (("explain", "column-absnt"), "column-absent"),
        (("demo", "penguin"), "penguins"),
    ],
)
def test_a_mistake_is_told_without_a_traceback(words, told):
    done = preceptor(*words)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_code_is_explained_in_plain_words():
    done = preceptor("explain", "values-missing")
    assert done.returncode == 0
    assert len(done.stdout.split()) > 20


def test_show_walks_one_row_there_and_back(tmp_path):
    (tmp_path / "t.csv").write_text(
        "size,town,price\n" + "".join(f"{n}.5,Ulm,{n}\n{n},Bonn,{n}\n" for n in range(30))
    )
    done = preceptor("show", str(tmp_path / "t.csv"), "--target", "price")
    assert done.returncode == 0, done.stderr
    assert "Ulm -> [" in done.stdout
    assert "-> Ulm" in done.stdout


def test_the_embedded_data_sets_are_listed():
    assert "penguins" in preceptor("demo").stdout
