"""Examples to see: where a net looked, which words decide, what is alike, and the file that holds all."""

import base64
import io
import json

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image as Pillow
from torch import nn

from preceptor.data.pictures import keep
from preceptor.data.table import Account, Schema, Table
from preceptor.desk import Desk, Nobody
from preceptor.explain import Subject, examples, slices
from preceptor.explain.looking import first_filters, looked_at
from preceptor.explain.purse import Purse
from preceptor.explain.slices import aspects
from preceptor.explain.tiles import heated, sheet, tile
from preceptor.explain.words import MOST_PIECES, pieces, telling_words, without, word_effects
from preceptor.inspection.roles import Roles
from preceptor.kinds.category import Category
from preceptor.kinds.image import Image
from preceptor.kinds.number import Number
from preceptor.kinds.text import Text
from preceptor.ledger import Ledger
from preceptor.metrics import many_class_metrics
from preceptor.net import Net
from preceptor.plan import Plan
from preceptor.predictor import Predictor
from preceptor.problem import Problem


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PRECEPTOR_CACHE", str(tmp_path / "cache"))
    torch.manual_seed(0)


class Corner(nn.Module):
    """It sees bright pixels through one filter and answers by those in the upper left corner alone."""

    width = 2

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 2, 3, padding=1, bias=False)
        nn.init.constant_(self.layer.weight, 0.1)

    def forward(self, x):
        seen = torch.relu(self.layer(x.float() / 255))
        return torch.stack([seen[:, 0, :6, :6].mean((1, 2)), 0.1 * seen[:, 1].mean((1, 2))], dim=1)


class Words(nn.Module):
    """A bag of token embeddings."""

    width = 4

    def __init__(self, tokens):
        super().__init__()
        self.table = nn.EmbeddingBag(tokens, 4, mode="sum", padding_idx=0)

    def forward(self, x):
        return self.table(x.long())


class Whole(nn.Module):
    def __init__(self, encoder, outputs):
        super().__init__()
        self.encoders = nn.ModuleList([encoder])
        self.head = nn.Linear(encoder.width, outputs)

    def forward(self, numbers, codes, *further):
        return self.head(self.encoders[0](further[0]))[:, None]


class Handmade(Net):
    """A Net around a module that was not made by the recipe."""

    def __init__(self, module, target):
        self.module, self.target = module.eval(), target

    def outputs(self, inputs):
        return self.module(*inputs.tensors).detach()

    def features(self, inputs):
        return self.module.encoders[0](inputs.further[0]).detach()


def table_of(names=None, **columns) -> Table:
    frame = pl.DataFrame(columns)
    return Table(frame, np.arange(len(frame)) + 2, "t", Schema({}), Account(len(frame)), names=names)


def photos(count: int, side: int = 16) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(0, 255, (side, side, 3), np.uint8) for _ in range(count)]


def pictures(count: int, **columns) -> Table:
    keys = [kept.key for kept in keep(photos(count), 64)]
    return table_of(photo=pl.Series(keys, dtype=pl.Binary), **columns)


def subject_of(table: Table, input_kind, target_kind, encoder=None) -> Subject:
    target = target_kind.fit(table.frame[target_kind.column])
    problem = Problem([input_kind], target).fit(table)
    module = Whole(encoder or Words(problem.shapes[0].sizes[1]), target.outputs)
    predictor = Predictor([problem], {"net": [Handmade(module, target)]}, {"net": 1.0})
    scores = predictor.scores(table)
    truth = target.truth(table.frame[target.column])
    errors = np.abs(scores - truth) if scores.ndim == 1 else 1 - scores[np.arange(len(truth)), truth]
    return Subject(table, table, predictor, scores, errors)


def written(subject: Subject, folder, kinds: dict[str, str], seconds: float = 30.0) -> list[dict]:
    """The exhibits in a run's folder; `kinds` of the inputs and, last, of the target."""
    (folder / "run").mkdir(exist_ok=True)
    ledger = Ledger(folder / "run" / "ledger.jsonl")
    desk = Desk(None, Plan(target=[*kinds][-1]), folder / "run", ledger, Nobody(), 0.0)
    examples(desk, Roles([*kinds][-1], tuple([*kinds][:-1]), {}, kinds, None, None), subject, seconds)
    path = folder / "run" / "figures" / "examples.json"
    return json.loads(path.read_text())["exhibits"] if path.exists() else []


# ------------------------------------------------------------------------------------------ looking


def test_a_net_that_answers_by_one_corner_is_seen_to_look_there():
    module = Whole(Corner(), 2)
    nn.init.constant_(module.head.weight, 0.0)
    module.head.weight.data[0, 0] = 1.0
    x = torch.from_numpy(np.stack(photos(3))).permute(0, 3, 1, 2)
    saliency, grad_cam = looked_at(module, module.encoders[0], [x[:, :0], x[:, :0], x], lambda o: o[:, 0, 0])
    assert saliency.shape == grad_cam.shape == (3, 16, 16)
    assert saliency[:, :5, :5].min() > 0.5
    assert saliency[:, 9:, 9:].max() == 0
    assert 0 <= grad_cam.min() <= grad_cam.max() <= 1


