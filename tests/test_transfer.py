"""What an earlier run lends to a new one: its kind and its encoder, together or not at all."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image as Picture
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

import preceptor
from preceptor.data.read import read
from preceptor.errors import Mistake
from preceptor.kinds.category import Category
from preceptor.kinds.image import Image
from preceptor.kinds.number import Number
from preceptor.kinds.registry import kind_from_state
from preceptor.kinds.text import Text
from preceptor.ledger import Ledger
from preceptor.models.pictures import PictureEncoder
from preceptor.models.pretrained import PretrainedText
from preceptor.net import ensemble_loss, new_net
from preceptor.plan import NetPlan, Plan
from preceptor.predictor import Predictor
from preceptor.problem import Problem
from preceptor.recipe import settle
from preceptor.training import Training, train
from preceptor.transfer import borrow, fingerprint, loans, pretrained_folder, pretrained_loans

WORDS = ["good", "bad", "fine", "poor", "great", "awful", "nice", "dull", "warm", "cold", "bright", "dark"]


def table(seed: int, column: str = "review"):
    draw = np.random.default_rng(seed)
    texts = [" ".join(draw.choice(WORDS, 6)) for _ in range(60)]
    return read(
        pl.DataFrame(
            {
                column: texts,
                "stars": draw.normal(size=60),
                "class": ["yes" if "good" in t else "no" for t in texts],
            }
        )
    )


def made(rows, inputs, lent=None, **plan):
    target = Category("class").fit(rows.frame["class"])
    problem = Problem(inputs, target, lent).fit(rows)
    inputs = problem.encode(rows)
    answers = rows.frame["class"]
    net = NetPlan(**plan)
    return problem, inputs, new_net(net, problem, inputs, target.goal(answers), target.truth(answers), seed=0)


@pytest.fixture
def earlier(tmp_path: Path):
    """A run whose net has read reviews."""
    problem, _, net = made(table(0), [Text("review")], members=1, depth=0)
    with torch.no_grad():
        for parameter in net.module.parameters():
            parameter.add_(0.1)
    Predictor([problem], {"net": [net]}, {"net": 1.0}).save(tmp_path / "model")
    return tmp_path, problem, net


def test_kind_and_encoder_are_lent_together_also_to_a_column_of_another_name(earlier):
    folder, lender, net = earlier
    lent = loans(folder, {"comment": "text", "stars": "number"})
    assert set(lent) == {"comment"}
    rows = table(1, "comment")
    problem, inputs, pupil = made(
        rows, [Text("comment")], lent, encoders={"comment": lent["comment"].options}
    )
    renamed = table(1, "review")
    assert torch.equal(inputs.further[0], lender.encode(renamed).further[0])
    assert torch.equal(pupil.features(inputs), net.features(lender.encode(renamed)))
    assert problem.inputs[0].column == "comment"


def test_what_is_frozen_does_not_learn_and_the_rest_does(earlier):
    folder, _, _ = earlier
    lent = loans(folder, {"review": "text"})
    for frozen in (True, False):
        options = {"review": {**lent["review"].options, "frozen": frozen}}
        _, _, pupil = made(table(1), [Text("review"), Number("stars")], lent, encoders=options)
        pupil.module.train()
        learning = {name for name, one in pupil.module.named_parameters() if one.requires_grad}
        assert any(name.startswith("encoders") for name in learning) is not frozen
        assert any(name.startswith("head") for name in learning)
        assert pupil.module.encoders[0].training is not frozen


def test_a_plan_takes_the_lent_encoder_as_it_was_made(earlier):
    folder, problem, _ = earlier
    lent = {name: loan.options for name, loan in loans(folder, {"review": "text"}).items()}
    further = {"review": problem.shapes[0]}
    plan = settle(Plan.of(freeze=True), "two-class", 500, 0, further, lent)
    assert plan.net.encoders == {"review": {**lent["review"], "frozen": True}}


def test_nothing_to_lend_is_said_in_words(earlier, tmp_path: Path):
    folder, _, _ = earlier
    with pytest.raises(Mistake, match="nothing of that kind"):
        loans(folder, {"stars": "number"})
    with pytest.raises(Mistake, match="holds no model"):
        loans(tmp_path / "nowhere", {"review": "text"})
    problem, _, net = made(
        table(0), [Number("stars")], members=2, width=4, depth=1, embedding=2, neighbours=0
    )
    Predictor([problem], {"net": [net]}, {"net": 1.0}).save(tmp_path / "plain" / "model")
    with pytest.raises(Mistake, match="no encoder to lend"):
        loans(tmp_path / "plain", {"review": "text"})


# ------------------------------------------------------------------------------- told, and the same again


def changed(folder: Path, net):
    with torch.no_grad():
        next(net.module.encoders.parameters()).view(-1)[0] += 1e-6
    weights = {name: tensor.contiguous() for name, tensor in net.module.state_dict().items()}
    save_file(weights, folder / "model" / "net-0.safetensors")


def test_what_is_lent_is_told_and_a_lender_that_has_changed_is_refused(earlier, tmp_path: Path):
    folder, _, net = earlier
    plan, kinds = Plan.of(from_run=str(folder), freeze=True), {"comment": "text", "stars": "number"}
    ledger = Ledger(tmp_path / "ledger.jsonl")
    lent = borrow(ledger, plan, kinds, table(1, "comment"))
    (told,) = ledger.of("lent")
    assert (told["column"], told["from"], told["frozen"]) == ("comment", str(folder), True)
    assert told["parameters"] == sum(one.numel() for one in lent["comment"].weights.values())

    resumed = Ledger(tmp_path / "ledger.jsonl")
    borrow(resumed, plan, kinds, table(1, "comment"))
    assert resumed.of("lent") == [told]
    changed(folder, net)
    repeated = Ledger(pinned=ledger.decisions())
    for known in (Ledger(tmp_path / "ledger.jsonl"), repeated):
        with pytest.raises(Mistake) as raised:
            borrow(known, plan, kinds, table(1, "comment"))
        assert raised.value.code == "lender-changed"
    borrow(Ledger(), plan, kinds, table(1, "comment"))


def test_texts_in_words_that_the_lender_has_never_read_are_noticed(earlier):
    folder, _, _ = earlier
    foreign = pl.DataFrame({"review": ["gut schlecht fein " + word for word in WORDS]})
    for rows, noticed in [(read(foreign), True), (table(1), False)]:
        ledger = Ledger()
        borrow(ledger, Plan.of(from_run=str(folder)), {"review": "text"}, rows)
        assert [found["code"] for found in ledger.of("finding")] == ["lent-words-unknown"] * noticed


def test_nothing_is_borrowed_or_told_where_nobody_asks_for_it():
    ledger = Ledger()
    assert borrow(ledger, Plan.of(), {"review": "text"}, table(0)) == {}
    assert not ledger.events


def test_a_fingerprint_sees_kind_options_and_weights(earlier):
    folder, _, _ = earlier
    (one,) = loans(folder, {"review": "text"}).values()
    (same,) = loans(folder, {"review": "text"}).values()
    longer = kind_from_state({"kind": "text", **one.kind.state(), "length": 99})
    heavier = {name: tensor + 1 for name, tensor in one.weights.items()}
    assert fingerprint(one) == fingerprint(same)
    others = [
        replace(one, kind=longer),
        replace(one, options={"trunk": "bag"}),
        replace(one, weights=heavier),
    ]
    assert len({fingerprint(loan) for loan in (one, *others)}) == 4


# ------------------------------------------------------------------------------- what others have trained

SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}


@pytest.fixture
def bert(tmp_path: Path):
    """A tiny reader with random weights, saved as others would publish it, and its tokenizer."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.BertConfig(vocab_size=len(WORDS) + 4, max_position_embeddings=12, **SIZES)
    transformers.BertModel(config).save_pretrained(tmp_path / "bert")
    save_tokenizer(tmp_path / "bert", WORDS)
    return tmp_path / "bert"


