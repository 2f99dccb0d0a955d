"""Nets run where their weights are: no forward pass makes a tensor on the CPU while weights lie elsewhere.

There need be no other device here: the device "meta" knows every shape and type, and computes nothing.
"""

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from preceptor.augmentation.mixing import MIXINGS
from preceptor.augmentation.picture import CHANGES, Augmenter
from preceptor.errors import Mistake
from preceptor.machine import device
from preceptor.models.forecast import ForecastNet
from preceptor.models.mixed import MixedNet
from preceptor.models.mlp import MLP
from preceptor.models.pictures import PictureEncoder
from preceptor.models.steps import StepEncoder
from preceptor.models.tabular import TabularNet
from preceptor.models.words import TokenEncoder
from preceptor.plan import TrainingPlan
from preceptor.problem import Inputs
from preceptor.training.loop import mini_batches
from preceptor.training.state import Training

ELSEWHERE = torch.device("meta")
ROWS = 4


class NothingOnTheCPU(TorchDispatchMode):
    """Fails at the first operation that leaves a tensor, other than a single number, on the CPU."""

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        made = operation(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor) and tensor.ndim and tensor.device.type == "cpu":
                raise AssertionError(f"{operation} made a tensor of shape {tuple(tensor.shape)} on the CPU")
        return made


def numbers(features: int = 3) -> Tensor:
    return torch.empty(ROWS, features, device=ELSEWHERE)


def codes(columns: int = 1) -> Tensor:
    return torch.empty(ROWS, columns, dtype=torch.int64, device=ELSEWHERE)


def pixels(side: int) -> Tensor:
    return torch.empty(ROWS, 3, side, side, dtype=torch.uint8, device=ELSEWHERE)


def tokens() -> Tensor:
    return torch.empty(ROWS, 12, dtype=torch.int32, device=ELSEWHERE)


def steps() -> Tensor:
    return torch.empty(ROWS, 12, 2, device=ELSEWHERE)


def mixed() -> nn.Module:
    photo = {"family": "picture", "sizes": (3, 16, 16), "trunk": "lenet"}
    return MixedNet({"photo": photo}, features=3, cardinalities=(5,), outputs=2)


BY_LENGTH = {"rnn", "lstm", "gru", "pretrained"}
"""The fused recurrent cells are told each row's length on the CPU, wherever they run."""

PICTURE_TRUNKS = [name for name in PictureEncoder.trunks if name != "pretrained"]
NETS = {
    "perceptrons": (lambda: MLP(3, 2, dropout=0.1, batch_norm=True), lambda: (numbers(),)),
    "table": (
        lambda: TabularNet(features=3, cardinalities=(5,), outputs=2, memory=20),
        lambda: (numbers(), codes()),
    ),
    "codes alone": (
        lambda: TabularNet(features=0, cardinalities=(5, 3), outputs=1),
        lambda: (numbers(0), codes(2)),
    ),
    "numbers alone": (
        lambda: TabularNet(features=3, cardinalities=(), outputs=1),
        lambda: (numbers(), codes(0)),
    ),
    "mixed": (mixed, lambda: (numbers(), codes(), pixels(16))),
    "forecast": (
        lambda: ForecastNet((12, 2), 0, (), outputs=6, horizon=3),
        lambda: (numbers(0), codes(0), steps()),
    ),
    **{
        f"picture {name}": (
            lambda name=name: PictureEncoder((3, 32, 32), trunk=name, mirrored=True),
            lambda: (pixels(32),),
        )
        for name in PICTURE_TRUNKS
    },
    **{
        f"words {name}": (lambda name=name: TokenEncoder((12, 30), trunk=name), lambda: (tokens(),))
        for name in TokenEncoder.trunks
        if name not in BY_LENGTH
    },
    **{
        f"steps {name}": (lambda name=name: StepEncoder((12, 2), trunk=name), lambda: (steps(),))
        for name in StepEncoder.trunks
        if name not in BY_LENGTH
    },
}


@pytest.fixture(autouse=True)
def texts_and_windows_without_gaps(monkeypatch):
    """How long texts are and whether steps are missing is asked of the values, and there are none."""
    monkeypatch.setattr("preceptor.models.words.trimmed", lambda ids_BL: ids_BL)
    monkeypatch.setattr("preceptor.models.forecast.filled", lambda steps_BTD: steps_BTD)


@pytest.mark.parametrize("training", [True, False], ids=["training", "answering"])
@pytest.mark.parametrize("name", NETS)
def test_a_net_stays_on_the_device_of_its_weights(name: str, training: bool):
    make, inputs = NETS[name]
    net = make().train(training).to(ELSEWHERE)
    given = inputs()
    with NothingOnTheCPU():
        output = net(*given)
        if training and output.requires_grad:
            output.square().mean().backward()
    assert output.device == ELSEWHERE


def test_a_gpu_that_is_not_there_is_refused_in_plain_words(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device() == device("cpu") == torch.device("cpu")
    with pytest.raises(Mistake) as refused:
        device("cuda")
    assert refused.value.code == "device-absent"


def test_a_gpu_is_taken_where_there_is_one_unless_the_cpu_is_asked_for(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "set_float32_matmul_precision", lambda precision: None)
    assert device().type == device("cuda").type == "cuda"
    assert device("cpu").type == "cpu"


def test_rows_go_to_a_device_whole():
    rows = Inputs(torch.ones(3, 2), torch.ones(3, 1, dtype=torch.int64), (torch.ones(3, 4),))
    assert {part.device for part in rows.to(ELSEWHERE).tensors} == {ELSEWHERE}
    assert rows.to(torch.device("cpu")).numbers is rows.numbers


@pytest.mark.parametrize("change", [*CHANGES, *MIXINGS])
def test_pictures_are_changed_where_they_lie(change: str):
    pictures = torch.empty(9, 3, 16, 16, dtype=torch.uint8, device=ELSEWHERE)
    augmenter = Augmenter((3, 16, 16), (change,), seed=0, pictures=pictures)
    with NothingOnTheCPU():
        changed = augmenter(pictures[:4], torch.arange(4, device=ELSEWHERE), 1)
    assert changed.device == ELSEWHERE


def test_the_order_of_rows_is_told_where_the_weights_are():
    training = Training(MLP(3, 1).to(ELSEWHERE), TrainingPlan(batch_size=5), epochs=1, seed=0)
    assert {rows.device for rows in mini_batches(training, 20)} == {ELSEWHERE}
