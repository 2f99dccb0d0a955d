"""Trunks that read sequences, and the encoders of words and steps: the laws that all obey."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from preceptor.models.recurrent import GRU, LSTM, RNN
from preceptor.models.sequences import TRUNKS
from preceptor.models.steps import StepEncoder
from preceptor.models.transformer import TransformerBlock
from preceptor.models.words import TokenEncoder, trimmed

F, B, T = 5, 6, 9
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, {}) for name in TRUNKS},
    "bag with layers": ("bag", {"layers": 2, "width": 7}),
    "gru stacked": ("gru", {"layers": 2, "width": 4, "dropout": 0.3}),
    "lstm, one direction": ("lstm", {"layers": 2, "width": 4, "bidirectional": False}),
    "rnn, one direction": ("rnn", {"width": 4, "bidirectional": False}),
    "transformer, deep": ("transformer", {"layers": 3, "width": 6, "heads": 3}),
    "transformer, odd width": ("transformer", {"layers": 1, "width": 5, "heads": 1}),
    "conv, two lengths": ("conv", {"lengths": (1, 2), "width": 3}),
}
LAW = pytest.mark.parametrize("name", VARIANTS)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def built(name: str, seed: int = 0) -> nn.Module:
    trunk, options = VARIANTS[name]
    return TRUNKS[trunk](F, generator=seeded(seed), **options)


def awake(model: nn.Module) -> nn.Module:
    """The model with every parameter moved off its start, answering soberly."""
    for parameter in model.parameters():
        parameter.data.add_(torch.randn(parameter.shape, generator=seeded(3)), alpha=0.2)
    return model.eval()


def sequences(seed: int = 1) -> tuple[Tensor, Tensor]:
    """Steps, and which of them are present: rows of one to T steps, padded at the end."""
    x = torch.randn(B, T, F, generator=seeded(seed))
    return x, torch.arange(T) < torch.tensor([T, 1, 4, 2, T - 1, 3])[:, None]


@LAW
def test_a_trunk_answers_one_vector_a_row(name):
    trunk = built(name)
    assert trunk(*sequences()).shape == (B, trunk.width)


@LAW
def test_rows_of_a_batch_do_not_see_each_other(name):
    trunk, (x, present) = awake(built(name)), sequences()
    alone = torch.cat([trunk(x[row : row + 1], present[row : row + 1]) for row in range(B)])
    torch.testing.assert_close(trunk(x, present), alone, rtol=1e-4, atol=1e-5)


@LAW
@settings(max_examples=12, deadline=None)
@given(st.integers(0, 5), st.integers(0, 5), st.sampled_from([0.0, 1.0, -30.0, 1e4]), st.integers(0, 99))
def test_padding_in_front_or_at_the_end_never_changes_an_answer(name, front, end, garbage, seed):
    trunk, (x, present) = awake(built(name)), sequences(seed)
    padded = torch.full((B, front + T + end, F), garbage)
    padded[:, front : front + T] = torch.where(present[..., None], x, garbage)
    there = nn.functional.pad(present, (front, end))
    torch.testing.assert_close(trunk(padded, there), trunk(x, present), rtol=1e-4, atol=1e-5)


@LAW
def test_a_row_without_a_single_step_has_an_answer_and_disturbs_nobody(name):
    trunk, (x, present) = awake(built(name)), sequences()
    empty = present & (torch.arange(B) != 2)[:, None]
    answer = trunk(x, empty)
    assert answer.isfinite().all()
    others = torch.arange(B) != 2
    torch.testing.assert_close(answer[others], trunk(x, present)[others], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in VARIANTS if name != "bag"])
def test_gradients_reach_every_parameter(name):
    trunk = built(name).train()
    answer = trunk(*sequences())
    (answer * torch.randn(answer.shape, generator=seeded(5))).sum().backward()
    silent = [name for name, p in trunk.named_parameters() if p.grad is None or not p.grad.any()]
    assert not silent


@LAW
def test_the_parameter_count_equals_its_formula(name):
    trunk, options = VARIANTS[name]
    found = sum(parameter.numel() for parameter in built(name).parameters())
    assert found == TRUNKS[trunk].parameter_count(F, **options)


@LAW
def test_the_same_generator_gives_the_same_trunk_and_another_one_does_not(name):
    first, again, other = (built(name, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not first or any(not torch.equal(first[key], other[key]) for key in first)


@LAW
def test_saved_equals_loaded(name, tmp_path):
    trunk, inputs = awake(built(name)), sequences()
    save_file(trunk.state_dict(), tmp_path / "trunk.safetensors")
    again = built(name, seed=9).eval()
    again.load_state_dict(load_file(tmp_path / "trunk.safetensors"))
    assert torch.equal(trunk(*inputs), again(*inputs))


@LAW
def test_products_in_sixteen_bits_answer_nearly_the_same(name):
    trunk, inputs = built(name).eval(), sequences()
    with torch.autocast("cpu", torch.bfloat16):
        short = trunk(*inputs).float()
    torch.testing.assert_close(short, trunk(*inputs), rtol=0.1, atol=0.1)


# ---------------------------------------------------------------------------------------- recurrent cells


@pytest.mark.parametrize("cell", [RNN, LSTM, GRU])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 3])
def test_the_written_out_cell_gives_the_numbers_of_the_fused_layer(cell, bidirectional, layers):
    net = awake(cell(F, width=4, layers=layers, bidirectional=bidirectional, generator=seeded()))
    x = torch.randn(B, T, F, generator=seeded(1))
    fused = net(x, torch.ones(B, T, dtype=torch.bool))
    torch.testing.assert_close(net.unrolled(x), fused, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("cell", [RNN, LSTM, GRU])
def test_gaps_between_steps_are_skipped(cell):
    net, (x, _) = awake(cell(F, width=4, generator=seeded())), sequences()
    present = torch.tensor([True, False, True, True, False, False, True, True, False]).expand(B, T)
    closed_up = x[:, present[0]]
    expected = net(closed_up, torch.ones(closed_up.shape[:2], dtype=torch.bool))
    torch.testing.assert_close(net(x, present), expected)


def test_orthogonal_states_neither_fade_nor_grow_at_the_start():
    net = RNN(F, width=16, bidirectional=False, generator=seeded())
    U = net.cells.weight_hh_l0
    torch.testing.assert_close(U @ U.T, torch.eye(16), rtol=0, atol=1e-5)


# -------------------------------------------------------------------------------------------- transformer


def test_a_causal_block_never_looks_ahead():
    block = awake(TransformerBlock(8, 2, 16, generator=seeded()))
    x = torch.randn(2, T, 8, generator=seeded(1))
    changed = x.clone()
    changed[:, 5:] = torch.randn(2, T - 5, 8, generator=seeded(2))
    before, after = block(x, causal=True), block(changed, causal=True)
    torch.testing.assert_close(after[:, :5], before[:, :5])
    assert not torch.allclose(block(changed)[:, :5], block(x)[:, :5])


def test_without_positions_a_block_does_not_know_the_order():
    block = awake(TransformerBlock(8, 2, 16, generator=seeded()))
    x, order = torch.randn(2, T, 8, generator=seeded(1)), torch.randperm(T, generator=seeded(2))
    torch.testing.assert_close(block(x[:, order]), block(x)[:, order], rtol=1e-4, atol=1e-5)


def test_the_transformer_knows_the_order():
    trunk, (x, _) = awake(built("transformer")), sequences()
    present = torch.ones(B, T, dtype=torch.bool)
    assert not torch.allclose(trunk(x.flip(1), present), trunk(x, present), atol=1e-3)


def test_heads_that_do_not_share_the_width_evenly_are_refused():
    with pytest.raises(ValueError, match="3 heads cannot share a width of 8"):
        TransformerBlock(8, 3, 16)


# ----------------------------------------------------------------------------------------------- encoders

L, V, D = 8, 20, 2


def texts() -> Tensor:
    ids = torch.randint(1, V, (B, L), generator=seeded(1)).int()
    return ids * sequences()[1][:, :L]


def series() -> Tensor:
    x = 40 + 3 * torch.randn(B, T, D, generator=seeded(1))
    x[0, :4] = x[3, :6] = torch.nan
    x[1, 5, 0] = torch.nan
    return x


def step_encoder(trunk: str) -> nn.Module:
    encoder = StepEncoder((T, D), trunk=trunk, generator=seeded())
    encoder.remember(series())
    return encoder


ENCODERS: dict[str, tuple[Callable[[str], nn.Module], Tensor, Callable[..., int]]] = {
    "words": (
        lambda trunk: TokenEncoder((L, V), trunk=trunk, generator=seeded()),
        texts(),
        partial(TokenEncoder.parameter_count, (L, V)),
    ),
    "steps": (step_encoder, series(), partial(StepEncoder.parameter_count, (T, D))),
}
EVERY = pytest.mark.parametrize(("family", "trunk"), [(f, t) for f in ENCODERS for t in TRUNKS])


@EVERY
def test_an_encoder_answers_rows_one_by_one_as_it_does_together(family, trunk):
    build, x, _ = ENCODERS[family]
    encoder = awake(build(trunk))
    together = encoder(x)
    assert together.shape == (B, encoder.width)
    assert together.dtype == torch.float32
    alone = torch.cat([encoder(row[None]) for row in x])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)


@EVERY
def test_an_encoder_is_as_large_as_its_formula_says_and_comes_back_from_a_file(family, trunk, tmp_path):
    build, x, count = ENCODERS[family]
    encoder = awake(build(trunk))
    assert sum(parameter.numel() for parameter in encoder.parameters()) == count(trunk=trunk)
    save_file(encoder.state_dict(), tmp_path / "encoder.safetensors")
    again = build(trunk).eval()
    again.load_state_dict(load_file(tmp_path / "encoder.safetensors"))
    assert torch.equal(encoder(x), again(x))


@EVERY
def test_padding_changes_no_answer_of_an_encoder(family, trunk):
    build, x, _ = ENCODERS[family]
    encoder = awake(build(trunk))
    front = torch.full_like(x[:, :3], 0 if family == "words" else torch.nan)
    torch.testing.assert_close(encoder(torch.cat([front, x], dim=1)), encoder(x), rtol=1e-4, atol=1e-5)


@EVERY
def test_nothing_at_all_has_an_answer_too(family, trunk):
    build, x, _ = ENCODERS[family]
    nothing = torch.zeros_like(x) if family == "words" else torch.full_like(x, torch.nan)
    encoder = build(trunk)
    encoder.remember(nothing)
    assert encoder.eval()(nothing).isfinite().all()
    assert encoder.eval()(x).isfinite().all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 4), st.integers(0, 4))
def test_only_columns_of_padding_in_every_row_are_trimmed(front, end):
    ids = nn.functional.pad(torch.tensor([[0, 4, 0, 0], [0, 0, 0, 7]]), (front, end))
    assert trimmed(ids).tolist() == [[4, 0, 0], [0, 0, 7]]
    assert trimmed(torch.zeros_like(ids)).shape == (2, 1)


def test_what_a_text_says_does_not_depend_on_the_longest_text_beside_it():
    encoder, x = awake(TokenEncoder((L, V), generator=seeded())), texts()
    short = x[1:2]
    torch.testing.assert_close(encoder(torch.cat([short, x]))[:1], encoder(short), rtol=1e-4, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.floats(-1e5, 1e5), st.floats(1e-2, 1e4))
def test_the_unit_of_a_series_does_not_matter(offset, scale):
    answers = []
    for x in (series(), offset + scale * series()):
        encoder = StepEncoder((T, D), generator=seeded())
        encoder.remember(x)
        answers.append(encoder.eval()(x))
    tolerance = 1e-3 + 1e-5 * abs(offset) / scale
    torch.testing.assert_close(*answers, rtol=tolerance, atol=tolerance)


def test_the_trunk_sees_the_form_of_a_series_at_any_level_and_the_answer_keeps_the_level():
    encoder = StepEncoder((T, 1), generator=seeded()).eval()
    x = torch.randn(1, T, 1, generator=seeded(1)) * 0.5
    low, high = encoder(x), encoder(x + 3)
    torch.testing.assert_close(low[:, :-2], high[:, :-2], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(high[:, -2] - low[:, -2], torch.tensor([3.0]))


def test_a_constant_series_and_values_beyond_all_bounds_stay_finite():
    encoder = StepEncoder((4, 1), generator=seeded())
    encoder.remember(torch.full((3, 4, 1), 7.0))
    x = torch.tensor([7.0, 7, 7, 7, 1e30, 0, torch.inf, -1e30])
    assert encoder.eval()(x.view(2, 4, 1)).isfinite().all()
