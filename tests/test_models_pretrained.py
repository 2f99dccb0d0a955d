"""Pretrained encoders: read from the disk alone, with weights that are all there, frozen or not."""

import json
import socket
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from preceptor.errors import Mistake
from preceptor.models.pretrained import PretrainedPicture, PretrainedText

IDS = torch.tensor([[5, 7, 9, 11], [4, 6, 0, 0], [0, 0, 0, 0]])
PRESENT = IDS > 0
PICTURES = torch.randn(3, 3, 20, 24, generator=torch.Generator().manual_seed(0))


def bert(transformers):
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
    return transformers.BertModel(transformers.BertConfig(vocab_size=30, max_position_embeddings=12, **sizes))


def t5(transformers):
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 24, "num_layers": 1, "num_heads": 2}
    return transformers.T5Model(transformers.T5Config(vocab_size=30, **sizes))


def vit(transformers):
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}
    return transformers.ViTModel(transformers.ViTConfig(image_size=16, patch_size=8, **sizes))


def resnet(transformers):
    config = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1])
    return transformers.ResNetModel(config)


TEXTS, LOOKS = [bert, t5], [vit, resnet]


@pytest.fixture
def saved(tmp_path):
    """Saves a tiny model with random weights as others would publish it, and gives its folder."""
    transformers = pytest.importorskip("transformers")

    def save(make):
        torch.manual_seed(0)
        make(transformers).save_pretrained(tmp_path / make.__name__)
        return tmp_path / make.__name__

    return save


def opened(folder, make, **choices) -> nn.Module:
    known = make in TEXTS
    return PretrainedText(folder, **choices) if known else PretrainedPicture(folder, 3, **choices)


def inputs(make):
    return (IDS, PRESENT) if make in TEXTS else (PICTURES,)


EVERY = pytest.mark.parametrize("make", TEXTS + LOOKS)


@EVERY
def test_a_folder_gives_a_vector_a_row_the_same_every_time(make, saved):
    folder = saved(make)
    trunk = opened(folder, make).train()
    features = trunk(*inputs(make))
    assert features.shape == (3, trunk.width) == (3, 16)
    assert features.isfinite().all()
    assert torch.equal(features, opened(folder, make)(*inputs(make)))