def test_looking_leaves_the_net_as_it_was():
    module = Whole(Corner(), 2)
    x = torch.from_numpy(np.stack(photos(2))).permute(0, 3, 1, 2)
    before = module(x, x, x)
    looked_at(module, module.encoders[0], [x, x, x], lambda output: output[:, 0, 0])
    assert torch.equal(before, module(x, x, x))
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in module.modules())
    assert all(weight.grad is None for weight in module.parameters())


def test_a_net_without_maps_of_features_has_no_place_to_look_at():
    flat = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    module = nn.Sequential(flat)
    assert looked_at(module, flat, [torch.ones(2, 3, 2, 2)], lambda output: output[:, 0]) is None
    assert first_filters(flat) is None


# -------------------------------------------------------------------------------------------- tiles


def opened(source: str) -> Pillow.Image:
    kind, _, text = source.partition(";base64,")
    assert kind in ("data:image/png", "data:image/jpeg")
    return Pillow.open(io.BytesIO(base64.b64decode(text)))


@pytest.mark.parametrize("shape", [(1, 1, 1), (28, 28, 1), (32, 32, 3), (300, 20, 3), (500, 700, 1)])
def test_a_tile_is_a_small_picture_of_the_same_form(shape):
    picture = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    shown = opened(tile(picture))
    assert max(shown.size) <= 96
    if max(shape) <= 40:
        assert np.array_equal(np.asarray(shown).reshape(shape), picture)


def test_heat_colours_what_was_looked_at_and_leaves_the_rest_grey():
    picture, heat = np.full((4, 8, 3), 200, np.uint8), np.zeros((4, 8))
    heat[:, 4:] = 1.0
    warm = heated(picture, heat).astype(int)
    assert (np.ptp(warm[:, :4], axis=2) == 0).all()
    assert (warm[:, 4:, 0] > warm[:, 4:, 2] + 50).all()


def test_filters_lie_side_by_side_with_gaps_between():
    page = sheet(np.random.default_rng(0).normal(size=(20, 1, 3, 3)), across=8)
    assert page.shape == (11, 31, 4)
    assert (page[3] == 0).all()
    assert (page[:3, :3, 3] == 255).all()
    assert (page[8:, 4 * 4 :] == 0).all()  # 20 = 2 x 8 + 4


# -------------------------------------------------------------------------------------------- words


def test_pieces_are_words_marks_and_single_characters_of_scripts_without_spaces():
    text = "Don't  go!!! 漢字 naïve_1"
    found = [text[begin:end] for begin, end in pieces(text)]
    assert found == ["Don't", "go", "!!!", "漢", "字", "naïve_1"]
    assert pieces(" \n ") == []
    assert len(pieces("word " * 1000)) == MOST_PIECES
    assert without("so very good", (3, 7)) == "so good"


def counting(texts, owners):
    """A score that is the number of words "good" less that of "bad", and its opposite."""
    score = np.array([text.count("good") - text.count("bad") for text in texts], float)
    return np.column_stack([score, -score])


def test_the_effect_of_a_word_is_what_the_score_falls_by_without_it():
    (effects, nothing, more) = word_effects(["a good day", "", "bad good"], counting)
    assert effects[:, 0].tolist() == [0, 1, 0]
    assert nothing.shape == (0, 2)
    assert more.tolist() == [[-1, 1], [1, -1]]


def test_the_words_that_argue_for_a_class_are_found_over_many_texts():
    texts = ["good day", "Good evening", "bad good night", "bad day", "bad bad dream", "rare"]
    found = telling_words(
        texts, word_effects(texts, lambda t, o: counting([s.lower() for s in t], o)), ["+", "-"]
    )
    assert [(one["name"], one["word"], one["texts"]) for one in found] == [("+", "good", 3), ("-", "bad", 3)]
    assert found[0]["effect"] == pytest.approx(1.0)


# --------------------------------------------------------------------------------------- the purse


def test_what_time_buys_is_measured_once_and_kept():
    ledger, calls = Ledger(), []
    once = lambda: calls.append(1) or 10  # noqa: E731
    many = Purse(ledger, "photo", 60.0).rows("things", 25, 0.5, once)
    assert (many, len(calls)) == (25, 1)
    assert Purse(ledger, "photo", -1.0).rows("things", 25, 0.5, once) == 25
    assert Purse(Ledger(), "photo", 0.0).rows("things", 25, 0.5, once) == 0
    assert len(calls) == 1


# ---------------------------------------------------------------------------------------- exhibits


