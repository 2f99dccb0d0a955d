import copy
import json
import math
import multiprocessing
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from preceptor.errors import Mistake
from preceptor.plan import TrainingPlan
from preceptor.training import FlatParameters, Training, checkpoint, measure_pace, pace, train
from preceptor.training.loop import mini_batches, order
from preceptor.training.optimisers import OPTIMISERS, orthogonal
from preceptor.training.pace import Way
from preceptor.training.schedules import SHAPES, Plateau, factor
from preceptor.training.stopping import Best

PLAIN = TrainingPlan(
    optimiser="sgd",
    learning_rate=0.1,
    schedule="constant",
    warmup=0,
    weight_decay=0,
    clip=None,
    batch_size=32,
    threads=1,
)
FULL = PLAIN.model_copy(
    update={"optimiser": "adamw", "learning_rate": 1e-2, "schedule": "cosine", "ema": 0.9, "clip": 1.0}
)


@pytest.fixture(autouse=True)
def _same_numbers_every_time():
    torch.manual_seed(0)


class Small(nn.Module):
    """Everything that makes resuming hard: dropout, batch statistics, groups of parameters."""

    learning: ClassVar = {"scale": (0.1, 0.0)}

    def __init__(self, features: int = 4, seed: int = 0):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.scale = nn.Parameter(torch.ones(features))
            self.hidden = nn.Linear(features, 8)
            self.norm = nn.BatchNorm1d(8)
            self.last = nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(
            functional.dropout(self.norm(self.hidden(x * self.scale)).relu(), 0.2, self.training)
        )


