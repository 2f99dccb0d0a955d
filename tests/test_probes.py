"""Probes: learning rate, batch size, amount of data, bias and variance, landscape, backpropagation."""

import copy

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from preceptor.figures.backpropagation import backpropagation_drawn
from preceptor.figures.figure import drawn
from preceptor.models.mlp import MLP
from preceptor.plan import TrainingPlan
from preceptor.probes import (
    backpropagation,
    bias_variance,
    find_learning_rate,
    landscape,
    learning_curve,
    probe_batch_size,
    sharpness,
)

ADAM = TrainingPlan(optimiser="adam", batch_size=64)


def rows(count: int = 400) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(count, 3, generator=draw)
    return x, (2 * x[:, :1] - x[:, 1:2]).tanh() + 0.05 * torch.randn(count, 1, generator=draw)


def net(**choices) -> MLP:
    return MLP(3, 1, widths=(16,), generator=torch.Generator().manual_seed(0), **choices)


def g6_network() -> nn.Sequential:
    made = nn.Sequential(*(layer for _ in range(3) for layer in (nn.Linear(2, 2), nn.Sigmoid())))
    weights = ([[1, -2], [-1, 1]], [[2, -1], [-2, -1]], [[3, -1], [-1, 4]])
    with torch.no_grad():
        for layer, weight, bias in zip(made[::2], weights, ((1, 0), (0, 0), (-2, 2)), strict=True):
            layer.weight.copy_(torch.tensor(weight))
            layer.bias.copy_(torch.tensor(bias))
    return made


# ------------------------------------------------------------------------------------ B9, V8, G6


def test_g6_every_node_says_what_the_textbook_says():
    passes = backpropagation(
        g6_network(), (torch.tensor([[1.0, -1.0]]),), torch.zeros(1, 2), functional.mse_loss
    )
    said = passes.nodes.group_by("step", maintain_order=True).agg("operation", "value")
    assert [names[0] for names in said["operation"]] == ["input", *["linear", "sigmoid"] * 3]
    assert said["value"][1].to_list() == [4, -2]
    assert np.round(said["value"][2], 2).tolist() == [0.98, 0.12]
    assert np.round(said["value"][6], 2).tolist() == [0.62, 0.83]


@pytest.mark.parametrize("unit", [0, 1])
def test_g6_what_a_node_hears_is_how_the_loss_would_rise(unit: int):
    x, goal, made = torch.tensor([[1.0, -1.0]]), torch.tensor([[1.0, 0.0]]), g6_network()
    passes = backpropagation(made, (x,), goal, functional.mse_loss)
    heard = passes.nodes.filter(pl.col("step") == 1)["gradient"][unit]
    risen = []
    for push in (-1e-2, 1e-2):
        z = made[0](x) + push * torch.eye(2)[unit]
        risen.append(functional.mse_loss(made[1:](z), goal).item())
    assert heard == pytest.approx((risen[1] - risen[0]) / 2e-2, rel=1e-2)


def test_the_edges_are_the_dense_layers_weights_with_their_gradients():
    made, x, goal = g6_network(), torch.tensor([[1.0, -1.0]]), torch.zeros(1, 2)
    passes = backpropagation(made, (x,), goal, functional.mse_loss)
    functional.mse_loss(made(x), goal).backward()
    first = passes.edges.filter(pl.col("step") == 1).sort("unit", "source")
    assert first["weight"].to_list() == [1, -2, -1, 1]
    assert first["gradient"].to_list() == pytest.approx(made[0].weight.grad.flatten().tolist())


def test_watching_the_passes_leaves_gradients_mode_and_weights_as_they_were():
    made, (x, goal) = net(dropout=0.5), rows(8)
    functional.mse_loss(made(x), goal).backward()
    before = [parameter.grad for parameter in made.parameters()]
    backpropagation(made, (x,), goal, functional.mse_loss)
    assert all(parameter.grad is kept for parameter, kept in zip(made.parameters(), before, strict=True))
    assert made.training


def test_a_small_network_is_drawn_and_a_large_one_is_not():
    x, goal = torch.tensor([[1.0, -1.0]]), torch.zeros(1, 2)
    picture = backpropagation_drawn(backpropagation(g6_network(), (x,), goal, functional.mse_loss))
    assert picture is not None
    svg = drawn(picture)
    assert all(text in svg for text in ("0.98", "-2.00", "sigmoid", "positive weight"))
    x, goal = rows(1)
    assert backpropagation_drawn(backpropagation(net(), (x,), goal, functional.mse_loss)) is None


# ------------------------------------------------------------------------------------ the learning rate


def test_the_rate_found_learns_as_well_as_any_of_a_grid():
    x, goal = rows()
    found = find_learning_rate(net(), (x,), goal, functional.mse_loss, ADAM)
    assert 1e-3 < found.rate < 0.3
    assert found.rate in found.runs["rate"].to_list()
    assert found.runs["loss"].min() < 0.5 * found.points["loss"][0]


def test_one_spike_and_a_loss_that_is_no_number_do_not_fool_it():
    x, goal = rows()
    calls = {"count": 0}

    def noisy(output: Tensor, target: Tensor) -> Tensor:
        calls["count"] += 1
        value = functional.mse_loss(output, target)
        strange = {20: float("nan"), 35: 50.0}.get(calls["count"])
        return value if strange is None else value * 0 + strange

    calm = find_learning_rate(net(), (x,), goal, functional.mse_loss, ADAM)
    shaken = find_learning_rate(net(), (x,), goal, noisy, ADAM)
    assert 0.1 < shaken.rate / calm.rate < 10


