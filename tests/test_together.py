"""Many at once: the law that each ends where it would alone, and what is allowed to differ."""

import copy
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor, nn
from torch.func import vmap
from torch.nn import functional

from preceptor.models.tabular import TabularNet
from preceptor.plan import TrainingPlan
from preceptor.training import Training, train
from preceptor.training.noise import Each, Noise
from preceptor.training.stack import Material, Stack
from preceptor.training.together import can_join, even, train_together

ROWS = 96


class Dense(nn.Module):
    """Layers with everything that makes a stack hard: dropout, batch statistics, a frozen layer."""

    def __init__(self, dropout: float, activation: str = "relu", norm: bool = True):
        super().__init__()
        self.dropout, self.activation = dropout, activation
        self.first = nn.Linear(5, 12, bias=not norm)
        self.norm = nn.BatchNorm1d(12) if norm else nn.Identity()
        self.frozen = nn.Linear(12, 12).requires_grad_(False)
        self.last = nn.Linear(12, 1)

    def forward(self, x: Tensor) -> Tensor:
        hidden = getattr(torch, self.activation)(self.norm(self.first(x)))
        hidden = functional.dropout(self.frozen(hidden), self.dropout, self.training)
        return self.last(hidden)


class Conv(nn.Module):
    def __init__(self, dropout: float):
        super().__init__()
        self.conv, self.drop, self.last = nn.Conv1d(1, 3, 3), nn.Dropout(dropout), nn.Linear(6, 1)

    def forward(self, x: Tensor) -> Tensor:
        found = functional.max_pool1d(self.conv(x[:, None]).relu(), 2, ceil_mode=True)
        return self.last(self.drop(found.flatten(1)))


class Table(nn.Module):
    """The net for tables, its codes drawn from its numbers."""

    def __init__(self, dropout: float, memory: int):
        super().__init__()
        look = {"members": 2, "width": 8, "embedding": 3, "neighbours": 4, "dropout": dropout}
        self.net = TabularNet(5, (3,), 1, memory=memory, generator=Generator().manual_seed(1), **look)
        nn.init.normal_(self.net.head)
        x, y = data(7, name="table with neighbours")
        self.net.remember(x, self.codes(x), y)

    def codes(self, x: Tensor) -> Tensor:
        return (x[:, :1] > 0).long() + 1

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x, self.codes(x)).mean(1)


NETS = {
    "dense": lambda dropout: Dense(dropout),
    "dense without norm, tanh": lambda dropout: Dense(dropout, "tanh", norm=False),
    "convolution": Conv,
    "table": lambda dropout: Table(dropout, 0),
    "table with neighbours": lambda dropout: Table(dropout, 60),
}


def data(seed: int = 0, *, name: str = "dense") -> tuple[Tensor, Tensor]:
    x = torch.randn(ROWS, 5, generator=Generator().manual_seed(seed))
    x = x if name == "table with neighbours" else x.double()
    return x, (x[:, :1] * x[:, 1:2] + x[:, 2:3].abs())


def loss(output: Tensor, goal: Tensor) -> Tensor:
    return functional.mse_loss(output, goal)


def huber(output: Tensor, goal: Tensor) -> Tensor:
    return functional.huber_loss(output, goal, delta=0.3)


def training(name: str, number: int, *, epochs: int = 3, dropout: float = 0.2, **choices) -> Training:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(number)
        # In 64 bits, since Adam makes as large a step of rounding as of a gradient that is next to nothing.
        net = NETS[name](dropout)
        net = net if name == "table with neighbours" else net.double()
    plan = TrainingPlan(batch_size=32, threads=1).model_copy(update=choices)
    return Training(net, plan, epochs=epochs, seed=number)


def score(one: Training) -> float:
    x, y = (part.to(one.flat.weights.dtype) for part in data(9))
    with one.evaluating():
        return float(loss(one.net(x), y))


def alone(one: Training, material: Material) -> list[float]:
    rows = slice(None) if material.rows is None else material.rows
    inputs = [part[rows] for part in material.inputs]
    losses = []
    for epoch in train(one, inputs, material.goal[rows], material.loss, augment=material.augment):
        if one.finite:
            one.judge(score(one))
        losses.append(epoch.loss)
    return losses


