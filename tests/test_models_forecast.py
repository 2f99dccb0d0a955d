"""The net for forecasts: what a model must obey, and that it begins with the line and learns more."""

import pytest
import torch
from torch import Tensor

from preceptor.models.forecast import ForecastNet, filled, ridge


def made(sizes: tuple[int, int] = (12, 3), outputs: int = 8, horizon: int = 4, **options: int) -> ForecastNet:
    generator = torch.Generator().manual_seed(0)
    net = ForecastNet(sizes, 2, (5,), outputs, horizon=horizon, width=16, generator=generator, **options)
    return net.eval()


def rows(count: int, sizes: tuple[int, int] = (12, 3)) -> tuple[Tensor, Tensor, Tensor]:
    draw = torch.Generator().manual_seed(1)
    numbers, codes = torch.randn(count, 2, generator=draw), torch.randint(5, (count, 1), generator=draw)
    return numbers, codes, torch.randn(count, *sizes, generator=draw).cumsum(dim=1)


def stirred(net: ForecastNet) -> ForecastNet:
    """With a head that says something."""
    draw = torch.Generator().manual_seed(2)
    torch.nn.init.normal_(net.head, generator=draw)
    return net


@pytest.mark.parametrize("depth", [0, 1, 3])
@pytest.mark.parametrize("sizes", [(1, 2), (12, 3)])
def test_parameters_are_as_many_as_the_formula_says(depth: int, sizes: tuple[int, int]):
    net = made(sizes, depth=depth)
    count = ForecastNet.parameter_count(sizes, 2, (5,), 8, horizon=4, width=16, depth=depth)
    assert sum(parameter.numel() for parameter in net.parameters()) == count


def test_outputs_have_one_member_and_rows_do_not_mix():
    net, inputs = stirred(made()), rows(7)
    batch = net(*inputs)
    assert batch.shape == (7, 1, 8)
    ones = torch.cat([net(*(part[row : row + 1] for part in inputs)) for row in range(7)])
    torch.testing.assert_close(ones, batch)


def test_gradients_reach_every_parameter():
    net, inputs = stirred(made()), rows(9)
    net(*inputs).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in net.parameters())


def test_saved_equals_loaded():
    net, inputs = stirred(made()), rows(60)
    net.remember(*inputs, torch.randn(60, 8))
    again = made()
    again.load_state_dict(net.state_dict())
    assert torch.equal(again(*inputs), net(*inputs))


def test_it_begins_with_the_straight_line():
    place = torch.arange(500.0)[:, None]
    series = torch.cat([(place / 3).sin() + (place / 5).cos(), 9 * (place / 7).sin(), place.cos()], dim=1)
    steps, goal = series.unfold(0, 16, 1).transpose(1, 2).split([12, 4], dim=1)
    numbers, codes, _ = rows(len(steps))
    net = made()
    net.remember(numbers[:300], codes[:300], steps[:300], goal[:300, :, :2].flatten(1))
    said = net(numbers, codes, steps)[300:, 0].view(-1, 4, 2)
    assert (said - goal[300:, :, :2]).square().mean() < 1e-2


def test_a_level_never_seen_shifts_the_answer_and_nothing_else():
    net, (numbers, codes, steps) = stirred(made((12, 2))), rows(50, (12, 2))
    net.remember(numbers, codes, steps, steps[:, -4:, :2].flatten(1))
    units = (net.answers[1].view(4, 2) / net.units[1]).flatten()
    higher = net(numbers, codes, steps + 100)[:, 0] - net(numbers, codes, steps)[:, 0]
    torch.testing.assert_close(higher, (100 * units).expand(50, -1), rtol=1e-3, atol=1e-2)


def test_one_number_is_a_forecast_too():
    numbers, codes, steps = rows(50)
    net = made(outputs=1, horizon=1)
    net.remember(numbers, codes, steps, steps[:, -1, 0])
    torch.testing.assert_close(net(numbers, codes, steps)[:, 0, 0], steps[:, -1, 0], atol=0.2, rtol=0.1)


def test_gaps_count_as_the_value_before_them():
    nan = torch.nan
    steps = torch.tensor([[nan, 1.0, nan, 3.0, nan], [nan] * 5]).unsqueeze(-1)
    assert filled(steps).squeeze(-1).tolist() == [[1, 1, 1, 3, 3], [0] * 5]
    net, (numbers, codes, _) = stirred(made((5, 3))), rows(2)
    assert net(numbers, codes, steps.expand(-1, -1, 3)).isfinite().all()


def test_the_penalty_grows_where_there_is_nothing_to_learn():
    torch.manual_seed(0)
    x, noise = torch.randn(200, 20), torch.randn(200, 1)
    told = ridge(x, x @ torch.ones(20, 1), gap=1)
    torch.testing.assert_close(told, torch.ones(20, 1), atol=1e-2, rtol=0)
    assert ridge(x, noise, gap=1).abs().max() < 0.05