@EVERY
def test_rows_do_not_see_each_other(make, saved):
    trunk = opened(saved(make), make).eval()
    together = trunk(*inputs(make))
    alone = torch.cat([trunk(*(x[row : row + 1] for x in inputs(make))) for row in range(3)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@EVERY
def test_a_frozen_encoder_learns_nothing_and_another_learns_everywhere(make, saved):
    folder = saved(make)
    frozen = opened(folder, make)
    assert not any(parameter.requires_grad for parameter in frozen.parameters())
    before = {name: tensor.clone() for name, tensor in frozen.state_dict().items()}
    frozen.train()(*inputs(make))
    assert all(torch.equal(tensor, before[name]) for name, tensor in frozen.state_dict().items())

    free = opened(folder, make, frozen=False).train()
    free(*inputs(make)).square().sum().backward()
    unreached = [name for name, p in free.named_parameters() if p.requires_grad and p.grad is None]
    assert not unreached
    assert any(p.requires_grad for p in free.parameters())


@EVERY
def test_a_saved_encoder_is_made_again_without_its_folder(make, saved, tmp_path):
    trunk = opened(saved(make), make)
    save_file(trunk.state_dict(), tmp_path / "trunk.safetensors")
    configuration = json.loads(json.dumps(trunk.configuration))
    assert str(tmp_path) not in json.dumps(configuration)
    again = opened(configuration, make)
    again.load_state_dict(load_file(tmp_path / "trunk.safetensors"))
    assert torch.equal(trunk(*inputs(make)), again(*inputs(make)))


def test_padding_changes_no_answer_whatever_stands_in_it(saved):
    trunk = opened(saved(bert), bert)
    garbage = IDS.masked_fill(~PRESENT, 13)
    longer = nn.functional.pad(IDS, (0, 3)), nn.functional.pad(PRESENT, (0, 3))
    features = trunk(IDS, PRESENT)
    assert torch.equal(trunk(garbage, PRESENT), features)
    torch.testing.assert_close(trunk(*longer), features, rtol=1e-4, atol=1e-5)
    assert not features[2].any()


def test_a_text_longer_than_the_encoder_can_read_is_cut_off(saved):
    trunk = opened(saved(bert), bert)
    ids = torch.randint(1, 30, (2, 40), generator=torch.Generator().manual_seed(0))
    assert torch.equal(trunk(ids, ids > 0), trunk(ids[:, :10], ids[:, :10] > 0))


@pytest.mark.parametrize("make", LOOKS)
def test_grey_pictures_count_as_colour_ones_without_colour(make, saved):
    folder = saved(make)
    grey = PICTURES[:, :1]
    features = PretrainedPicture(folder, 1)(grey)
    torch.testing.assert_close(features, opened(folder, make)(grey.expand(-1, 3, -1, -1)))


@EVERY
def test_nothing_is_ever_asked_of_the_network(make, saved, monkeypatch):
    def refuse(*_):
        raise AssertionError("asked the network")

    folder = saved(make)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    opened(folder, make)
    with pytest.raises(Mistake) as raised:
        opened("someone/some-encoder", make)
    assert raised.value.code == "pretrained-unreadable"


def spoil_weights(folder):
    (folder / "model.safetensors").write_bytes(b"not weights at all")


def drop_weights(folder):
    (folder / "model.safetensors").unlink()


def drop_one_weight(folder):
    weights = load_file(folder / "model.safetensors")
    weights.pop(next(name for name in weights if "query" in name))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def shrink_one_weight(folder):
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if "query" in name)
    weights[name] = weights[name][:3].clone()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def spoil_configuration(folder):
    (folder / "config.json").write_text("{ not json")


def drop_configuration(folder):
    (folder / "config.json").unlink()


def unknown_family(folder):
    (folder / "config.json").write_text('{"model_type": "of-nobody"}')


def drop_folder(folder):
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


@pytest.mark.parametrize(
    "spoil",
    [
        spoil_weights,
        drop_weights,
        drop_one_weight,
        shrink_one_weight,
        spoil_configuration,
        drop_configuration,
        unknown_family,
        drop_folder,
    ],
)
def test_a_folder_that_is_no_sound_encoder_is_named(spoil, saved):
    folder = saved(bert)
    spoil(folder)
    with pytest.raises(Mistake) as raised:
        PretrainedText(folder)
    assert raised.value.code == "pretrained-unreadable"
    assert raised.value.where == str(folder)
    assert raised.value.why


def test_an_encoder_of_pictures_is_refused_for_texts_and_the_other_way_round(saved):
    for folder, reads in [(saved(vit), PretrainedText), (saved(bert), lambda at: PretrainedPicture(at, 3))]:
        with pytest.raises(Mistake) as raised:
            reads(folder)
        assert raised.value.code == "pretrained-other-input"


def test_the_head_of_another_task_is_left_behind_without_a_word(saved, capfd):
    def masked(transformers):
        return transformers.BertForMaskedLM(bert(transformers).config)

    folder = saved(masked)
    capfd.readouterr()
    features = PretrainedText(folder)(IDS, PRESENT)
    assert features.shape == (3, 16)
    assert capfd.readouterr() == ("", "")


def test_weights_in_half_precision_are_read_in_single(saved):
    folder = saved(bert)
    weights = {name: w.bfloat16() for name, w in load_file(folder / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "dtype": "bfloat16"}))
    assert opened(folder, bert)(IDS, PRESENT).dtype == torch.float32


def test_without_the_library_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(Mistake) as raised:
        PretrainedText(tmp_path)
    assert raised.value.code == "pretrained-extra"
    assert "preceptor[pretrained]" in raised.value.todo
