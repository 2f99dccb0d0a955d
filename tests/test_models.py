"""The models: the laws that each obeys, and the textbook's numbers."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from preceptor.errors import Mistake
from preceptor.models.embedding import LEVELS, CodeEmbedding, NumberEmbedding, level_edges
from preceptor.models.mixed import MixedNet
from preceptor.models.mlp import ACTIVATIONS, MLP
from preceptor.models.neighbours import Neighbours
from preceptor.models.perceptron import LinearClassifier, Perceptron
from preceptor.models.tabular import TabularNet


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Case(NamedTuple):
    """A model, how to build it anew, example inputs, the promised shape, the promised size."""

    build: Callable[[], nn.Module]
    inputs: tuple[Tensor, ...]
    shape: tuple[int, ...]
    count: int


B, F = 7, 5
NUMBERS = torch.randn(B, F, generator=seeded(1))
CODES = torch.randint(0, 3, (B, 2), generator=seeded(2))
N = 20
MEMORY = (
    torch.randn(N, F, generator=seeded(4)),
    torch.randint(0, 3, (N, 2), generator=seeded(5)),
    torch.randint(0, 2, (N,), generator=seeded(6)),
)
SIZES = {"members": 3, "width": 8, "depth": 2, "embedding": 4, "neighbours": 6}


def remembered(model, *rows: Tensor):
    """The model after it has looked at training rows."""
    model.remember(*rows)
    return model


CASES = {
    "perceptron": Case(lambda: Perceptron(F), (NUMBERS,), (B,), Perceptron.parameter_count(F)),
    "linear": Case(
        lambda: LinearClassifier(F, 3), (NUMBERS,), (B, 3), LinearClassifier.parameter_count(F, 3)
    ),
    "shallow": Case(
        lambda: MLP(F, 2, widths=(6,), generator=seeded()),
        (NUMBERS,),
        (B, 2),
        MLP.parameter_count(F, 2, (6,)),
    ),
    "deep": Case(
        lambda: MLP(F, 2, widths=(6, 5, 4), activation="gelu", dropout=0.2, generator=seeded()),
        (NUMBERS,),
        (B, 2),
        MLP.parameter_count(F, 2, (6, 5, 4)),
    ),
    "normalised": Case(
        lambda: MLP(F, 2, widths=(6, 5), batch_norm=True, generator=seeded()),
        (NUMBERS,),
        (B, 2),
        MLP.parameter_count(F, 2, (6, 5), batch_norm=True),
    ),
    "numbers": Case(
        lambda: remembered(NumberEmbedding(F, 4, generator=seeded()), NUMBERS),
        (NUMBERS,),
        (B, F * 4),
        NumberEmbedding.parameter_count(F, 4),
    ),
    "codes": Case(
        lambda: CodeEmbedding((3, 9), 4, generator=seeded()),
        (CODES,),
        (B, 3 + 4),
        CodeEmbedding.parameter_count((3, 9), 4),
    ),
    "tabular-with-memory": Case(
        lambda: remembered(TabularNet(F, (3, 3), 2, **SIZES, memory=N, generator=seeded()), *MEMORY),
        (NUMBERS, CODES),
        (B, 3, 2),
        TabularNet.parameter_count(F, (3, 3), 2, **SIZES, memory=N),
    ),
    "tabular": Case(
        lambda: TabularNet(F, (3, 3), 2, **SIZES, generator=seeded()),
        (NUMBERS, CODES),
        (B, 3, 2),
        TabularNet.parameter_count(F, (3, 3), 2, **SIZES),
    ),
    "tabular-numbers-only": Case(
        lambda: TabularNet(F, (), 1, **SIZES, generator=seeded()),
        (NUMBERS, CODES[:, :0]),
        (B, 3, 1),
        TabularNet.parameter_count(F, (), 1, **SIZES),
    ),
    "tabular-codes-only": Case(
        lambda: TabularNet(0, (3, 3), 1, **SIZES, generator=seeded()),
        (NUMBERS[:, :0], CODES),
        (B, 3, 1),
        TabularNet.parameter_count(0, (3, 3), 1, **SIZES),
    ),
    "tabular-bare-numbers": Case(
        lambda: TabularNet(F, (3, 3), 2, **{**SIZES, "embedding": 0}, generator=seeded()),
        (NUMBERS, CODES),
        (B, 3, 2),
        TabularNet.parameter_count(F, (3, 3), 2, **{**SIZES, "embedding": 0}),
    ),
}
LAW = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def awake(model: nn.Module) -> nn.Module:
    """The model with every parameter moved off its start, where some are zero on purpose."""
    for parameter in model.parameters():
        parameter.data.add_(torch.randn(parameter.shape, generator=seeded(3)), alpha=0.3)
    return model


@LAW
def test_the_output_has_the_promised_shape(case):
    assert case.build()(*case.inputs).shape == case.shape


@LAW
def test_rows_of_a_batch_do_not_see_each_other(case):
    model = awake(case.build()).eval()
    together = model(*case.inputs)
    alone = torch.cat([model(*(x[row : row + 1] for x in case.inputs)) for row in range(B)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@LAW
def test_saved_equals_loaded(case, tmp_path):
    model = awake(case.build()).eval()
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    again = case.build().eval()
    again.load_state_dict(load_file(tmp_path / "model.safetensors"))
    assert torch.equal(model(*case.inputs), again(*case.inputs))


@LAW
def test_the_parameter_count_equals_its_formula(case):
    assert sum(parameter.numel() for parameter in case.build().parameters()) == case.count


@LAW
def test_the_same_generator_gives_the_same_model(case):
    first, second = case.build().state_dict(), case.build().state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_every_activation_has_its_textbook_values():
    z = torch.tensor([-2.0, 0.0, 3.0])
    expected = {
        "linear": [-2, 0, 3],
        "sigmoid": [0.1192, 0.5, 0.9526],
        "tanh": [-0.9640, 0, 0.9951],
        "relu": [0, 0, 3],
        "leaky_relu": [-0.02, 0, 3],
        "gelu": [-0.0455, 0, 2.9960],
        "silu": [-0.2384, 0, 2.8577],
        "relu2": [0, 0, 9],
    }
    assert set(expected) == set(ACTIVATIONS)
    for name, values in expected.items():
        torch.testing.assert_close(
            ACTIVATIONS[name](z), torch.tensor(values).float(), rtol=0, atol=1e-4, msg=name
        )


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.floats(-3, 3))
def test_the_net_for_tables_starts_at_the_constant_answer(outputs, value):
    start = torch.full((outputs,), value)
    net = TabularNet(F, (3, 3), outputs, **SIZES, start=start, generator=seeded())
    assert torch.equal(net(NUMBERS, CODES), start.expand(B, 3, outputs))


def test_the_members_of_the_net_for_tables_differ_once_they_have_learnt():
    net = awake(TabularNet(F, (), 1, **SIZES, generator=seeded())).eval()
    output = net(NUMBERS, CODES[:, :0])
    assert output.std(dim=1).min() > 0


def test_a_deep_net_keeps_the_size_of_its_signal_at_the_start():
    net = MLP(100, 10, widths=(256,) * 8, generator=seeded())
    output = net(torch.randn(64, 100, generator=seeded()))
    assert 0.3 < output.std() < 3


def test_a_small_net_can_learn_xor_where_the_perceptron_cannot():
    x = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    y = torch.tensor([0, 1, 1, 0])
    net = MLP(2, 2, widths=(8,), activation="tanh", generator=seeded())
    optimiser = torch.optim.Adam(net.parameters(), lr=0.05)
    for _ in range(200):
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimiser.step()
    assert net(x).argmax(dim=1).tolist() == y.tolist()


def test_saved_memory_is_loaded_into_a_net_that_remembers_nothing(tmp_path):
    def build():
        return TabularNet(F, (3, 3), 2, **SIZES, memory=N, generator=seeded())

    net = awake(remembered(build(), *MEMORY)).eval()
    save_file(net.state_dict(), tmp_path / "model.safetensors")
    again = build().eval()
    again.load_state_dict(load_file(tmp_path / "model.safetensors"))
    assert torch.equal(net(NUMBERS, CODES), again(NUMBERS, CODES))


def looked_up(training: bool, query: Tensor, memory: Tensor, answers: Tensor) -> Tensor:
    """The mean answers that identity projections find for `query` rows among `memory` rows."""
    look = Neighbours(2, 2, len(memory), 1)
    look.point.load_state_dict({"weight": 30 * torch.eye(2), "bias": torch.zeros(2)})
    look.remember(answers, torch.arange(len(memory)))
    keys = torch.tensor([int((memory == row).all(1).nonzero()) for row in query])
    return look.train(training)(query, look.recalled(memory, torch.arange(len(memory))), keys)[:, 0]


def test_a_settled_net_answers_the_same_until_it_learns_again():
    net = awake(remembered(TabularNet(F, (3, 3), 2, **SIZES, memory=N, generator=seeded()), *MEMORY)).eval()
    before = net(NUMBERS, CODES)
    net.settle()
    assert torch.equal(net(NUMBERS, CODES), before)
    with torch.no_grad():
        net.train().neighbours.point.weight.mul_(2)
    assert not torch.equal(net.eval()(NUMBERS, CODES), before)


def test_the_nearest_rows_answer_is_found():
    memory = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1.2, 0]])
    answers = torch.tensor([1.0, 2, 3, 4])
    found = looked_up(False, memory, memory, answers)
    torch.testing.assert_close(found, answers)


def test_a_row_in_training_never_sees_its_own_answer():
    memory = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1.2, 0]])
    answers = torch.tensor([1.0, 2, 3, 4])
    found = looked_up(True, memory, memory, answers)
    torch.testing.assert_close(found, torch.tensor([2.5, 1, 4, 3]))


def test_a_net_in_training_does_not_depend_on_the_answers_of_rows_with_the_same_inputs():
    numbers, codes = NUMBERS[:1].repeat(N, 1), CODES[:1].repeat(N, 1)
    numbers[N // 2 :] += torch.randn(N // 2, F, generator=seeded(7))
    outputs = []
    for twins_answer in (0.0, 1.0):
        goal = torch.linspace(-1, 1, N)
        goal[: N // 2] = twins_answer
        net = TabularNet(F, (3, 3), 1, **SIZES, memory=N, dropout=0.0, generator=seeded())
        net = awake(remembered(net, numbers, codes, goal)).train()
        outputs.append(net(NUMBERS[:1], CODES[:1]))
    torch.testing.assert_close(*outputs)


def test_a_memory_smaller_than_the_training_rows_keeps_evenly_spaced_ones():
    net = remembered(TabularNet(F, (3, 3), 2, **SIZES, memory=5, generator=seeded()), *MEMORY)
    assert torch.equal(net.numbers_kept, MEMORY[0][[0, 5, 10, 14, 19]])


def test_only_a_feature_crowded_into_one_value_has_levels():
    smooth = torch.randn(1000, generator=seeded())
    gains = torch.where(smooth > 0.5, torch.round(smooth * 10), 0.0)
    edges = level_edges(gains)
    assert len(level_edges(smooth)) == 0
    assert len(edges) == len(gains.unique()) - 1
    assert (edges.diff() > 0).all()
    assert len(level_edges(torch.where(smooth > 0.3, smooth, 0.0))) == LEVELS - 1


def test_neighbours_find_a_pattern_that_only_alike_rows_reveal():
    numbers = torch.randint(0, 40, (600, 1), generator=seeded()).float() / 10
    codes = torch.zeros(600, 0, dtype=torch.int64)
    noise = torch.randn(600, 1, generator=seeded(1)) * 1e-3
    goal = torch.randn(40, generator=seeded(2))[(numbers[:, 0] * 10).round().long()]
    numbers = numbers + noise
    net = TabularNet(1, (), 1, members=2, width=16, memory=400, generator=seeded())
    net.remember(numbers[:400], codes[:400], goal[:400])
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-2)
    for _ in range(150):
        optimiser.zero_grad()
        (net(numbers[:400], codes[:400])[..., 0] - goal[:400, None]).square().mean().backward()
        optimiser.step()
    unseen = net.eval()(numbers[400:], codes[400:])[..., 0].mean(dim=1)
    assert (unseen - goal[400:]).square().mean() < 0.1 * goal.var()


# The mixed net: encoders beside a table


PICTURES = torch.randint(0, 255, (B, 1, 8, 8), generator=seeded(7), dtype=torch.uint8)
WORDS = torch.randint(0, 9, (B, 6), generator=seeded(8), dtype=torch.int32)
ENCODERS = {
    "photo": {"family": "picture", "sizes": (1, 8, 8), "trunk": "lenet"},
    "title": {"family": "tokens", "sizes": (6, 9)},
}


def mixed(**head) -> MixedNet:
    head = {"members": 2, "width": 8, "depth": 1, "embedding": 4, **head}
    net = MixedNet(ENCODERS, F, (3, 3), 2, generator=seeded(), **head)
    net.remember(NUMBERS, CODES, PICTURES, WORDS, torch.zeros(B))
    return net.eval()


def test_a_mixed_net_answers_from_numbers_codes_pictures_and_words_at_once():
    net, inputs = mixed(), (NUMBERS, CODES, PICTURES, WORDS)
    torch.nn.init.normal_(net.head.head, generator=seeded(9))
    output = net(*inputs)
    assert output.shape == (B, 2, 2)
    for place, part in enumerate(inputs):
        others = [*inputs]
        others[place] = part.flip(0)
        assert not torch.allclose(net(*others), output), f"input {place} is ignored"
    alone = torch.cat([net(*(part[row : row + 1] for part in inputs)) for row in range(B)])
    torch.testing.assert_close(alone, output, rtol=1e-4, atol=1e-5)


def test_a_mixed_net_has_as_many_parameters_as_its_formula_says():
    counted = sum(parameter.numel() for parameter in mixed().parameters())
    sizes = {"members": 2, "width": 8, "depth": 1, "embedding": 4}
    assert counted == MixedNet.parameter_count(ENCODERS, F, (3, 3), 2, **sizes)


def test_a_family_without_an_encoder_is_named_with_those_that_have_one():
    with pytest.raises(Mistake, match="'smell'") as mistake:
        MixedNet({"x": {"family": "smell", "sizes": (3,)}}, 0, (), 1)
    assert "tokens" in str(mistake.value)
