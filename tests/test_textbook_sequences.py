"""Sequence models by hand: numbers that anyone can work out on paper."""

import math

import pytest
import torch
from torch import nn

from preceptor.models.bag import Bag
from preceptor.models.recurrent import GRU, LSTM, RNN
from preceptor.models.sentence_conv import SentenceConv
from preceptor.models.transformer import Attention, TransformerBlock, positions

PRESENT = torch.ones(1, 2, dtype=torch.bool)


def single(cell, weights: list[float], states: list[float], biases: list[float] | None = None):
    """A cell of one unit that reads one number, with these weights on x and on h."""
    net = cell(1, width=1, bidirectional=False)
    with torch.no_grad():
        net.cells.weight_ih_l0.copy_(torch.tensor(weights)[:, None])
        net.cells.weight_hh_l0.copy_(torch.tensor(states)[:, None])
        net.cells.bias_ih_l0.copy_(torch.tensor(biases or [0.0] * len(weights)))
        net.cells.bias_hh_l0.zero_()
    return net.requires_grad_(False)


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def test_a_vanilla_cell_by_hand():
    net = single(RNN, [0.5], [2.0])
    first = math.tanh(0.5 * 1)
    expected = math.tanh(0.5 * -1 + 2 * first)
    assert float(net(torch.tensor([[[1.0], [-1]]]), PRESENT)) == pytest.approx(expected, abs=1e-6)


def test_an_lstm_with_its_gates_open_adds_up_what_it_reads():
    wide_open = 20.0
    net = single(LSTM, [0, 0, 1, 0], [0, 0, 0, 0], [wide_open, wide_open, 0, wide_open])
    expected = math.tanh(math.tanh(0.3) + math.tanh(0.4))
    assert float(net(torch.tensor([[[0.3], [0.4]]]), PRESENT)) == pytest.approx(expected, abs=1e-6)


def test_an_lstm_whose_forget_gate_is_shut_knows_the_last_step_only():
    net = single(LSTM, [0, 0, 1, 0], [0, 0, 0, 0], [20.0, -20, 0, 20])
    answer = float(net(torch.tensor([[[0.3], [0.4]]]), PRESENT))
    assert answer == pytest.approx(math.tanh(math.tanh(0.4)), abs=1e-6)


def test_a_gru_by_hand():
    net = single(GRU, [0.0, 1.0, 2.0], [0.0, 0.0, 1.0])
    first = (1 - sigmoid(1)) * math.tanh(2)
    z, n = sigmoid(0.5), math.tanh(1 + 0.5 * first)
    answer = float(net(torch.tensor([[[1.0], [0.5]]]), PRESENT))
    assert answer == pytest.approx((1 - z) * n + z * first, abs=1e-6)


def test_attention_by_hand():
    attend = Attention(2, 1)
    with torch.no_grad():
        attend.ask.weight.copy_(torch.eye(2).repeat(3, 1))
        attend.join.weight.copy_(torch.eye(2))
    x = torch.tensor([[[1.0, 0], [0, 1]]])
    near = math.exp(1 / math.sqrt(2)) / (math.exp(1 / math.sqrt(2)) + 1)
    torch.testing.assert_close(attend(x), torch.tensor([[[near, 1 - near], [1 - near, near]]]))


def test_attention_with_several_heads_is_the_formula_head_by_head():
    attend = Attention(6, 3, generator=torch.Generator().manual_seed(0))
    x = torch.randn(2, 4, 6, generator=torch.Generator().manual_seed(1))
    q, k, v = attend.ask(x).chunk(3, dim=-1)
    heads = [
        torch.softmax(a @ b.mT / math.sqrt(2), dim=-1) @ c
        for a, b, c in zip(q.split(2, -1), k.split(2, -1), v.split(2, -1), strict=True)
    ]
    torch.testing.assert_close(attend(x), attend.join(torch.cat(heads, dim=-1)), rtol=1e-4, atol=1e-6)


def test_a_stack_of_blocks_with_the_configuration_of_gpt_3_has_175_billion_parameters():
    """G12: 96 blocks of width 12,288; embeddings of 50,257 tokens and 2,048 places; a last norm."""
    width = 12_288
    embeddings = (50_257 + 2_048) * width
    count = 96 * TransformerBlock.parameter_count(width, 4 * width) + embeddings + 2 * width
    assert round(count / 1e9) == 175


def test_the_first_position_is_zero_and_one_and_waves_grow_longer():
    table = positions(torch.ones(1, 3, dtype=torch.bool), 4)[0]
    assert table[0].tolist() == [0, 1, 0, 1]
    expected = [math.sin(2), math.cos(2), math.sin(0.02), math.cos(0.02)]
    torch.testing.assert_close(table[2], torch.tensor(expected))


def test_a_filter_over_two_words_finds_its_pair_wherever_it_stands():
    conv = SentenceConv(2, width=1, lengths=(2,)).requires_grad_(False).eval()
    with torch.no_grad():
        conv.filters[0].weight.copy_(torch.tensor([[[1.0, 0], [0, 1]]]))
        conv.filters[0].bias.fill_(-1.0)
    x, y = [1.0, 0], [0.0, 1]
    present = torch.ones(1, 4, dtype=torch.bool)
    for sentence, strength in (([x, y, x, x], 1), ([x, x, x, y], 1), ([y, y, x, x], 0), ([y, x, x, y], 1)):
        assert float(conv(torch.tensor([sentence]), present)) == strength


def test_a_bag_holds_the_mean_and_the_maximum():
    x = torch.tensor([[[1.0, -4], [3, -2], [99, 99]]])
    assert Bag(2)(x, torch.tensor([[True, True, False]])).tolist() == [[2, -3, 3, -2]]


@pytest.mark.parametrize("trunk", [RNN, LSTM, GRU])
def test_a_recurrent_net_learns_which_of_two_came_first_where_a_bag_cannot(trunk):
    x = torch.stack([torch.eye(2), torch.eye(2).flip(0)])
    y, present = torch.tensor([0, 1]), torch.ones(2, 2, dtype=torch.bool)
    net = trunk(2, width=4, generator=torch.Generator().manual_seed(0))
    head = nn.Linear(net.width, 2)
    nn.init.zeros_(head.weight)
    optimiser = torch.optim.Adam([*net.parameters(), *head.parameters()], lr=0.05)
    for _ in range(40):
        optimiser.zero_grad()
        nn.functional.cross_entropy(head(net(x, present)), y).backward()
        optimiser.step()
    assert head(net(x, present)).argmax(dim=1).tolist() == [0, 1]
    bag = Bag(2)(x, present)
    assert torch.equal(bag[0], bag[1])
