"""A tokenizer that came with a pretrained encoder: its own numbers, kept apart from those that all keep."""

import json

import polars as pl
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from preceptor.errors import Mistake
from preceptor.kinds.borrowed import Borrowed
from preceptor.kinds.kind import Kind
from preceptor.kinds.registry import kind_from_state
from preceptor.kinds.tokenizers import FIRST

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "good", "film", "bad"]


@pytest.fixture
def folder(tmp_path):
    """A folder with a tokenizer.json as published: its own signs around a text, lengths cut and padded."""
    model = Tokenizer(models.WordLevel({word: place for place, word in enumerate(WORDS)}, "[UNK]"))
    model.normalizer, model.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    model.add_special_tokens(WORDS[:4])
    model.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    model.enable_truncation(4)
    model.enable_padding(length=4)
    model.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def text(folder, column: pl.Series) -> Kind:
    state = {"kind": "text", "column": "review", "learnt": Borrowed.opened(folder).state(), "length": 1}
    return kind_from_state(state).fit(column)


def test_its_numbers_follow_on_those_that_every_tokenizer_keeps(folder):
    cut = Borrowed.opened(folder)
    owners, ids = cut.number(pl.Series(["A good film", None]))
    assert owners.tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert (ids - FIRST).tolist() == [2, 4, 5, 6, 3, 2, 3]
    assert cut.size == FIRST + len(WORDS)
    assert cut.tokens("A good film") == ["[CLS]", "A", "good", "film", "[SEP]"]
    assert cut.read(ids.tolist()) == "a good film"


def test_texts_are_neither_cut_nor_padded_as_the_file_says_but_as_the_training_texts_are_long(folder):
    column = pl.Series("review", ["a good film", "bad", "good good film, good", None])
    kind = text(folder, column)
    assert kind.shape.sizes == (7, FIRST + len(WORDS))
    encoded = kind.encode(column)
    assert encoded.shape == (4, 7)
    assert (encoded > 0).sum(1).tolist() == [5, 3, 7, 2]
    assert kind.decode(encoded)[0] == "a good film"


def test_what_is_cut_out_of_a_long_text_is_its_middle(folder):
    kind = text(folder, pl.Series("review", ["a film"] * 100))
    (ids,) = (kind.encode(pl.Series("review", ["good good bad bad film film"])) - FIRST).tolist()
    assert ids == [2, 5, 6, 3]
    assert kind.tokens("good good bad bad film film") == ["[CLS]", "good", "film", "[SEP]"]


def test_a_text_kind_is_saved_with_the_tokenizer_and_without_its_folder(folder):
    column = pl.Series("review", ["a good film", "so bad"])
    kind = text(folder, column)
    state = json.loads(json.dumps({"kind": "text", **kind.state()}))
    (folder / "tokenizer.json").unlink()
    assert kind_from_state(state).encode(column).equal(kind.encode(column))


@pytest.mark.parametrize("content", [None, b"{}", b"no json", b"\xff\xfe"])
def test_a_tokenizer_that_cannot_be_read_is_named(folder, content):
    file = folder / "tokenizer.json"
    file.write_bytes(content) if content is not None else file.unlink()
    with pytest.raises(Mistake) as raised:
        Borrowed.opened(folder)
    assert raised.value.code == "tokenizer-unreadable"
    assert raised.value.where == str(file)
