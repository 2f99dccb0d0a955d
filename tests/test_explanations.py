"""Every code is explained, every explanation is used, and a wrong code finds its neighbour."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from preceptor.errors import Mistake
from preceptor.explanations import explanation, explanations

HOUSE = Path(__file__).parent.parent / "preceptor"
SPEAKERS = {"Mistake", "Finding"}


def _codes_spoken() -> dict[str, str]:
    """Every code written as the first argument of Mistake or Finding, and the place where it stands."""
    spoken = {}
    for file in HOUSE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in SPEAKERS:
                named = [word.value for word in node.keywords if word.arg == "code"]
                for code in (inner for said in [*node.args[:1], *named] for inner in ast.walk(said)):
                    if isinstance(code, ast.Constant) and isinstance(code.value, str):
                        spoken[code.value] = f"{file.relative_to(HOUSE.parent)}:{node.lineno}"
    return spoken


def test_every_code_that_is_spoken_is_explained():
    mute = {code: place for code, place in _codes_spoken().items() if code not in explanations()}
    assert not mute, "\n".join(f"{place}: {code} has no entry" for code, place in mute.items())


def test_every_explanation_belongs_to_a_code_that_is_spoken():
    written = "\n".join(file.read_text("utf-8") for file in HOUSE.rglob("*.py"))
    idle = [code for code in explanations() if f'"{code}"' not in written]
    assert not idle, f"explained, but never said: {', '.join(idle)}"


def test_explanations_are_short_plain_and_end_their_sentences():
    for entry in explanations().values():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.code), entry.code
        assert entry.title[:1].isupper() or not entry.title[:1].isalpha(), entry.code
        assert not entry.title.endswith("."), entry.code
        sentences = re.split(r"(?<=[.?!:])\s", entry.text)
        assert 2 <= len(sentences) <= 8, (entry.code, len(sentences))
        assert entry.text[-1] in ".?!", entry.code


def test_what_the_doctor_finds_is_taught_in_two_to_six_sentences():
    doctor = tomllib.loads((HOUSE / "explanations" / "diagnose.toml").read_text("utf-8"))
    for code in doctor:
        sentences = re.split(r"(?<=[.?!])\s", explanations()[code].text)
        assert 2 <= len(sentences) <= 6, (code, len(sentences))


def test_a_code_is_found_in_any_case():
    assert explanation(" Code-Unknown").title == "There is no such code"


def test_an_unknown_code_names_its_neighbour():
    with pytest.raises(Mistake, match="Did you mean 'code-unknown'") as raised:
        explanation("code-unkown")
    assert raised.value.code == "code-unknown"


def test_explaining_needs_neither_torch_nor_polars():
    script = "import sys, preceptor.explanations as e; e.explanation('code-unknown')"
    script += "; sys.exit(bool({'torch', 'polars', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], cwd=HOUSE.parent).returncode == 0