def together(many: list[Training], materials: list[Material]) -> list[list[float]]:
    losses: list[list[float]] = [[] for _ in many]
    for epochs in train_together(many, materials):
        for one, epoch, heard in zip(many, epochs, losses, strict=True):
            if epoch:
                if one.finite:
                    one.judge(score(one))
                heard.append(epoch.loss)
    return losses


def assert_alike(one: Training, other: Training) -> None:
    for name, tensor in one.carried().items():
        torch.testing.assert_close(tensor, other.carried()[name], rtol=1e-4, atol=1e-5)
    assert (one.epoch, one.optimiser.steps, one.finite) == (other.epoch, other.optimiser.steps, other.finite)
    assert one.best.epoch == other.best.epoch
    assert one.best.score == pytest.approx(other.best.score, rel=1e-3)


CHOICES = {
    "learning_rate": st.sampled_from([1e-3, 3e-3, 1e-2]),
    "momentum": st.sampled_from([0.8, 0.9]),
    "weight_decay": st.sampled_from([0.0, 0.1]),
    "schedule": st.sampled_from(["constant", "cosine", "plateau"]),
    "warmup": st.sampled_from([0.0, 0.3]),
    "clip": st.sampled_from([None, 0.1, 10.0]),
    "l1": st.sampled_from([0.0, 1e-3]),
    "l2": st.sampled_from([0.0, 1e-2]),
    "dropout": st.sampled_from([0.0, 0.1, 0.5]),
}


@given(
    name=st.sampled_from(sorted(NETS)),
    optimiser=st.sampled_from(["sgd", "momentum", "nesterov", "rmsprop", "adam", "nadam", "adamw", "muon"]),
    each=st.lists(st.fixed_dictionaries(CHOICES), min_size=3, max_size=3),
    ema=st.sampled_from([0.0, 0.9]),
    apart=st.booleans(),
)
@settings(max_examples=10, deadline=None)
def test_each_ends_where_it_would_alone(name: str, optimiser: str, each: list[dict], ema: float, apart: bool):
    def made() -> list[Training]:
        return [training(name, k, optimiser=optimiser, ema=ema, **one) for k, one in enumerate(each)]

    if name == "table with neighbours":
        optimiser = {"adam": "sgd", "adamw": "momentum", "nadam": "nesterov", "rmsprop": "sgd"}.get(
            optimiser, optimiser
        )
    x, y = data(name=name)
    drawn = [torch.randperm(ROWS, generator=Generator().manual_seed(k))[:80] for k in range(3)]
    sources = [((x,), y)] * 3 if apart else [((x + k,), y * k) for k in range(3)]
    losses = [loss, loss, huber if apart else loss]
    materials = [Material(*source, fn, rows) for source, fn, rows in zip(sources, losses, drawn, strict=True)]
    lone, many = made(), made()
    assert can_join(many, materials) is None
    expected = [alone(one, material) for one, material in zip(lone, materials, strict=True)]
    assert together(many, materials) == [pytest.approx(one, rel=1e-3) for one in expected]
    for one, other in zip(lone, many, strict=True):
        assert_alike(one, other)


def test_who_is_over_leaves_and_the_others_go_on():
    x, y = data()
    materials = [Material((x,), y, loss)] * 5
    patience = [1, 1, 3, 50, 50]

    def made() -> list[Training]:
        return [
            training("dense", k, epochs=4 + k, learning_rate=0.1 / (k + 1), patience=patience[k])
            for k in range(5)
        ]

    lone, many = made(), made()
    ends = [len(alone(one, material)) for one, material in zip(lone, materials, strict=True)]
    assert [len(losses) for losses in together(many, materials)] == ends
    assert len(set(ends)) > 1
    for one, other in zip(lone, many, strict=True):
        assert_alike(one, other)