def test_a_loss_that_is_never_a_number_is_refused():
    x, goal = rows(32)
    with pytest.raises(ValueError, match="not a finite number"):
        find_learning_rate(net(), (x,), goal, lambda a, b: a.sum() * float("nan"), ADAM)


def test_looking_for_a_rate_leaves_net_and_random_numbers_alone():
    x, goal = rows(64)
    made = net(batch_norm=True)
    before, state = copy.deepcopy(made.state_dict()), torch.get_rng_state()
    find_learning_rate(made, (x,), goal, functional.mse_loss, ADAM, steps=12, confirm=4)
    assert all(torch.equal(before[name], kept) for name, kept in made.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())


# ------------------------------------------------------------------------------------ the batch


def test_what_the_backward_pass_keeps_grows_with_the_batch():
    x, goal = rows(256)
    table = probe_batch_size(net(), (x,), goal, functional.mse_loss, ADAM).table
    assert table["size"].to_list() == [8, 16, 32, 64, 128, 256]
    assert (table["megabytes"].diff().drop_nulls() > 0).all()


def test_a_bound_on_memory_is_kept():
    x, goal = rows(256)
    found = probe_batch_size(net(), (x,), goal, functional.mse_loss, ADAM, memory=8_000)
    assert 1e6 * found.table["megabytes"].max() <= 8_000
    assert len(found.table) < 6


def test_noisy_answers_ask_for_larger_batches_than_clean_ones():
    x, goal = rows(2_000)
    loud = goal + 3 * torch.randn(goal.shape, generator=torch.Generator().manual_seed(1))
    clean, noisy = (
        probe_batch_size(net(), (x,), answer, functional.mse_loss, ADAM) for answer in (goal, loud)
    )
    assert noisy.noise_scale > 3 * clean.noise_scale


# ------------------------------------------------------------------------------------ data


def line_fits(samples, degree: int):
    random = np.random.default_rng(7)
    x = random.uniform(-1, 1, 300)
    y = np.sin(3 * x) + 0.3 * random.normal(size=300)
    return [np.polyfit(x[sample], y[sample], degree) for sample in samples]


def test_p7_a_hungry_learner_would_gain_from_more_rows_and_a_stiff_one_would_not():
    held_out = np.linspace(-1, 1, 200)

    def marked(coefficients) -> float:
        return float(np.mean((np.polyval(coefficients, held_out) - np.sin(3 * held_out)) ** 2))

    hungry = learning_curve(lambda s: line_fits(s, 9), rows=300, mark=marked, draws=5)
    stiff = learning_curve(lambda s: line_fits(s, 1), rows=300, mark=marked, draws=5)
    assert hungry.helps
    assert hungry.doubled < hungry.now
    assert not stiff.helps
    assert stiff.floor == pytest.approx(stiff.now, rel=0.1)


def test_two_rows_have_no_learning_curve():
    with pytest.raises(ValueError, match="too few"):
        learning_curve(lambda s: s, rows=2, mark=lambda net: 1.0)


def test_p6_bias_falls_and_variance_rises_with_the_degree():
    held_out = np.linspace(-0.95, 0.95, 100)
    truth = np.sin(3 * held_out)
    parts = [
        bias_variance(
            lambda samples, degree=degree: line_fits(samples, degree),
            rows=300,
            answer=lambda coefficients: np.polyval(coefficients, held_out),
            truth=truth,
            resamples=20,
        )
        for degree in (1, 12)
    ]
    assert parts[0].bias > 10 * parts[1].bias
    assert parts[1].variance > parts[0].variance
    assert "larger net" in parts[0].advice
    assert "more rows" in parts[1].advice


def test_p6_bias_and_variance_add_up_to_the_expected_error():
    random, truth = np.random.default_rng(0), np.zeros(2_000)
    parts = bias_variance(
        lambda samples: [0.5 + 0.3 * random.normal(size=2_000) for _ in samples],
        rows=10,
        answer=lambda answers: answers,
        truth=truth,
        resamples=10,
    )
    assert parts.bias == pytest.approx(0.25, rel=0.05)
    assert parts.variance == pytest.approx(0.09, rel=0.05)
    assert parts.error == pytest.approx(0.34, rel=0.05)


# ------------------------------------------------------------------------------------ V11


def test_v11_a_bowl_has_the_curvature_that_it_was_made_with():
    bowl = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        bowl.weight.copy_(torch.tensor([[1.0, 1.0]]))
    x, goal = torch.diag(torch.tensor([3.0, 1.0])), torch.tensor([[3.0], [1.0]])
    curved = sharpness(bowl, (x,), goal, lambda a, b: (a - b).square().sum() / 2)
    assert curved == pytest.approx(9.0, rel=1e-3)


def test_v11_the_loss_rises_around_a_minimum_and_the_centre_is_the_net_itself():
    x, goal = rows(64)
    made = net()
    flat = torch.optim.Adam(made.parameters(), 1e-2)
    for _ in range(200):
        flat.zero_grad()
        functional.mse_loss(made(x), goal).backward()
        flat.step()
    found = landscape(made, (x,), goal, functional.mse_loss, points=7)
    assert len(found.points) == 49
    assert found.centre == pytest.approx(float(functional.mse_loss(made(x), goal).detach()))
    assert found.rise > 0
