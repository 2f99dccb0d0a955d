"""The kind text: how texts are cut and numbered, what long, empty and strange ones become."""

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from preceptor.errors import Mistake
from preceptor.kinds.text import CHUNK, MOST_LETTERS, MOST_TOKENS, NO_TEXT, Text
from preceptor.kinds.tokenizers import (
    FIRST,
    NOTHING,
    PADDING,
    TOKENIZERS,
    UNKNOWN,
    UNKNOWN_SIGN,
    BytePairs,
    Characters,
    Words,
    tokenizer_from_state,
    tokenizer_named,
)

FEW = settings(max_examples=25)
EVERY = pytest.mark.parametrize("name", list(TOKENIZERS))
HAM = ["see you at home tonight", "ok, later then", "are you coming to lunch?", "happy birthday mum"]
SPAM = ["WIN a FREE prize now, call 0800", "free entry! text WIN to 80082", "URGENT claim your cash prize"]
MANY_TEXTS = (HAM + SPAM) * 5
TEXTS = st.lists(st.none() | st.text(max_size=60), min_size=1, max_size=12)


def series(values):
    return pl.Series("c", values, dtype=pl.String)


def fitted(name="words", values=MANY_TEXTS):
    return Text("c", name).fit(series(values))


def words_of(text):
    return Words().tokens(text)


# -------------------------------------------------------------------------------------------- tokenizers


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Don't stop!!", ["Don't", "stop", "!", "!"]),
        ("it’s $5.50, at 10:30.", ["it’s", "$", "5.50", ",", "at", "10:30", "."]),
        ("snake_case and re-read", ["snake_case", "and", "re", "-", "read"]),
        ("日本語です", ["日", "本", "語", "で", "す"]),
        ("iPhoneを買う", ["iPhone", "を", "買", "う"]),
        ("Привет, мир", ["Привет", ",", "мир"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("하나 둘", ["하나", "둘"]),
        ("👍🏽❤️", ["👍", "🏽", "❤️"]),
        ("a\0b\x07\u200bc", ["a", "b", "c"]),
        ("cafe\u0301", ["cafe\u0301"]),
        (" \n\t", []),
        ("", []),
    ],
)
def test_words_of_any_language_are_found(text, tokens):
    assert words_of(text) == tokens


def test_words_that_are_written_alike_are_one():
    cut = Words().fit(series(["Café it's FREE"] * 2))
    _, ids = cut.number(series(["cafe\u0301 IT’S ＦＲＥＥ"]))
    assert [cut.vocabulary[place - FIRST] for place in ids] == ["café", "it's", "free"]


def test_the_commonest_words_come_first_and_what_came_once_is_unknown():
    cut = Words().fit(series(["b a a", "b a c", "zz zz", None]))
    assert cut.vocabulary == ["a", "b", "zz"]
    owners, ids = cut.number(series(["a c", None, "zz new"]))
    assert owners.tolist() == [0, 0, 2, 2]
    assert ids.tolist() == [FIRST, UNKNOWN, FIRST + 2, UNKNOWN]
    assert cut.read(ids.tolist()) == f"a {UNKNOWN_SIGN} zz {UNKNOWN_SIGN}"


def test_numbers_that_are_not_known_are_read_by_their_length():
    cut = Words().fit(series(["call 0800 now", "call 0870 now", "in 1999", "in 1999"]))
    assert set(cut.vocabulary) == {"0000", "1999", "call", "in", "now"}
    _, ids = cut.number(series(["in 2024, 1999 or 12345"]))
    assert cut.read(ids.tolist()) == f"in 0000 {UNKNOWN_SIGN} 1999 {UNKNOWN_SIGN} {UNKNOWN_SIGN}"


def test_a_run_of_letters_without_end_is_no_word_to_learn():
    assert Words().fit(series(["x" * 65, "x" * 65, "y" * 64, "y" * 64])).vocabulary == ["y" * 64]


def test_characters_keep_their_case_and_accents():
    cut = Characters().fit(series(["Ee\u0301 E", "é \n e"]))
    assert sorted(cut.vocabulary) == [" ", "E", "é"]
    _, ids = cut.number(series(["É e\u0301\t\tE"]))
    assert cut.read(ids.tolist()) == UNKNOWN_SIGN + " é E"