def test_one_that_diverges_harms_nobody():
    x, y = data()
    materials = [Material((x,), y, loss)] * 3
    many = [
        training("dense", k, optimiser="sgd", clip=None, schedule="constant", warmup=0.0) for k in range(3)
    ]
    many[1].plan = many[1].plan.model_copy(update={"learning_rate": 1e30})
    lone = [copy.deepcopy(one.net) for one in many]
    together(many, materials)
    assert [one.finite for one in many] == [True, False, True]
    assert torch.equal(many[1].net.first.weight, lone[1].first.weight)


def test_survivors_go_on_with_others(tmp_path: Path):
    x, y = data()
    materials = [Material((x,), y, loss)] * 4
    lone, many = ([training("dense", k, epochs=6) for k in range(4)] for _ in range(2))
    for one in lone:
        alone(one, materials[0])
    for done in train_together(many, materials):
        if done[0].number == 2:
            break
    many[1].save(tmp_path)
    resumed = training("dense", 1, epochs=6)
    resumed.resume(tmp_path)
    for _ in train_together([many[0], resumed, many[3]], materials[:3]):
        pass
    for one, other in ((lone[0], many[0]), (lone[1], resumed), (lone[3], many[3])):
        torch.testing.assert_close(one.flat.weights, other.flat.weights, rtol=1e-4, atol=1e-5)
    assert many[2].epoch == 2


def test_nothing_is_shared_any_more_when_all_is_over():
    x, y = data()
    many = [training("dense", k) for k in range(3)]
    for _ in train_together(many, [Material((x,), y, loss)] * 3):
        pass
    stores = [tensor.untyped_storage().data_ptr() for one in many for tensor in one.carried().values()]
    assert len(set(stores)) == len(stores)
    before = many[1].flat.weights.clone()
    many[0].flat.weights.zero_()
    assert not many[0].net.last.weight.any()
    assert torch.equal(many[1].flat.weights, before)


def test_different_architectures_train_beside_each_other():
    names = ["dense", "convolution", "dense", "table with neighbours"]
    lone, many = ([training(name, k, optimiser="momentum") for k, name in enumerate(names)] for _ in range(2))
    sources = [data(name=name) for name in names]
    materials = [Material((x,), y, loss) for x, y in sources]
    expected = [alone(one, material) for one, material in zip(lone, materials, strict=True)]
    assert together(many, materials) == [pytest.approx(one, rel=1e-3) for one in expected]


def test_two_threads_give_what_one_gives():
    x, y = data()
    one, two = ([training("dense", k, threads=threads) for k in range(4)] for threads in (1, 2))
    for many in (one, two):
        together(many, [Material((x,), y, loss)] * 4)
    for first, second in zip(one, two, strict=True):
        torch.testing.assert_close(first.flat.weights, second.flat.weights, rtol=1e-4, atol=1e-5)


def test_augmentation_and_shares_are_as_alone():
    x, y = data()

    def shifted(batch: list[Tensor], rows: Tensor, number: int) -> list[Tensor]:
        return [batch[0] + 0.1 * (rows[:, None] % 3) + number]

    materials = [Material((x,), y, loss, augment=shifted)] * 3
    lone, many = ([training("dense", k) for k in range(3)] for _ in range(2))
    for one in (*lone, *many):
        one.shares = 2
    for one, material in zip(lone, materials, strict=True):
        alone(one, material)
    together(many, materials)
    for one, other in zip(lone, many, strict=True):
        assert_alike(one, other)


def test_the_callers_random_numbers_and_threads_stay():
    torch.manual_seed(1)
    expected, threads = torch.rand(3), torch.get_num_threads()
    torch.manual_seed(1)
    x, y = data()
    together([training("dense", k, threads=2) for k in range(2)], [Material((x,), y, loss)] * 2)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("other", "aspect"),
    [
        (lambda: training("dense without norm, tanh", 1), "architecture"),
        (lambda: training("dense", 1, batch_size=16), "mini-batches"),
        (lambda: training("dense", 1, optimiser="sgd"), "optimiser"),
        (lambda: training("dense", 1, ema=0.9), "moving average"),
    ],
)
def test_what_keeps_two_apart_is_named(other, aspect: str):
    x, y = data()
    against = can_join([training("dense", 0), other()], [Material((x,), y, loss)] * 2)
    assert against is not None
    assert aspect in against


