"""A step replayed is the step, to the last bit; and what cannot be replayed is not."""

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from preceptor.models.mixed import MixedNet
from preceptor.models.tabular import TabularNet
from preceptor.plan import TrainingPlan
from preceptor.training import FlatParameters, Training, train
from preceptor.training.script import Operation, Script, scripts
from preceptor.training.tape import Tape, record

PLAN = TrainingPlan(learning_rate=1e-2, batch_size=32, threads=1, ema=0.9)
Batch = tuple[Tensor, ...]


@pytest.fixture(autouse=True)
def _same_numbers_every_time():
    torch.manual_seed(0)


def stepping(net: nn.Module, loss=functional.mse_loss) -> tuple[Callable[..., Batch], FlatParameters]:
    flat = FlatParameters(net.train())

    def step(*batch: Tensor) -> Batch:
        value = loss(net(*batch[:-1]), batch[-1])
        flat.gradients.zero_()
        value.backward()
        return (value.detach(),)

    return step, flat


def results(run: Callable[..., Batch], flat: FlatParameters, batch: Batch) -> list[Tensor]:
    """All that a step leaves behind, from the state that it finds, which is put back."""
    before = flat.snapshot()
    torch.manual_seed(7)
    told = [one.clone() for one in (*run(*batch), flat.gradients, *flat.live().values(), torch.rand(1))]
    flat.restore(before)
    return told


def assert_replays(net: nn.Module, draw: Callable[[], Batch], loss=functional.mse_loss) -> Tape:
    step, flat = stepping(net, loss)
    tape = record(step, draw())
    assert tape is not None
    for _ in range(2):
        batch = draw()
        for one, other in zip(results(step, flat, batch), results(tape, flat, batch), strict=True):
            assert torch.equal(one, other)
        flat.weights.mul_(0.9)
    return tape


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "dense": lambda: nn.Linear(6, 6),
    "rectifier": nn.ReLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "leaky": nn.LeakyReLU,
    "softmax": lambda: nn.Softmax(1),
    "dropout": lambda: nn.Dropout(0.3),
    "batch norm": lambda: nn.BatchNorm1d(6),
    "layer norm": lambda: nn.LayerNorm(6),
    "convolution": lambda: nn.Sequential(
        nn.Unflatten(1, (1, 6)), nn.Conv1d(1, 2, 3, padding=1), nn.MaxPool1d(2)
    ),
    "pictures": lambda: nn.Sequential(nn.Unflatten(1, (1, 2, 3)), nn.Conv2d(1, 6, (2, 3)), nn.Flatten()),
    "frozen": lambda: nn.Linear(6, 6).requires_grad_(False),
    "spare": lambda: nn.ModuleDict({"unused": nn.Linear(2, 2)}) and nn.Identity(),
}


class Chain(nn.Module):
    """Layers one after another, each of six inputs and six outputs, and a last one."""

    def __init__(self, names: list[str]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(LAYERS[name]() for name in names)
        self.last, self.unused = nn.Linear(6, 2), nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x).flatten(1)[:, :6]
        return self.last(x)


@given(names=st.lists(st.sampled_from(sorted(LAYERS)), max_size=5), rows=st.integers(2, 9))
@settings(max_examples=60, deadline=None)
def test_a_net_of_any_layers_is_replayed_to_the_last_bit(names: list[str], rows: int):
    assert_replays(Chain(names), lambda: (torch.randn(rows, 6), torch.randn(rows, 2)))


def test_operations_in_place_and_shared_weights_are_replayed():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.twice, self.mask = nn.Linear(6, 6), nn.Parameter(torch.ones(6))
            self.register_buffer("count", torch.zeros(()))

        def forward(self, x: Tensor) -> Tensor:
            self.count += 1
            h = self.twice(x).relu_()
            h = self.twice((h + 1).mul_(2.0) * self.mask) + torch.ones_like(h).cumsum(1)
            zeros = torch.zeros(len(h), 6)
            zeros[:, :3] = h[:, 3:]
            noise = torch.rand_like(h) + torch.randperm(6) + torch.full((6,), 2.0).normal_()
            return (h + zeros).where(h > 0, h.sigmoid()) * noise

    assert_replays(Odd(), lambda: (torch.randn(5, 6), torch.randn(5, 6)))