def line(rows: int = 100, features: int = 4) -> tuple[Tensor, Tensor]:
    """Rows and a noisy linear answer."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(rows, features, generator=generator)
    slope = torch.arange(1.0, features + 1)
    return x, (x @ slope + 0.5 + 0.1 * torch.randn(rows, generator=generator))[:, None]


def trained(plan: TrainingPlan, net: nn.Module | None = None, epochs: int = 3, **choices) -> Training:
    x, y = line()
    training = Training(net or Small(), plan, epochs=epochs, seed=5)
    for _ in train(training, (x,), y, functional.mse_loss, **choices):
        pass
    return training


# Parameters


def test_parameters_and_gradients_are_views_into_two_vectors():
    net = Small()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    flat = FlatParameters(net)
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert all(view.data_ptr() % 64 == 0 for view in flat.views(flat.weights))
    net(torch.randn(6, 4)).sum().backward()
    assert float(flat.gradients.norm()) == pytest.approx(
        math.sqrt(sum(float(parameter.grad.square().sum()) for parameter in net.parameters()))
    )
    flat.weights.zero_()
    assert all(not parameter.any() for parameter in net.parameters())


def test_only_weight_matrices_decay_and_a_module_may_say_otherwise():
    flat = FlatParameters(Small())
    groups = {name: group for group, part in flat.groups for name in _names_in(flat, part)}
    assert groups["hidden.weight"] == groups["last.weight"] == (1.0, 1.0)
    assert groups["hidden.bias"] == groups["norm.weight"] == (1.0, 0.0)
    assert groups["scale"] == (0.1, 0.0)
    assert all(part.start % 16 == 0 for _, part in flat.groups)


def _names_in(flat: FlatParameters, part: slice) -> list[str]:
    """The parameters that change when this part of the vector does."""
    before = [parameter.clone() for parameter in flat.parameters]
    flat.weights[part] += 1
    moved = zip(flat.names, before, flat.parameters, strict=True)
    return [name for name, old, new in moved if not torch.equal(old, new)]


def test_shared_parameters_count_once_and_frozen_ones_stay_out():
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 3))
    net[1].weight = net[0].weight
    net[2].requires_grad_(False)
    assert sorted(FlatParameters(net).names) == ["0.bias", "0.weight", "1.bias"]


def test_a_net_without_parameters_is_refused():
    with pytest.raises(ValueError, match="no trainable parameters"):
        FlatParameters(nn.ReLU())


def test_a_snapshot_holds_the_buffers_but_for_constants():
    class Remembering(nn.BatchNorm1d):
        constants: ClassVar = ("memory",)

        def __init__(self):
            super().__init__(2)
            self.register_buffer("memory", torch.zeros(1000))

    net = nn.Sequential(nn.Linear(2, 2), Remembering())
    flat = FlatParameters(net)
    before, expected = flat.snapshot(), net[1].running_mean.clone()
    assert "buffer.1.running_mean" in before
    assert "buffer.1.memory" not in before
    net(torch.randn(4, 2))
    flat.restore(before)
    assert torch.equal(net[1].running_mean, expected)


# Optimisers


class Together:
    """Two optimisers that step as one."""

    def __init__(self, *parts: torch.optim.Optimizer):
        self.parts = parts

    def step(self) -> None:
        for part in self.parts:
            part.step()


def muon(groups: list[dict], rate: float, decay: float) -> Together:
    matrices, *rest = groups
    choices = {"momentum": 0.9, "adjust_lr_fn": "match_rms_adamw"}
    return Together(
        torch.optim.Muon([matrices], rate, weight_decay=decay, **choices),
        torch.optim.AdamW(rest, rate, weight_decay=decay),
    )


def peer(name: str, groups: list[dict], decay: float) -> torch.optim.Optimizer | Together:
    optim, rate = torch.optim, 0.01
    return {
        "sgd": lambda: optim.SGD(groups, rate, weight_decay=decay),
        "momentum": lambda: optim.SGD(groups, rate, momentum=0.9, weight_decay=decay),
        "nesterov": lambda: optim.SGD(groups, rate, momentum=0.9, nesterov=True, weight_decay=decay),
        "adagrad": lambda: optim.Adagrad(groups, rate, weight_decay=decay),
        "adadelta": lambda: optim.Adadelta(groups, rate, weight_decay=decay),
        "rmsprop": lambda: optim.RMSprop(groups, rate, weight_decay=decay),
        "adam": lambda: optim.Adam(groups, rate, weight_decay=decay),
        "nadam": lambda: optim.NAdam(groups, rate, weight_decay=decay),
        "adamw": lambda: optim.AdamW(groups, rate, weight_decay=decay),
        "muon": lambda: muon(groups, rate, decay),
    }[name]()


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("name", OPTIMISERS)
def test_an_optimiser_equals_the_one_in_torch_step_for_step(name: str, decay: float):
    ours, theirs = Small(), Small()
    flat = FlatParameters(ours)
    optimiser = OPTIMISERS[name](flat, weight_decay=decay)
    matrices = [theirs.hidden.weight, theirs.last.weight]
    rest = [theirs.hidden.bias, theirs.last.bias, theirs.norm.weight, theirs.norm.bias]
    groups = [
        {"params": matrices},
        {"params": rest, "weight_decay": 0.0},
        {"params": [theirs.scale], "weight_decay": 0.0, "lr": 0.001},
    ]
    reference = peer(name, groups, decay)
    generator = torch.Generator().manual_seed(3)
    for _ in range(20):
        flat.attach()
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            gradient = torch.randn(mine.shape, generator=generator)
            mine.grad.copy_(gradient)
            other.grad = gradient.clone()
        optimiser.step(0.01)
        reference.step()
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(mine, other, rtol=2e-5, atol=2e-6)


def test_an_orthogonal_push_moves_along_every_direction_about_alike():
    left, right = (torch.linalg.qr(torch.randn(12, 12)).Q for _ in range(2))
    skewed = left[:, :8] @ torch.diag(torch.logspace(0, -1.5, 8)) @ right[:8]
    for matrix in (skewed, skewed.T):
        pushes = orthogonal(torch.stack([matrix, -8 * matrix]))
        assert torch.equal(pushes[1], -pushes[0])
        strengths = torch.linalg.svdvals(pushes[0]).sort(descending=True).values[:8]
        assert ((strengths > 0.6) & (strengths < 1.3)).all()
        assert (pushes[0] * matrix).sum() > 0
    assert not orthogonal(torch.zeros(1, 3, 2)).any()


def test_muon_passes_over_matrices_without_a_single_weight():
    net = nn.ModuleList([nn.Linear(3, 2), nn.Linear(0, 4), nn.Linear(3, 0)])
    flat = FlatParameters(net)
    flat.gradients.fill_(1.0)
    before = flat.weights.clone()
    OPTIMISERS["muon"](flat).step(0.1)
    assert all(
        (now != then).all() for now, then in zip(*map(flat.views, (flat.weights, before)), strict=True)
    )


def test_betas_reach_the_rule():
    ours, theirs = nn.Linear(3, 2), nn.Linear(3, 2)
    theirs.load_state_dict(ours.state_dict())
    flat = FlatParameters(ours)
    optimiser = OPTIMISERS["adam"](flat, betas=(0.8, 0.95))
    reference = torch.optim.Adam(theirs.parameters(), 0.01, betas=(0.8, 0.95))
    for step in range(1, 6):
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            mine.grad.fill_(step)
            other.grad = torch.full_like(other, step)
        optimiser.step(0.01)
        reference.step()
    torch.testing.assert_close(ours.weight, theirs.weight)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_every_optimiser_lowers_the_loss(name: str):
    rate = {"adadelta": 1.0, "adagrad": 0.1, "muon": 0.1}.get(name, 0.01)
    plan = PLAIN.model_copy(update={"optimiser": name, "learning_rate": rate})
    x, y = line()
    training = Training(nn.Linear(4, 1), plan, epochs=15, seed=0)
    losses = [epoch.loss for epoch in train(training, (x,), y, functional.mse_loss)]
    assert losses[-1] < 0.9 * losses[0]


def test_gradient_descent_finds_the_closed_form_of_linear_regression():
    """C2: the normal equations and gradient descent agree."""
    x, y = line()
    net = nn.Linear(4, 1)
    plan = PLAIN.model_copy(update={"batch_size": 100})
    for _ in train(Training(net, plan, epochs=300, seed=0), (x,), y, functional.mse_loss):
        pass
    closed = torch.linalg.lstsq(torch.cat([x, torch.ones(100, 1)], 1), y).solution
    torch.testing.assert_close(net.weight.T, closed[:4], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(net.bias, closed[4], rtol=1e-4, atol=1e-4)


def test_one_slope_on_three_points_has_the_loss_and_goal_of_the_textbook():
    """G4: f(x) = wx on (1,1), (2,2), (3,3) at w = 0.5 has L = 3.5/6; descent ends at w = 1, L = 0."""
    x = torch.tensor([[1.0], [2.0], [3.0]])
    net = nn.Linear(1, 1, bias=False)
    net.weight.data.fill_(0.5)
    plan = PLAIN.model_copy(update={"batch_size": 3})

    def halved(output: Tensor, goal: Tensor) -> Tensor:
        return functional.mse_loss(output, goal) / 2

    epochs = list(train(Training(net, plan, epochs=60, seed=0), (x,), x, halved))
    assert epochs[0].loss == pytest.approx(3.5 / 6)
    assert net.weight.item() == pytest.approx(1.0)
    assert epochs[-1].loss == pytest.approx(0.0, abs=1e-9)


# Schedules


@pytest.mark.parametrize("name", SHAPES)
@given(progress=st.floats(0, 1, exclude_max=True), warmup=st.floats(0, 0.9))
@settings(max_examples=40)
def test_a_schedule_stays_between_nothing_and_everything(name: str, progress: float, warmup: float):
    assert 0 <= factor(name, progress, warmup) <= 1


@pytest.mark.parametrize("name", SHAPES)
def test_a_schedule_climbs_while_warming_up_and_never_after(name: str):
    factors = [factor(name, step / 100, 0.1) for step in range(100)]
    assert factors[:10] == pytest.approx([step / 10 for step in range(10)])
    assert factors[10] == 1
    assert factors[10:] == sorted(factors[10:], reverse=True)


def test_schedules_pass_through_their_landmarks():
    assert factor("cosine", 0.5) == pytest.approx(0.5)
    assert factor("exponential", 0.5) == pytest.approx(0.1)
    assert [factor("step", progress) for progress in (0.3, 0.4, 0.7)] == pytest.approx([1, 0.1, 0.01])


@given(st.lists(st.floats(0, 10), max_size=80))
@settings(max_examples=40)
def test_plateau_does_as_torch_does(losses: list[float]):
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], 1e-3)
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, threshold=0, min_lr=1e-6, eps=0)
    plateau = Plateau()
    for loss in losses:
        plateau.see(loss)
        reference.step(loss)
        assert plateau.rate(1e-3) == pytest.approx(optimiser.param_groups[0]["lr"])


def test_the_loop_follows_plateau_when_the_plan_says_so():
    plan = PLAIN.model_copy(update={"schedule": "plateau", "patience": 40})
    x, y = line()
    training = Training(nn.Linear(4, 1), plan, epochs=14, seed=0)
    rates = []
    for epoch in train(training, (x,), y, functional.mse_loss):
        training.judge(1.0)
        rates.append(epoch.rate)
    assert rates == pytest.approx([0.1] * 12 + [0.01] * 2)


# Regularisers


def test_l1_makes_weights_sparse_and_l2_makes_them_small():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(400, 20, generator=generator)
    y = x[:, :2].sum(1, keepdim=True)
    plan = PLAIN.model_copy(update={"learning_rate": 0.02, "schedule": "exponential"})

    def weights(**update: float) -> Tensor:
        net = nn.Linear(20, 1)
        training = Training(net, plan.model_copy(update=update), epochs=40, seed=0)
        list(train(training, (x + 0.3 * torch.randn(400, 20, generator=generator),), y, functional.mse_loss))
        return net.weight.detach()[0]

    free, lasso, ridge = weights(), weights(l1=0.2), weights(l2=2.0)
    assert (lasso[2:].abs() < 1e-3).float().mean() > 0.8 > 0.2 > (free[2:].abs() < 1e-3).float().mean()
    assert lasso[:2].min() > 0.5
    assert ridge.norm() < 0.7 * free.norm()


def test_penalties_are_the_gradients_of_their_formulas():
    net = nn.Linear(3, 1)
    training = Training(net, PLAIN.model_copy(update={"l1": 0.3, "l2": 0.7}), epochs=1, seed=0)
    before, bias = net.weight.detach().clone(), net.bias.detach().clone()
    training.flat.gradients.zero_()
    training.step(0.1)
    torch.testing.assert_close(net.weight.detach(), before - 0.1 * (0.3 * before.sign() + 0.7 * before))
    assert torch.equal(net.bias, bias)


def test_clipping_equals_torchs_clipping_of_the_global_norm():
    training = Training(Small(), PLAIN.model_copy(update={"clip": 0.5}), epochs=1, seed=0)
    peers = [nn.Parameter(parameter.detach().clone()) for parameter in training.net.parameters()]
    for mine, other in zip(training.net.parameters(), peers, strict=True):
        mine.grad.normal_()
        other.grad = mine.grad.clone()
    norm = nn.utils.clip_grad_norm_(peers, 0.5)
    assert float(training.step(0.1)) == pytest.approx(float(norm))
    for mine, other in zip(training.net.parameters(), peers, strict=True):
        torch.testing.assert_close(mine.grad, other.grad, rtol=1e-4, atol=1e-6)


def test_the_moving_average_is_its_formula_and_is_what_gets_evaluated():
    training = Training(nn.Linear(2, 1), PLAIN.model_copy(update={"ema": 0.6}), epochs=1, seed=0)
    expected = training.flat.weights.clone()
    for step in range(1, 9):
        training.flat.gradients.normal_()
        training.step(0.1)
        decay = min(0.6, step / (step + 9))
        expected = decay * expected + (1 - decay) * training.flat.weights
    last = training.flat.weights.clone()
    with training.evaluating():
        torch.testing.assert_close(training.flat.weights, expected)
        assert not training.net.training
    assert torch.equal(training.flat.weights, last)


def test_early_stopping_stops_and_the_best_weights_come_back():
    plan = PLAIN.model_copy(update={"patience": 3})
    x, y = line()
    training = Training(nn.Linear(4, 1), plan, epochs=50, seed=0)
    scores, kept = iter([3.0, 2.0, math.nan, 2.5, 2.5, 2.5]), None
    for _ in train(training, (x,), y, functional.mse_loss):
        if training.judge(next(scores)):
            kept = training.flat.weights.clone()
    assert training.epoch == 5
    assert training.best.epoch == 2
    training.adopt_best()
    assert torch.equal(training.flat.weights, kept)


def test_a_higher_score_can_be_the_better_one():
    best = Best(2, higher_is_better=True)
    assert [best.see(score, epoch, {}) for epoch, score in enumerate([0.1, 0.3, 0.2])] == [True, True, False]


# The loop


@given(rows=st.integers(1, 2000), size=st.integers(1, 300))
@settings(max_examples=100)
def test_mini_batches_are_of_one_size_and_few_rows_sit_out(rows: int, size: int):
    training = Training(nn.Linear(1, 1), PLAIN.model_copy(update={"batch_size": size}), epochs=1, seed=0)
    batches = mini_batches(training, rows)
    sizes = {len(batch) for batch in batches}
    assert len(sizes) == 1
    assert max(sizes) <= max(size, 3)
    assert min(sizes) > 1 or size == 1 or rows == 1
    visited = torch.cat(batches).tolist()
    assert len(set(visited)) == len(visited) > rows - len(batches)


@given(rows=st.integers(1, 200), seed=st.integers(0, 2**40), epoch=st.integers(0, 1000))
@settings(max_examples=40)
def test_the_order_of_rows_depends_on_seed_and_epoch_alone(rows: int, seed: int, epoch: int):
    first = order(rows, seed, epoch)
    torch.rand(7)
    assert torch.equal(first, order(rows, seed, epoch))
    assert torch.equal(first.sort().values, torch.arange(rows))


def test_orders_differ_between_epochs_and_between_seeds():
    orders = [tuple(order(50, seed, epoch).tolist()) for seed in range(5) for epoch in range(5)]
    assert len(set(orders)) == 25


def test_the_shares_of_one_pass_visit_different_rows_and_the_next_pass_visits_all_in_another_order():
    training = Training(nn.Linear(4, 1), PLAIN, epochs=6, seed=0, shares=3)
    shares = []
    for training.epoch in range(6):
        shares.append(torch.cat(mini_batches(training, 96)))
    assert [len(share) for share in shares] == [32] * 6
    for rows in (torch.cat(shares[:3]), torch.cat(shares[3:])):
        assert torch.equal(rows.sort().values, torch.arange(96))
    assert not torch.equal(shares[0], shares[3])


def test_rows_that_sit_out_in_one_epoch_are_visited_in_another():
    training = Training(nn.Linear(4, 1), PLAIN, epochs=9, seed=0)
    idle = []
    for training.epoch in range(9):
        idle.append(set(range(35)) - set(torch.cat(mini_batches(training, 35)).tolist()))
    assert {len(rows) for rows in idle} == {1}
    assert not set.intersection(*idle)


def test_the_same_seed_gives_the_same_bits_whatever_the_caller_does_in_between():
    x, y = line()
    one, other = (Training(Small(), FULL, epochs=3, seed=5) for _ in range(2))
    list(train(one, (x,), y, functional.mse_loss))
    for _ in train(other, (x,), y, functional.mse_loss):
        torch.manual_seed(int(time.time()))
        torch.rand(3)
        other.net.zero_grad()
        with other.evaluating():
            other.net(x)
    assert torch.equal(one.flat.weights, other.flat.weights)
    assert torch.equal(one.net.norm.running_var, other.net.norm.running_var)
    assert not torch.equal(one.flat.weights, trained(FULL, Small(seed=1)).flat.weights)


def test_training_leaves_the_callers_random_numbers_and_threads_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    threads = torch.get_num_threads()
    trained(FULL.model_copy(update={"threads": 2 if threads == 1 else 1}))
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.rand(3), expected)


def test_saving_changes_no_bit(tmp_path: Path):
    unsaved = trained(FULL)
    x, y = line()
    saved = Training(Small(), FULL, epochs=3, seed=5)
    for _ in train(saved, (x,), y, functional.mse_loss):
        saved.save(tmp_path)
    assert torch.equal(unsaved.flat.weights, saved.flat.weights)
    assert torch.equal(unsaved.average, saved.average)


def test_an_epoch_tells_each_steps_loss_and_norm():
    x, y = line()
    (epoch,) = train(Training(nn.Linear(4, 1), PLAIN, epochs=1, seed=0), (x,), y, functional.mse_loss)
    assert epoch.losses.shape == epoch.norms.shape == (4,)
    assert epoch.loss == pytest.approx(float(epoch.losses.mean()))
    assert epoch.broken is None


def test_several_inputs_reach_the_net_in_their_order():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.last = nn.Embedding(3, 2), nn.Linear(4, 1)

        def forward(self, numbers: Tensor, codes: Tensor) -> Tensor:
            return self.last(torch.cat([numbers, self.embedding(codes[:, 0])], 1))

    inputs = torch.randn(20, 2), torch.randint(3, (20, 1))
    (epoch,) = train(
        Training(Pair(), PLAIN, epochs=1, seed=0), inputs, torch.randn(20, 1), functional.mse_loss
    )
    assert math.isfinite(epoch.loss)


def test_a_divergence_is_told_with_its_step_and_the_last_good_weights_stay():
    x, y = line()
    plan = PLAIN.model_copy(update={"ema": 0.9, "optimiser": "momentum"})
    training = Training(nn.Linear(4, 1), plan, epochs=9, seed=0)
    epochs = []
    for epoch in train(training, (x,), y, functional.mse_loss):
        epochs.append(epoch)
        good = training.flat.weights.clone()
        if epoch.number == 2:
            row = order(100, 0, 2)[60]
            x[row] = math.nan
    assert [epoch.broken for epoch in epochs] == [None, None, 2]
    assert not training.finite
    assert training.over
    assert torch.equal(training.flat.weights, good)
    assert training.average.isfinite().all()
    assert training.optimiser.state["velocity"].isfinite().all()


def test_a_divergence_in_the_first_epoch_leaves_the_net_as_it_was():
    x, y = line()
    net = Small()
    before = copy.deepcopy(net.state_dict())
    epochs = list(train(Training(net, FULL, epochs=3, seed=0), (x,), y / 0, functional.mse_loss))
    assert [epoch.broken for epoch in epochs] == [0]
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())


def test_a_net_can_be_copied_and_saved_while_it_is_trained():
    training = trained(FULL)
    twin = copy.deepcopy(training.net)
    training.flat.weights.zero_()
    assert twin.hidden.weight.any()


# Pace


def test_measuring_the_pace_disturbs_nothing():
    x, y = line(300)
    net = Small()
    before = copy.deepcopy(net.state_dict())
    torch.manual_seed(2)
    expected = torch.rand(2)
    torch.manual_seed(2)
    found = measure_pace(net, (x,), y, functional.mse_loss, FULL, ways=(Way(1), Way(2)), steps=2)
    assert torch.equal(torch.rand(2), expected)
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert found.way in (Way(1), Way(2))
    assert found.seconds > 0


def test_a_net_that_cannot_be_replayed_is_written_down_as_such():
    class Reading(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x * float(x.abs().max() > 0))

    x, y = line(300)
    assert measure_pace(Reading(4, 1), (x,), y, functional.mse_loss, PLAIN, steps=2).way.step == "eager"
    assert measure_pace(nn.Linear(4, 1), (x,), y, functional.mse_loss, PLAIN, steps=2).way.step == "replayed"


def test_a_way_that_the_plan_has_fixed_is_the_only_one_measured():
    x, y = line(300)
    fixed = FULL.model_copy(update={"threads": 1, "precision": "bfloat16"})
    assert measure_pace(Small(), (x,), y, functional.mse_loss, fixed, steps=2).way == Way(1, "bfloat16")


def test_sixteen_bits_are_tried_only_where_they_leave_the_gradient_where_it_was():
    class Shaky(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return (1000 * super().forward(x)).sin()

    x, y = torch.randn(256, 4), torch.randn(256, 1)
    ways = (Way(1), Way(1, "bfloat16"))
    assert pace.harmless(nn.Linear(4, 1), [x], y, functional.mse_loss)
    assert not pace.harmless(Shaky(4, 1), [x], y, functional.mse_loss)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pace, "_worthwhile", lambda seconds: len(seconds) - 1)
        for net, precision in ((nn.Linear(4, 1), "bfloat16"), (Shaky(4, 1), "float32")):
            found = measure_pace(net, (x,), y, functional.mse_loss, PLAIN, ways=ways, steps=2)
            assert found.way.precision == precision


def test_in_sixteen_bits_the_same_is_learnt_to_within_what_seeds_differ_by():
    x, y = line(600)
    judged = {}
    for precision in ("float32", "bfloat16"):
        for seed in range(4):
            plan = FULL.model_copy(update={"precision": precision})
            training = Training(Small(seed=seed), plan, epochs=15, seed=seed)
            for _ in train(training, (x[:500],), y[:500], functional.mse_loss):
                pass
            assert training.flat.weights.dtype == torch.float32
            with training.evaluating():
                judged[precision, seed] = float(functional.mse_loss(training.net(x[500:]), y[500:]))
    plain = torch.tensor([judged["float32", seed] for seed in range(4)])
    short = torch.tensor([judged["bfloat16", seed] for seed in range(4)])
    assert (plain != short).all()
    assert abs(short.mean() - plain.mean()) < plain.max() - plain.min()
    torch.testing.assert_close(short, plain, rtol=0.1, atol=0.0)


class Pictures(nn.Module):
    """Two convolutions that are given maps as they come, and how what they say is flattened."""

    def __init__(self, flatten: Callable[[Tensor], Tensor]):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3)
        self.last, self.flatten = nn.Linear(8 * 16, 1), flatten

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.flatten(self.second(self.first(x).relu())))


def test_channels_last_is_tried_where_convolutions_are_given_something_else_and_the_net_can_do_it():
    x, y = torch.randn(64, 3, 8, 8), torch.randn(64, 1)

    def layouts(x: Tensor, flatten: Callable[[Tensor], Tensor], **fixed: str) -> set[str]:
        tried, plan = set(), PLAIN.model_copy(update=fixed)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pace, "_copy", lambda *given: tried.add(given[2].layout) or copied(*given))
            measure_pace(Pictures(flatten), (x,), y, functional.mse_loss, plan, ways=(Way(1),), steps=2)
        return tried

    copied = pace._copy
    assert layouts(x, lambda maps: maps.flatten(1)) == {"contiguous", "channels_last"}
    assert layouts(x, lambda maps: maps.view(len(maps), -1)) == {"contiguous"}
    assert layouts(x.to(memory_format=torch.channels_last), lambda maps: maps.flatten(1)) == {"contiguous"}
    assert layouts(x, lambda maps: maps.flatten(1), layout="channels_last") == {"channels_last"}


def test_channels_last_changes_where_weights_lie_and_nothing_else():
    x, y = torch.randn(64, 3, 8, 8), torch.randn(64, 1)
    told = {}
    for layout in ("contiguous", "channels_last"):
        torch.manual_seed(0)
        net = Pictures(lambda maps: maps.flatten(1))
        plan = PLAIN.model_copy(update={"layout": layout, "learning_rate": 0.01, "optimiser": "muon"})
        training = Training(net, plan, epochs=2, seed=0)
        lies_so = net.second.weight.is_contiguous(memory_format=torch.channels_last)
        assert lies_so == (layout == "channels_last")
        told[layout] = torch.cat([epoch.losses for epoch in train(training, (x,), y, functional.mse_loss)])
    torch.testing.assert_close(told["channels_last"], told["contiguous"], rtol=1e-3, atol=1e-4)


def test_augmentation_hears_which_rows_it_is_given_and_in_which_pass():
    x, y = line(300)
    heard = []

    def augment(batch, rows, number):
        assert torch.equal(batch[0], x[rows])
        heard.append((number, rows))
        return [batch[0] + 1]

    training = Training(Small(), FULL, epochs=2, seed=0)
    for _ in train(training, (x,), y, functional.mse_loss, augment=augment):
        pass
    assert {number for number, _ in heard} == {0, 1}
    for number in (0, 1):
        assert sorted(torch.cat([rows for n, rows in heard if n == number]).tolist()) == list(range(300))


# Checkpoints


def study(folder: Path, epochs: int, result: Path | None = None) -> Training:
    """A training such as the studies run: judged and saved after every epoch."""
    x, y = line(500)
    plan = FULL.model_copy(update={"schedule": "plateau", "patience": 1000})
    training = Training(Small(), plan, epochs=epochs, seed=9)
    training.resume(folder)
    for _ in train(training, (x,), y, functional.mse_loss):
        with training.evaluating():
            score = float(functional.mse_loss(training.net(x), y))
        training.judge(score)
        training.save(folder)
    training.adopt_best()
    if result:
        result.write_bytes(fingerprint(training))
    return training


def fingerprint(training: Training) -> bytes:
    best = training.best
    facts = json.dumps([best.score, best.epoch, best.waited, training.plateau.scale, training.epoch])
    return b"".join(t.numpy().tobytes() for t in training.net.state_dict().values()) + facts.encode()


def test_a_resumed_training_ends_with_the_same_bits(tmp_path: Path):
    expected = fingerprint(study(tmp_path / "whole", 8))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Training, "over", property(lambda self: self.epoch >= 3))
        study(tmp_path / "parts", 8)
    assert fingerprint(study(tmp_path / "parts", 8)) == expected


def test_a_damaged_checkpoint_gives_way_to_the_one_before_and_says_so(tmp_path: Path):
    expected = fingerprint(study(tmp_path, 6))
    newest = max(tmp_path.glob("*.safetensors"))
    newest.write_bytes(newest.read_bytes()[:-8] + b"spoiled!")
    training = Training(Small(), _plan_of(tmp_path), epochs=6, seed=9)
    finding = training.resume(tmp_path)
    assert finding.code == "checkpoint-fallback"
    assert training.epoch == 5
    assert fingerprint(study(tmp_path, 6)) == expected


def _plan_of(folder: Path) -> TrainingPlan:
    return TrainingPlan(**json.loads((folder / "manifest.json").read_text())["identity"]["plan"])


@pytest.mark.parametrize("damage", ["files", "manifest"])
def test_checkpoints_beyond_repair_are_a_mistake(tmp_path: Path, damage: str):
    study(tmp_path, 3)
    spoiled = tmp_path.glob("*.safetensors") if damage == "files" else [tmp_path / "manifest.json"]
    for file in spoiled:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(Mistake) as caught:
        study(tmp_path, 3)
    assert caught.value.code == "checkpoint-damaged"


def test_another_trainings_checkpoint_is_refused(tmp_path: Path):
    study(tmp_path, 3)
    with pytest.raises(Mistake) as caught:
        study(tmp_path, 4)
    assert caught.value.code == "checkpoint-foreign"
    assert "epochs" in caught.value.why


def test_two_generations_are_kept(tmp_path: Path):
    study(tmp_path, 5)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "000004.safetensors",
        "000005.safetensors",
        "manifest.json",
    ]


def test_no_checkpoint_is_no_mistake(tmp_path: Path):
    assert checkpoint.load(tmp_path, {}) is None


def survives(folder: Path, kills: int, epochs: int) -> None:
    """Kill a training in other processes `kills` times at random moments; it ends with the same bits."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["preceptor.training", "hypothesis", "pytest"])

    def run(name: str) -> multiprocessing.process.BaseProcess:
        process = context.Process(target=study, args=(folder / name, epochs, folder / f"{name}.bits"))
        process.start()
        return process

    run("first").join()
    started = time.monotonic()
    run("whole").join()
    pause = (time.monotonic() - started) / (2 * kills)
    moments = random.Random(7)
    for _ in range(kills):
        before, process = saved(folder / "killed"), run("killed")
        while saved(folder / "killed") == before:
            time.sleep(0.001)
        time.sleep(moments.uniform(0, pause))
        process.kill()
        process.join()
    assert 0 < saved(folder / "killed") < epochs, "it ended before it was killed"
    run("killed").join()
    assert (folder / "killed.bits").read_bytes() == (folder / "whole.bits").read_bytes()


def saved(folder: Path) -> int:
    """The number of epochs in the newest checkpoint."""
    found = checkpoint.load(folder, {})
    return found.facts["epoch"] if found else 0


def test_a_training_killed_at_random_moments_ends_with_the_same_bits(tmp_path: Path):
    survives(tmp_path, kills=5, epochs=60)


@pytest.mark.slow
def test_a_training_killed_at_twenty_random_moments_ends_with_the_same_bits(tmp_path: Path):
    survives(tmp_path, kills=20, epochs=400)