def test_a_net_whose_way_hangs_on_its_numbers_runs_for_itself():
    class Deciding(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) * (2 if x.mean() > 0 else 1)

    def made() -> list[Training]:
        torch.manual_seed(0)
        plan = TrainingPlan(batch_size=32, threads=1)
        return [Training(Deciding(5, 1), plan, epochs=2, seed=k) for k in range(2)]

    x, y = data(name="table with neighbours")
    lone, many, materials = made(), made(), [Material((x,), y, loss)] * 2
    assert can_join(many, materials) is not None
    for one, material in zip(lone, materials, strict=True):
        alone(one, material)
    together(many, materials)
    for one, other in zip(lone, many, strict=True):
        assert_alike(one, other)


def test_the_noise_of_each_net_is_the_noise_it_has_alone():
    def draw(x: Tensor) -> Tensor:
        kept = functional.dropout(x, 0.3) + torch.rand_like(x) + torch.randn(4) + torch.rand(4)
        return kept + torch.randperm(4) + torch.empty_like(x).normal_(1, 2) + torch.bernoulli(x.sigmoid())

    x = torch.randn(3, 4)
    expected = []
    for net in range(3):
        torch.manual_seed(net)
        expected.append(draw(x[net]))
    with Noise([Generator().manual_seed(net) for net in range(3)]):
        found = vmap(draw, randomness="different")(x)
    torch.testing.assert_close(found, torch.stack(expected))


def test_a_rate_for_each_net_reaches_dropout_and_nothing_else():
    x = torch.ones(2, 1000)
    with Noise([Generator().manual_seed(0), Generator().manual_seed(1)]):
        kept = vmap(lambda one: functional.dropout(one, Each((0.0, 0.5))), randomness="different")(x)
    assert torch.equal(kept[0], x[0])
    assert 0.4 < float((kept[1] == 0).float().mean()) < 0.6
    with pytest.raises(TypeError):
        vmap(lambda one: one * Each((0.0, 0.5)))(x)


@given(count=st.integers(1, 200), threads=st.integers(1, 8), most=st.integers(1, 9))
@settings(max_examples=40)
def test_runs_are_even_and_keep_every_thread_busy(count: int, threads: int, most: int):
    runs = even(list(range(count)), threads, most)
    assert [place for run in runs for place in run] == list(range(count))
    sizes = [len(run) for run in runs]
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= most
    assert len(runs) >= min(count, threads)
    assert math.ceil(len(runs) / threads) == math.ceil(count / (most * threads)) or len(runs) == count


def trained_as_one(replay: bool, **choices) -> Stack:
    x, y = data()
    many = [training("dense", k, ema=0.9, **choices) for k in range(3)]
    stack = Stack(many, [Material((x,), y, loss)] * 3, replay=replay)
    for _ in range(2):
        stack.epoch()
    return stack


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
def test_a_step_of_many_replayed_is_the_step_of_many_to_the_last_bit(optimiser: str):
    replayed, eager = (trained_as_one(replay, optimiser=optimiser) for replay in (True, False))
    assert replayed.trusted
    assert not eager.trusted
    for name, table in eager.tables.items():
        assert torch.equal(table, replayed.tables[name]), name


def test_many_are_not_replayed_when_a_replay_leaves_other_bits():
    class Moody(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) * np.random.random()

    x, y = data(name="table with neighbours")
    many = [Training(Moody(5, 1), TrainingPlan(batch_size=32, threads=1), epochs=2, seed=k) for k in range(2)]
    stack = Stack(many, [Material((x,), y, loss)] * 2)
    stack.epoch()
    assert not stack.trusted


def test_nets_with_hooks_stand_alone_and_are_heard():
    x, y = data()
    many, heard = [training("dense", k) for k in range(3)], []
    many[1].net.first.register_forward_hook(lambda *_: heard.append(1))
    materials = [Material((x,), y, loss)] * 3
    assert "listens" in can_join(many, materials)
    together(many, materials)
    assert len(heard) == 3 * 3 + 3  # three epochs of three steps, and a score after each