@pytest.mark.parametrize("neighbours", [0, 8])
def test_the_net_for_tables_is_replayed(neighbours: int):
    numbers, codes, goal = torch.randn(3100, 3), torch.randint(4, (3100, 2)), torch.randn(3100, 1)
    net = TabularNet(3, (4, 4), 1, members=2, width=16, embedding=4, neighbours=neighbours, memory=3100)
    net.remember(numbers, codes, goal)

    def draw() -> Batch:
        rows = torch.randperm(3100)[:16]
        return numbers[rows], codes[rows], goal[rows, None].expand(-1, 2, 1).contiguous()

    assert_replays(net, draw)


ENCODERS = {
    **{
        f"picture {name}": ("picture", (3, 16, 16), {"trunk": name})
        for name in ("lenet", "small-conv-16", "vit-tiny")
    },
    **{
        f"steps {name}": ("steps", (12, 2), {"trunk": name}) for name in ("bag", "conv", "transformer", "gru")
    },
}


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_every_encoder_is_replayed_that_reads_no_lengths(name: str, precision: str):
    family, sizes, own = ENCODERS[name]
    rows = 40
    further = torch.randn(rows, *sizes) if family == "steps" else torch.randint(0, 255, (rows, *sizes)).byte()
    net = MixedNet({"it": {"family": family, "sizes": sizes, **own}}, 2, (), 3, members=1, depth=0)
    inputs = torch.randn(rows, 2), torch.zeros(rows, 0, dtype=torch.int64), further
    goal = torch.randint(3, (rows,))
    net.remember(*inputs, goal)

    def loss(output: Tensor, truth: Tensor) -> Tensor:
        return functional.cross_entropy(output.flatten(0, 1).float(), truth, label_smoothing=0.1)

    def draw() -> Batch:
        chosen = torch.randperm(rows)[:8]
        return (*(one[chosen] for one in inputs), goal[chosen])

    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16", cache_enabled=False):
        step, flat = stepping(net, loss)
        tape = record(step, draw())
        batch = draw()
        expected = results(step, flat, batch)
    reads_lengths = name == "steps gru"
    assert (tape is None) == reads_lengths
    assert tape is None or all(map(torch.equal, expected, results(tape, flat, batch)))


def test_gradients_are_made_where_they_belong_and_activations_share_memory():
    net = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    tape = assert_replays(net, lambda: (torch.randn(256, 8), torch.randn(256, 1)))
    done = [one for script in tape.program for one in script.operations]
    assert "add_" not in [one.function.overloadpacket.__name__ for one in done]
    made = [one.kwargs["out"] for one in done if "out" in one.kwargs]
    hidden = [one.data_ptr() for one in made if one.shape == (256, 64)]
    assert len(set(hidden)) < len(hidden)


def test_what_the_interpreter_cannot_be_told_is_done_between_two_scripts():
    x, twice, total = torch.ones(3), torch.zeros(3), torch.zeros((), dtype=torch.float64)
    double = Operation(torch.ops.aten.add.out, (x, x), {"out": twice})
    told = Operation(torch.ops.aten.sum.default, (twice,), {"dtype": torch.float64}, (total,))
    grow = Operation(torch.ops.aten.add_.Tensor, (x, twice), {})
    pieces = scripts([double, told, grow, grow])
    assert [type(one) for one in pieces] == [Script, Operation, Script]
    for _ in range(2):
        for run in pieces:
            run()
    assert (total, x.tolist()) == (30.0, [25.0] * 3)
    assert torch._C._get_graph_executor_optimize()