@FEW
@given(TEXTS, TEXTS)
def test_byte_pairs_read_any_text_again_whatever_they_were_taught(taught, met):
    cut = BytePairs().fit(series(taught))
    owners, ids = cut.number(series(met))
    for place, text in enumerate(met):
        own = ids[owners == place]
        assert cut.read(own.tolist()) == (text or "").replace("\ufffd", UNKNOWN_SIGN)
        assert ((own >= FIRST) & (own < cut.size)).all()


def test_byte_pairs_join_what_stands_together_often():
    cut = BytePairs().fit(series(["the weather", "the feather", "the leather"] * 20))
    assert cut.tokens("the weather") == ["the", " weather"]
    assert len(cut.tokens("the heather")) < len("the heather")


@EVERY
@FEW
@given(data=st.data())
def test_there_is_one_token_for_each_number(name, data):
    cut = tokenizer_named(name).fit(series(data.draw(TEXTS)))
    text = data.draw(st.text(max_size=60))
    owners, ids = cut.number(series([text]))
    assert len(cut.tokens(text)) == len(ids) == len(owners)
    assert owners.dtype == np.int64
    assert ids.dtype == np.int32


@EVERY
def test_a_tokenizer_is_saved_as_json_and_learns_the_same_twice(name):
    cut = tokenizer_named(name).fit(series(MANY_TEXTS))
    state = json.dumps(cut.state())
    assert json.dumps(tokenizer_named(name).fit(series(MANY_TEXTS)).state()) == state
    loaded = tokenizer_from_state(json.loads(state))
    assert loaded.number(series(HAM))[1].tolist() == cut.number(series(HAM))[1].tolist()


def test_an_unknown_tokenizer_is_refused_with_the_nearest_name():
    with pytest.raises(Mistake, match="Did you mean 'words'") as refused:
        Text("c", "word")
    assert refused.value.code == "tokenizer-unknown"


# ---------------------------------------------------------------------------------------------- encoding


def test_text_of_two_sorts_is_told_apart():
    text = fitted()
    bags = [np.bincount(row, minlength=text.shape.sizes[1]) for row in text.encode(series(MANY_TEXTS))]
    model = LogisticRegression().fit(bags, ([0] * 4 + [1] * 3) * 5)
    later = text.encode(series(["call now to claim a free prize", "coming home later"]))
    bags = [np.bincount(row, minlength=text.shape.sizes[1]) for row in later]
    assert model.predict(bags).tolist() == [1, 0]


def test_capitals_and_blanks_make_no_difference():
    encoded = fitted().encode(series(["free prize now", "FREE  Prize\nnow "]))
    assert torch.equal(*encoded)


@EVERY
def test_padding_comes_at_the_end_and_nothing_has_a_token_of_its_own(name):
    text = fitted(name)
    encoded = text.encode(series(["ok", "", None, " \0" if name == "words" else ""]))
    length, size = text.shape.sizes
    assert encoded.shape == (4, length)
    assert encoded.dtype == torch.int32
    used = (encoded != PADDING).int()
    assert (used.diff(dim=1) <= 0).all()
    assert encoded[1:, 0].tolist() == [NOTHING] * 3
    assert (used[1:].sum(dim=1) == 1).all()
    assert encoded.max() < size


def test_nearly_every_training_text_is_read_whole_but_none_beyond_the_most():
    assert fitted(values=["a b"] * 99 + ["a b c d"] * 2).shape.sizes[0] == 4
    assert fitted(values=["a b"] * 990 + ["a b c d"] * 2).shape.sizes[0] == 2
    assert fitted(values=["a " * 10_000] * 3).shape.sizes[0] == MOST_TOKENS
    assert fitted(values=["", None]).shape.sizes == (1, FIRST)


def test_of_a_long_text_the_beginning_and_the_end_are_kept():
    text = fitted(values=["a b c d e"] * 10)
    long = "a b c " + "x " * 30 + "d e"
    assert text.tokens(long) == ["a", "b", "c", "d", "e"]
    assert text.decode(text.encode(series([long, "a b"]))).to_list() == ["a b c d e", "a b"]
    endless = "a b c" + " x" * MOST_LETTERS + " d e"
    assert text.tokens(endless) == ["a", "b", "c", "d", "e"]