@pytest.fixture
def vit(tmp_path: Path):
    """A tiny onlooker with random weights, and the colours it is used to."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.ViTConfig(image_size=16, patch_size=8, **SIZES)
    transformers.ViTModel(config).save_pretrained(tmp_path / "vit")
    means = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.2, 0.2]}
    (tmp_path / "vit" / "preprocessor_config.json").write_text(json.dumps(means))
    return tmp_path / "vit"


def save_tokenizer(folder: Path, words: list[str]) -> None:
    signs = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    model = Tokenizer(models.WordLevel({word: at for at, word in enumerate(signs + words)}, "[UNK]"))
    model.pre_tokenizer = pre_tokenizers.Whitespace()
    model.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    model.save(str(folder / "tokenizer.json"))


def photos(folder: Path, channels: int):
    """Twenty pictures of two classes, 20 x 20 pixels."""
    draw = np.random.default_rng(0)
    for place in range(20):
        name = "dark" if place % 2 else "light"
        (folder / name).mkdir(parents=True, exist_ok=True)
        pixels = draw.integers(0, 100, (20, 20, 3)) + (0 if place % 2 else 150)
        picture = Picture.fromarray(pixels.astype(np.uint8)).convert("RGB" if channels == 3 else "L")
        picture.save(folder / name / f"{place}.png")
    return read(folder)


def saved_and_loaded(folder: Path, problem, net):
    """The net of a predictor that was saved, in a place where the lender is no more."""
    Predictor([problem], {"net": [net]}, {"net": 1.0}).save(folder / "model")
    return Predictor.load(folder / "model")


def test_a_pretrained_reader_lends_its_tokenizer_and_its_weights_to_every_text(bert, tmp_path: Path):
    lent = pretrained_loans(bert, {"review": "text", "stars": "number"}, table(0))
    assert set(lent) == {"review"}
    problem, inputs, net = made(table(0), [Text("review")], lent, encoders={"review": lent["review"].options})
    assert inputs.further[0].shape == (60, 8)  # six words and the two signs around them
    assert (inputs.further[0][:, 0] == 5).all()
    trunk, ids = PretrainedText(bert), inputs.further[0] - 3
    torch.testing.assert_close(net.features(inputs), trunk(ids, ids >= 0))
    for file in bert.iterdir():
        file.unlink()
    again = saved_and_loaded(tmp_path / "run", problem, net)
    assert np.array_equal(again.scores(table(1)), net.predict(problem.encode(table(1))))
    assert again.families["net"][0].features(inputs).equal(net.features(inputs))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_pretrained_onlooker_lends_its_colours_and_its_weights_to_every_picture(
    vit, tmp_path: Path, channels: int
):
    rows = photos(tmp_path / "photos", channels)
    lent = pretrained_loans(vit, {"picture": "image"}, rows)
    problem, inputs, net = made(rows, [Image("picture")], lent, encoders={"picture": lent["picture"].options})
    assert inputs.further[0].shape == (20, channels, 16, 16)  # no larger than it looks at
    scale = net.module.encoders[0].scale
    assert scale.center.flatten().tolist() == pytest.approx([127.5, 102, 76.5] if channels == 3 else [102])
    for file in vit.iterdir():
        file.unlink()
    again = saved_and_loaded(tmp_path / "run", problem, net)
    assert again.families["net"][0].features(inputs).equal(net.features(inputs))
    options = lent["picture"].options
    counted = PictureEncoder.parameter_count(inputs.further[0].shape[1:], **options)
    assert counted == sum(one.numel() for one in net.module.encoders[0].parameters())


def test_a_lent_reader_learns_or_is_frozen_as_the_plan_says(bert):
    lent = pretrained_loans(bert, {"review": "text"}, table(0))
    for frozen in (True, False):
        options = {"review": {**lent["review"].options, "frozen": frozen}}
        _, _, net = made(table(0), [Text("review")], lent, encoders=options)
        assert any(one.requires_grad for one in net.module.encoders.parameters()) is not frozen


def test_what_others_have_trained_learns_on_in_small_steps(bert, vit, tmp_path: Path):
    for folder, kind, rows in [
        (bert, Text("review"), table(0)),
        (vit, Image("picture"), photos(tmp_path / "photos", 3)),
    ]:
        lent = pretrained_loans(folder, {kind.column: kind.name}, rows)
        problem, inputs, net = made(rows, [kind], lent, encoders={kind.column: lent[kind.column].options})
        plan = settle(Plan.of(), "two-class", 60, 0, {kind.column: problem.shapes[0]}).training
        goal = problem.target.goal(rows.frame["class"])
        training = Training(net.module, plan.model_copy(update={"warmup": 0.0}), epochs=2, seed=0)
        before = {name: one.detach().clone() for name, one in net.module.named_parameters() if one.numel()}
        for _ in train(training, inputs.tensors, goal, ensemble_loss(problem.target, 0.0)):
            pass
        now = net.module.state_dict()
        steps = {name: float((now[name] - one).abs().max()) for name, one in before.items()}
        farthest = max(step for name, step in steps.items() if name.startswith("encoders"))
        assert 0 < farthest < 2e-3 < max(step for name, step in steps.items() if name.startswith("head"))


def test_a_run_lends_on_what_was_lent_to_it(bert, tmp_path: Path):
    lent = pretrained_loans(bert, {"review": "text"}, table(0))
    problem, _, net = made(table(0), [Text("review")], lent, encoders={"review": lent["review"].options})
    Predictor([problem], {"net": [net]}, {"net": 1.0}).save(tmp_path / "run" / "model")
    (onward,) = loans(tmp_path / "run", {"comment": "text"}).values()
    assert onward.options == lent["review"].options
    assert all(tensor.equal(onward.weights[name]) for name, tensor in lent["review"].weights.items())


def test_what_a_pretrained_encoder_cannot_read_gets_nothing(bert, vit, tmp_path: Path):
    for folder, kinds in [(bert, {"photo": "image"}), (vit, {"review": "text"})]:
        with pytest.raises(Mistake) as raised:
            pretrained_loans(folder, kinds, table(0))
        assert raised.value.code == "transfer-nothing-alike"


def test_a_tokenizer_that_knows_more_tokens_than_its_encoder_is_another_ones(bert):
    save_tokenizer(bert, [*WORDS, "more"])
    with pytest.raises(Mistake) as raised:
        pretrained_loans(bert, {"review": "text"}, table(0))
    assert raised.value.code == "pretrained-other-tokenizer"


def test_an_encoder_of_nobody_is_named(bert):
    (bert / "config.json").write_text('{"model_type": "of-nobody"}')
    with pytest.raises(Mistake) as raised:
        pretrained_loans(bert, {"review": "text"}, table(0))
    assert raised.value.code == "pretrained-unreadable"


def test_a_pretrained_encoder_is_found_as_a_folder_or_by_its_name_in_the_cache(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    kept = tmp_path / "models--someone--tiny"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text("abc")
    (kept / "snapshots" / "abc").mkdir(parents=True)
    (kept / "snapshots" / "abc" / "config.json").write_text("{}")
    assert pretrained_folder(Path("someone/tiny")) == kept / "snapshots" / "abc"
    assert pretrained_folder(kept / "snapshots" / "abc") == kept / "snapshots" / "abc"
    assert pretrained_folder(Path("someone/other")) is None
    assert pretrained_folder(tmp_path) is None
    assert pretrained_folder(Path("a/b/c")) is None


def test_without_the_library_the_extra_is_named_and_only_where_it_is_needed(earlier, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    folder, _, _ = earlier
    kinds = {"review": "text"}
    assert set(borrow(Ledger(), Plan.of(from_run=str(folder)), kinds, table(0))) == {"review"}
    there = tmp_path / "bert"
    there.mkdir()
    (there / "config.json").write_text('{"model_type": "bert"}')
    for source, code in [(there, "pretrained-extra"), (tmp_path / "gone", "transfer-no-run")]:
        with pytest.raises(Mistake) as raised:
            borrow(Ledger(), Plan.of(from_run=str(source)), kinds, table(0))
        assert raised.value.code == code


# ------------------------------------------------------------------------------------------ from start to end


@pytest.mark.slow
def test_a_run_starts_from_another_is_repeated_and_refuses_when_its_lender_has_changed(tmp_path: Path):
    quick = {"rivals": (), "folds": 1, "minutes": 0.5, "training": {"epochs": 3}}
    for seed, name in enumerate(("earlier.csv", "later.csv")):
        pl.concat([table(10 * seed + more).frame for more in range(4)]).write_csv(tmp_path / name)
    earlier = preceptor.fit(tmp_path / "earlier.csv", "class", out=tmp_path / "earlier", **quick)
    choices = {**quick, "from_run": str(earlier.folder), "freeze": True}
    run = preceptor.fit(tmp_path / "later.csv", "class", out=tmp_path / "later", **choices)
    (told,) = run.ledger().of("lent")
    assert told["column"] == "review"
    lender, pupil = (Predictor.load(one.folder / "model") for one in (earlier, run))
    ours, theirs = (one.families["net"][0].module.encoders.state_dict() for one in (pupil, lender))
    assert all(tensor.equal(theirs[name]) for name, tensor in ours.items())
    again = preceptor.fit(tmp_path / "later.csv", plan=run.folder / "plan.json", out=tmp_path / "again")
    assert weights(again.folder) == weights(run.folder)
    changed(earlier.folder, lender.families["net"][0])
    with pytest.raises(Mistake, match="not what would be lent"):
        preceptor.fit(tmp_path / "later.csv", plan=run.folder / "plan.json", out=tmp_path / "refused")


def weights(folder: Path) -> bytes:
    return (folder / "model" / "net-0.safetensors").read_bytes()