def test_many_nets_stacked_by_vmap_are_replayed():
    net, copies = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Dropout(0.2), nn.Linear(6, 1)), 3
    weights = {name: torch.randn(copies, *one.shape) for name, one in net.named_parameters()}
    gradients = {name: torch.zeros_like(one) for name, one in weights.items()}

    def loss(own: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        return functional.mse_loss(torch.func.functional_call(net, own, (x,)), y)

    def step(x: Tensor, y: Tensor) -> Batch:
        each = torch.func.grad_and_value(loss)
        found, losses = torch.func.vmap(each, randomness="different")(weights, x, y)
        for name, gradient in found.items():
            gradients[name].copy_(gradient)
        return (losses,)

    def draw() -> Batch:
        return torch.randn(copies, 16, 4), torch.randn(copies, 16, 1)

    tape = record(step, draw())
    assert tape is not None
    batch, told = draw(), []
    for run in (step, tape):
        torch.manual_seed(3)
        told.append([one.clone() for one in (*run(*batch), *gradients.values())])
    assert all(map(torch.equal, *told))


# What cannot be replayed


@pytest.mark.parametrize(
    "reading",
    [
        lambda x: x * x.sum().item(),
        lambda x: x[x[:, 0] > 0],
        lambda x: x[x.nonzero()[:, 0]],
        lambda x: x.masked_select(x > 0)[:, None].expand(-1, 6),
        lambda x: x * len(x.unique()),
        lambda x: x * bool((x > 0).all()),
        lambda x: x + torch.rand(6, generator=torch.Generator().manual_seed(1)),
    ],
)
def test_a_step_that_reads_values_is_not_recorded(reading: Callable[[Tensor], Tensor]):
    class Reading(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(reading(x))

    step, _ = stepping(Reading(6, 1), lambda output, goal: output.mean() + goal.mean())
    assert record(step, (torch.randn(8, 6), torch.randn(8, 1))) is None


def trained(net: nn.Module, step: str | None, epochs: int = 3) -> Training:
    generator = torch.Generator().manual_seed(1)
    x, y = (torch.randn(200, width, generator=generator) for width in (6, 1))
    plan = PLAN.model_copy(update={"step": step})
    training = Training(net, plan, epochs=epochs, seed=5)
    for _ in train(training, (x,), y, functional.mse_loss):
        pass
    return training


class Plain(nn.Module):
    """A net whose passes do something to Python, where `mischief` says what."""

    def __init__(self, mischief: Callable[["Plain"], float] = lambda net: 1.0) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.hidden, self.norm, self.last = nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 1)
        self.mischief, self.calls = mischief, 0

    def forward(self, x: Tensor) -> Tensor:
        return self.last(functional.dropout(self.norm(self.hidden(x)), 0.2)) * self.mischief(self)


def test_training_ends_with_the_same_bits_replayed_and_eager():
    replayed, eager = trained(Plain(), None), trained(Plain(), "eager")
    assert replayed.replayed
    assert not eager.replayed
    for one, other in zip(replayed.carried().values(), eager.carried().values(), strict=True):
        assert torch.equal(one, other)


def counted(net: Plain) -> float:
    net.calls += 1
    return 1.0 + net.calls % 2


MISCHIEF: dict[str, Callable[[Plain], float]] = {
    "counts": counted,
    "python's chance": lambda net: random.random(),
    "numpy's chance": lambda net: float(np.random.random()),
}


@pytest.mark.parametrize("name", MISCHIEF)
def test_a_net_that_changes_python_is_left_to_run_as_it_is_written(name: str):
    told = []
    for step in (None, "eager"):
        random.seed(3)
        np.random.seed(3)
        training = trained(Plain(MISCHIEF[name]), step)
        assert not training.replayed
        told.append(training.flat.weights)
    if name != "counts":
        assert torch.equal(*told)


def test_hooks_go_on_hearing_every_pass():
    net, heard = Plain(), []
    net.hidden.register_forward_hook(lambda *_: heard.append(1))
    assert not trained(net, None).replayed
    assert len(heard) == 3 * 7


def test_a_net_changed_between_epochs_is_recorded_again():
    def taught(step: str | None) -> Training:
        generator = torch.Generator().manual_seed(1)
        x, y = (torch.randn(200, width, generator=generator) for width in (6, 1))
        net = Plain()
        training = Training(net, PLAN.model_copy(update={"step": step}), epochs=4, seed=5)
        for epoch in train(training, (x,), y, functional.mse_loss):
            if epoch.number == 2:
                net.norm.momentum = 0.5
                net.mischief = lambda net: 2.0
        return training

    replayed, eager = taught(None), taught("eager")
    assert replayed.replayed
    assert torch.equal(replayed.flat.weights, eager.flat.weights)
    assert torch.equal(replayed.net.norm.running_mean, eager.net.norm.running_mean)
