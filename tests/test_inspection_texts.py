"""Traps in texts: empty, long, mixed, marked up, alike, nearly copied; and words that tell the answer."""

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preceptor.data.read import read
from preceptor.data.table import Account, Schema, Table
from preceptor.inspection.duplicates import bare, copies
from preceptor.inspection.giveaways import giveaways
from preceptor.inspection.near_copies import near_copies
from preceptor.inspection.roles import Roles
from preceptor.inspection.texts import texts
from preceptor.kinds.text import MOST_TOKENS

ROWS = 300
WORDS = ["the", "steak", "was", "terrible", "fine", "wine", "again", "we", "came", "late", "and", "left"]
TRAPS = (texts, near_copies, giveaways)


def prose(rows=ROWS, seed=0, words=9):
    lines = np.random.default_rng(seed).choice(WORDS, (rows, words))
    return [f"{' '.join(line)} {place}" for place, line in enumerate(lines)]


def found(reviews, answers=None, kind="category"):
    """Every finding on one text column, by code."""
    answers = (
        ["good", "bad"] * (len(reviews) // 2) + ["bad"] * (len(reviews) % 2) if answers is None else answers
    )
    frame = pl.DataFrame({"review": pl.Series(reviews, dtype=pl.String), "y": answers})
    table = Table(frame, np.arange(len(frame)) + 2, "t.csv", Schema({}), Account(len(frame)))
    roles = Roles("y", ("review",), {}, {"review": "text", "y": kind})
    return {finding.code: finding for trap in TRAPS for finding in trap(table, roles)}


def test_sound_texts_stay_calm():
    assert set(found(prose())) == {"free-text"}
    assert found(prose())["free-text"].evidence["median_tokens"] == 10


def test_texts_without_a_word_are_counted():
    seen = found([*prose(), "", " \u200b", "\0"])["texts-empty"]
    assert (seen.evidence["empty"], seen.severity) == (3, "note")
    assert found([*prose(), *[""] * 30])["texts-empty"].severity == "warning"
    assert "texts-empty" not in found([*prose(), None])


def test_texts_longer_than_what_is_read_are_counted():
    seen = found([*prose(), "word " * (MOST_TOKENS + 1), "word " * MOST_TOKENS])["texts-cut"]
    assert (seen.evidence["long"], seen.evidence["longest"]) == (1, MOST_TOKENS + 1)


def test_texts_in_several_scripts_are_told_apart():
    many = [*prose(), *["мы пришли поздно"] * 60, *["私たちは遅れて来た"] * 40, "καλό"]
    assert found(many)["texts-in-several-scripts"].evidence["texts"] == {
        "Latin": ROWS,
        "Cyrillic": 60,
        "Chinese or Japanese": 40,
    }


def test_rests_of_web_pages_are_seen():
    seen = found([*prose(), *["it was fine<br />again"] * 10, "a & b", "1 < 2 > 0"])["texts-with-markup"]
    assert (seen.evidence["texts"], seen.evidence["example"]) == (10, "<br />")
    assert "texts-with-markup" not in found([*prose(), "R&D; 3 < 4", "a <- b"])


def test_phrases_that_most_texts_share_are_seen():
    greeted = found([f"Dear Sir or Madam, {text}" for text in prose()])["texts-alike"]
    assert greeted.evidence["phrase"] == "dear sir or madam,"
    signed = found([f"{text} sent from my phone" for text in prose()])["texts-alike"]
    assert "end alike" in signed.text


# ------------------------------------------------------------------------------------------- near copies


def test_texts_that_differ_only_in_their_writing_are_counted_and_kept_together():
    seen = found([*prose(), *[f"  {text.upper()} !" for text in prose()[:20]]])
    assert seen["near-duplicate-texts"].evidence["repeats"] == 20
    assert seen["near-duplicate-texts"].severity == "warning"
    assert "near-copies-disagree" not in seen
    parties = copies(pl.DataFrame({"review": [*prose(), prose()[7].upper() + "?"]}))
    assert parties[7] == parties[-1]
    assert len(set(parties)) == ROWS


def test_texts_that_say_the_same_and_are_answered_differently_are_named():
    turned = [*prose(), *[text.upper() for text in prose()[:20:2]]]
    seen = found(turned, ["good", "bad"] * (ROWS // 2) + ["bad"] * 10)["near-copies-disagree"]
    assert (seen.evidence["rows"], seen.severity) == (20, "warning")


def test_exact_copies_are_left_to_other_traps():
    assert set(found(prose() * 2)) == {"free-text"}


def test_only_sentences_are_compared_without_their_punctuation():
    frame = pl.DataFrame(
        {"code": ["A-1", "A1", "a 1"], "said": ["So it is.", "so it is", "? ! ."], "n": [1, 2, 3]}
    )
    assert bare(frame)["code"].to_list() == ["A-1", "A1", "a 1"]
    assert bare(frame)["said"].to_list() == ["soitis", "soitis", "? ! ."]
    assert bare(frame.with_columns(said=None).cast({"said": pl.String}))["said"].null_count() == 3


# --------------------------------------------------------------------------------------------- giveaways

ANSWERS = ["good", "bad"] * (ROWS // 2)


@pytest.mark.parametrize(
    ("form", "phrase", "where"),
    [
        ("{text} label: {answer}", "bad", "end with"),
        ("{answer}: {text}", "bad", "begin with"),
        ("{text} {ending}", "wine", "end with"),
        ("we left {stars} {text}", "*", "hold"),
        ("the {ending} & {text}", "wine &", "hold"),
    ],
)
def test_words_that_tell_the_answer_are_named(form, phrase, where):
    marks = {"good": ("", "late"), "bad": ("*", "wine")}
    written = [
        form.format(text=text, answer=answer, stars=marks[answer][0], ending=marks[answer][1])
        for text, answer in zip(prose(), ANSWERS, strict=True)
    ]
    seen = found(written, ANSWERS)["answer-in-text"]
    phrases = {(it["answer"], it["where"], it["phrase"]) for it in seen.evidence["phrases"]}
    assert ("bad", where, phrase) in phrases
    assert seen.severity == "warning"


def test_a_telling_word_that_few_texts_have_is_honest():
    written = [
        f"{text} awful" if answer == "bad" and place % 5 == 1 else text
        for place, (text, answer) in enumerate(zip(prose(), ANSWERS, strict=True))
    ]
    assert "answer-in-text" not in found(written, ANSWERS)


def test_a_number_is_not_given_away_by_words():
    assert "answer-in-text" not in found(prose(), list(range(ROWS)), kind="number")


@settings(max_examples=20)
@given(st.lists(st.none() | st.text(max_size=80), min_size=1, max_size=40))
def test_no_text_is_too_strange_to_be_inspected(reviews):
    for finding in found(reviews).values():
        assert finding.text
        assert finding.as_dict()["code"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rt_polarity", "sst2/stsa.binary.train"])
def test_honest_reviews_give_nothing_away(name):
    path = Path(os.environ.get("PRECEPTOR_DATA", "../shared/data")) / name
    if not path.exists():
        pytest.skip(f"{path} is not there; set PRECEPTOR_DATA to the folder of data sets")
    frame = read(path).frame
    assert set(found(frame["text"], frame["class"])) <= {"free-text", "near-duplicate-texts"}