@EVERY
@FEW
@given(data=st.data())
def test_tokens_and_ids_of_a_text_are_as_many(name, data):
    text = fitted(name, data.draw(TEXTS))
    some = data.draw(st.text(max_size=400))
    (ids,) = text.encode(series([some]))
    assert len(text.tokens(some)) == int((ids != PADDING).sum())


def test_more_texts_than_are_encoded_at_a_time_are_encoded_alike():
    text = fitted()
    column = series(MANY_TEXTS[:7]).new_from_index(2, CHUNK + 3)
    encoded = text.encode(column)
    assert encoded.shape == (CHUNK + 3, text.shape.sizes[0])
    assert (encoded == encoded[0]).all()


def test_a_missing_text_is_told_as_such():
    assert fitted(values=["it is fun"] * 3).tokens(None) == [NO_TEXT]


def test_texts_are_known_by_their_words_wherever_they_are_used():
    state = fitted("byte pairs").state()
    assert state["learnt"]["name"] == "byte pairs"
    assert Text.from_state(json.loads(json.dumps(state))).shape == fitted("byte pairs").shape


# ---------------------------------------------------------------------------------------------- anything

STRANGE = [
    *("\0", "\x1b[31m", "\ufeff", "\u202e", "\u200d", "\ufe0f", "👩‍👩‍👧‍👦", "🏳️‍🌈", "\U0010ffff", "\ue000"),
    *("שלום", "مرحبا", "नमस्ते", "ไทย", "漢字", "ﷺ", "e" + "\u0301" * 50, "İ", "ß", "\r\n", "\u2028", "\x85"),
    *("&amp;", "<br/>", "''''", "’’", "_" * 70, "9" * 400, "1.1.1.1", "null", " " * 300, "\t", "a" * 5_000),
]


def mutated(rng, texts, rows):
    """Texts with strange pieces put in, cut, doubled and reversed by lot."""
    found = []
    for _ in range(rows):
        text = texts[rng.integers(len(texts))]
        for _ in range(rng.integers(1, 6)):
            cut = rng.integers(len(text) + 1)
            piece = STRANGE[rng.integers(len(STRANGE))] if rng.random() < 0.7 else chr(rng.integers(0xD7FF))
            text = rng.choice([text[:cut] + piece + text[cut:], text[:cut], text[::-1], text + text[:50]])
        found.append(None if rng.random() < 0.05 else text)
    return found


def withstands(name, column):
    """Fitted on half of the texts, every text has a place, and JSON has room for the state."""
    text = Text("c", name).fit(column[: len(column) // 2])
    encoded = text.encode(column)
    length, size = text.shape.sizes
    assert encoded.shape == (len(column), length)
    assert ((encoded >= 0) & (encoded < size)).all()
    assert (encoded[:, 0] != PADDING).all()
    assert len(text.decode(encoded)) == len(column)
    assert torch.equal(Text.from_state(json.loads(json.dumps(text.state()))).encode(column), encoded)
    some = column[0]
    assert len(text.tokens(some)) == int((encoded[0] != PADDING).sum())


@EVERY
def test_no_strange_text_is_too_strange(name):
    withstands(name, series([*STRANGE, *mutated(np.random.default_rng(0), HAM + SPAM, 200)]))


@pytest.mark.slow
@EVERY
def test_two_thousand_mutants_and_a_line_of_megabytes_are_encoded(name):
    rng = np.random.default_rng(1)
    for _ in range(10):
        withstands(
            name, series([*mutated(rng, HAM + SPAM + STRANGE, 200), "x" * 3_000_000, "ab " * 1_000_000])
        )


@pytest.mark.slow
def test_spam_is_found_by_its_words():
    file = Path(os.environ.get("PRECEPTOR_DATA", "../shared/data")) / "sms_spam" / "sms_spam.csv"
    if not file.exists():
        pytest.skip(f"{file} is not there; set PRECEPTOR_DATA to the folder of data sets")
    frame = pl.read_csv(file)
    spam = (frame["type"] == "spam").to_numpy()
    late = np.random.default_rng(0).random(len(frame)) < 0.2
    text = Text("text").fit(frame["text"].filter(pl.Series(~late)))
    bags = np.stack([np.bincount(row, minlength=text.shape.sizes[1]) for row in text.encode(frame["text"])])
    model = LogisticRegression(max_iter=2_000).fit(bags[~late, 1:] > 0, spam[~late])
    assert roc_auc_score(spam[late], model.decision_function(bags[late, 1:] > 0)) > 0.985