def test_a_picture_column_becomes_an_exhibit_of_everything(tmp_path):
    classes = ["cat", "dog", "frog"] * 20
    table = pictures(60, animal=classes)
    (exhibit,) = written(subject_of(table, Image("photo"), Category("animal"), Corner()), tmp_path,
                         {"photo": "image", "animal": "category"})  # fmt: skip
    assert [group["name"] for group in exhibit["glance"]] == ["cat", "dog", "frog"]
    assert exhibit["sizes"] == {"pictures": [[16, 16, 60]], "missing": 0}
    assert len(exhibit["worst"]) == len(exhibit["best"]) == 12
    assert exhibit["worst"][0]["error"] >= exhibit["worst"][-1]["error"]
    assert {pair["truth"] for pair in exhibit["confused"]} == {"cat", "dog", "frog"}
    assert sum(pair["rows"] for pair in exhibit["confused"]) == 60
    assert len(exhibit["looked"]) == 8
    assert exhibit["filters"]["shape"] == [2, 3, 3, 3]
    assert all(len(row["near"]) == 4 for row in exhibit["near"])
    for row in exhibit["near"]:  # it has learnt these very pictures
        assert row["near"][0]["alike"] == pytest.approx(1.0, abs=1e-5)


def test_a_text_column_becomes_an_exhibit_of_shaded_words(tmp_path):
    texts = [f"{'good' if n % 2 else 'bad'} text number {n} of many" for n in range(40)]
    table = table_of(text=texts, mood=["+" if n % 2 else "-" for n in range(40)])
    (exhibit,) = written(subject_of(table, Text("text"), Category("mood")), tmp_path,
                         {"text": "text", "mood": "category"})  # fmt: skip
    row = exhibit["worst"][0]
    assert [row["shown"][begin:end] for begin, end, _ in row["pieces"]] == row["shown"].split()
    assert len(exhibit["lengths"]) == 40
    assert {one["name"] for one in exhibit["telling"]} == {"+", "-"}
    assert exhibit["near"][0]["near"][0]["alike"] == pytest.approx(1.0, abs=1e-5)


def test_without_time_the_examples_are_shown_all_the_same(tmp_path):
    table = table_of(text=[f"a text of number {n}" for n in range(40)], mood=["+", "-"] * 20)
    (exhibit,) = written(subject_of(table, Text("text"), Category("mood")), tmp_path,
                         {"text": "text", "mood": "category"}, seconds=-1.0)  # fmt: skip
    assert exhibit["worst"]
    assert exhibit["near"] == []
    assert "telling" not in exhibit


def test_numbers_asked_of_pictures_are_shown_from_the_least_to_the_greatest(tmp_path):
    table = pictures(30, age=np.arange(30.0))
    (exhibit,) = written(subject_of(table, Image("photo"), Number("age"), Corner()), tmp_path,
                         {"photo": "image", "age": "number"})  # fmt: skip
    assert [group["rows"] for group in exhibit["glance"]] == [30]
    assert exhibit["confused"] == []
    assert "sure" not in exhibit["worst"][0]
    assert exhibit["looked"]


def test_equal_pictures_are_shown_once(tmp_path):
    table = pictures(10, animal=["cat", "dog"] * 5)
    table = table.take(np.tile(np.arange(10), 6))
    subject = subject_of(table, Image("photo"), Category("animal"), Corner())
    keys = table.frame["photo"].gather(subject.worst(12, "photo"))
    assert keys.n_unique() == len(keys)


def test_a_table_of_numbers_has_nothing_to_be_shown(tmp_path):
    table = pictures(8, animal=["cat", "dog"] * 4)
    subject = subject_of(table, Image("photo"), Category("animal"), Corner())
    assert written(subject, tmp_path, {"animal": "category"}) == []


# ------------------------------------------------------------------------------------------- slices


def test_pictures_are_parted_by_brightness_and_texts_by_length():
    dark, light = [np.full((8, 8, 1), n, np.uint8) for n in range(40)], []
    light = [np.full((8, 8, 1), 200 + n, np.uint8) for n in range(40)]
    keys = pl.Series([kept.key for kept in keep([*dark, *light], 64)], dtype=pl.Binary)
    words = [f"a b c {n} " + "word " * (n % 30) for n in range(80)]
    truth, scores = np.zeros(80, np.int64), np.tile([1.0, 0.0], (80, 1))
    scores[:40] = [0.0, 1.0]  # wrong in the dark
    found = slices(table_of(photo=keys, text=words), ["photo", "text"], truth, scores,
                   many_class_metrics()["accuracy"], least_rows=10)  # fmt: skip
    assert found[0]["column"] == "brightness of photo"
    assert found[0]["score"] == 0
    assert "words in text" in {one["column"] for one in found}


def test_a_missing_picture_is_a_part_of_its_own():
    keys = [kept.key for kept in keep(photos(3), 64)]
    bright, large = aspects(pl.Series("photo", [None, keys[0], None, keys[1], keys[2]], dtype=pl.Binary))
    assert bright.is_null().to_list() == large.is_null().to_list() == [True, False, True, False, False]
    assert bright[1] == pytest.approx(float(photos(3)[0].mean()))
    assert len(aspects(pl.Series("photo", [None, None], dtype=pl.Binary))) == 2


def test_series_are_parted_by_length_and_windows_not_at_all():
    ragged = pl.Series("run", [[[1.0]], [[1.0], [2.0]]], dtype=pl.List(pl.Array(pl.Float32, 1)))
    assert aspects(ragged)[0].to_list() == [1, 2]
    assert aspects(pl.Series("window", [[[1.0], [2.0]]], dtype=pl.Array(pl.Float32, (2, 1)))) == []
