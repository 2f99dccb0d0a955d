"""Naming what goes wrong: checks that leave no trace, and symptoms found in really trained faulty nets."""

import copy
import math
from collections.abc import Callable
from functools import cache

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import datasets
from torch import Tensor, nn
from torch.nn import functional

from preceptor.diagnose import before_training, diagnose
from preceptor.diagnose.check import practise
from preceptor.diagnose.curve import curves
from preceptor.diagnose.extremes import dumb_loss, extremes
from preceptor.diagnose.rehearsal import rehearse
from preceptor.models.mlp import MLP, dense
from preceptor.models.tabular import TabularNet
from preceptor.plan import TrainingPlan
from preceptor.training.loop import train
from preceptor.training.state import Training


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def loss(output: Tensor, goal: Tensor) -> Tensor:
    """Squared error for numbers, cross-entropy for classes; the mean over members."""
    if output.ndim == 3:
        goal = goal.repeat_interleave(output.shape[1])
        output = output.flatten(0, 1)
    if goal.dtype == torch.int64:
        return functional.cross_entropy(output, goal)
    return (output.squeeze(1) - goal).square().mean()


class Data:
    """A data set in two halves, standardised; `chance` is the best constant output."""

    def __init__(self, name: str, seed: int = 0, rows: int | None = None):
        x, y = {
            "iris": lambda: datasets.load_iris(return_X_y=True),
            "wine": lambda: datasets.load_wine(return_X_y=True),
            "cancer": lambda: datasets.load_breast_cancer(return_X_y=True),
            "diabetes": lambda: datasets.load_diabetes(return_X_y=True),
            "friedman": lambda: datasets.make_friedman1(400, noise=1.0, random_state=seed),
            "moons": lambda: datasets.make_moons(300, noise=0.2, random_state=seed),
        }[name]()
        order = np.random.default_rng(seed).permutation(len(y))
        x, y = (x - x.mean(0)) / x.std(0), y
        y = y if y.dtype.kind == "i" else (y - y.mean()) / y.std()
        half = len(y) // 2
        learnt = order[:half][:rows]
        self.x, self.held_x = (torch.tensor(x[part]).float() for part in (learnt, order[half:]))
        goals = (torch.tensor(y[part]) for part in (learnt, order[half:]))
        self.goal, self.held_goal = (g.long() if y.dtype.kind == "i" else g.float() for g in goals)
        self.classes = int(y.max()) + 1 if y.dtype.kind == "i" else 0
        self.outputs = self.classes or 1
        shares = torch.bincount(self.goal, minlength=self.outputs) / half if self.classes else None
        self.chance = torch.zeros(1) if shares is None else shares.clamp(min=1e-6).log()
        self.baseline = float(loss(self.chance.expand(len(self.held_goal), -1), self.held_goal))

    def net(self, width: int = 32, depth: int = 2, dropout: float = 0.1, seed: int = 0) -> nn.Module:
        sizes = {"members": 4, "width": width, "depth": depth, "embedding": 4, "neighbours": 8}
        net = TabularNet(
            self.x.shape[1], (), self.outputs, **sizes, memory=len(self.x), dropout=dropout,
            start=self.chance, generator=seeded(seed),
        )  # fmt: skip
        net.remember(self.x, torch.zeros(len(self.x), 0, dtype=torch.int64), self.goal)
        return Numbers(net)


class Numbers(nn.Module):
    """The net for tables without codes."""

    def __init__(self, net: TabularNet):
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x, torch.zeros(len(x), 0, dtype=torch.int64))


def record(
    data: Data, net: nn.Module, *, epochs: int = 30, seed: int = 0, batch: int = 24, **choices
) -> pl.DataFrame:
    """Train by preceptor's own loop and record what the run's history records."""
    plan = TrainingPlan(batch_size=batch, **{"threads": 1, "learning_rate": 4e-3, **choices})
    training = Training(net, plan, epochs=epochs, seed=seed)
    rows = []
    for epoch in train(training, [data.x], data.goal, loss):
        with training.evaluating():
            validation = float(loss(net(data.held_x), data.held_goal))
        training.judge(validation)
        rows.append(
            {
                "fold": 0,
                "epoch": epoch.number,
                "step": epoch.number * len(epoch.losses),
                "learning_rate": epoch.rate,
                "train_loss": epoch.loss,
                "validation_loss": validation,
                "gradient_norm": float(epoch.norms.median()),
            }
        )
    return pl.DataFrame(rows)


@cache
def reachable(name: str, seed: int = 0) -> float:
    """What a well-trained net of the same kind reaches: the rival of a faulty one."""
    data = Data(name, seed)
    return float(record(data, data.net(seed=7), seed=7)["validation_loss"].min())


def named(history: pl.DataFrame, data: Data, rival: float | None = None, **more) -> str | None:
    """The code of the warning or error that is named, if any."""
    found = [f for f in diagnose(history, data.baseline, rival, **more) if f.severity != "note"]
    return found[0].code if found else None


# ---------------------------------------------------------------- checks before training


@pytest.mark.parametrize("name", ["iris", "wine", "cancer", "diabetes", "friedman", "moons"])
def test_a_healthy_net_passes_every_check(name):
    for seed in range(2):
        data = Data(name, seed)
        checks = before_training(
            data.net(seed=seed), [data.x], data.goal, loss, held_out=([data.held_x], data.held_goal)
        )
        assert len(checks) == 7
        assert [check.text for check in checks if not check.passed] == []


def test_checks_leave_weights_gradients_mode_and_random_generator_to_the_bit():
    data = Data("wine")
    net = data.net(dropout=0.3).train()
    before, state = copy.deepcopy(net.state_dict()), torch.get_rng_state()
    before_training(net, [data.x], data.goal, loss, held_out=([data.held_x], data.held_goal))
    assert all(torch.equal(before[name], now) for name, now in net.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())
    assert net.training
    assert all(parameter.grad is None for parameter in net.parameters())


def test_checks_say_the_same_every_time_and_whatever_the_random_generator():
    data = Data("iris")
    evidence = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        held_out = ([data.held_x], data.held_goal)
        evidence.append(
            [c.evidence for c in before_training(data.net(), [data.x], data.goal, loss, held_out=held_out)]
        )
    assert evidence[0] == evidence[1]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=2, max_size=5))
def test_the_dumb_loss_of_classes_is_the_entropy_of_their_shares(counts):
    goal = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    shares = np.array(counts) / sum(counts)
    assert dumb_loss(goal, loss, torch.zeros(2, len(counts))) == pytest.approx(
        -(shares * np.log(shares)).sum(), abs=1e-3
    )


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=2, max_size=20))
def test_the_dumb_loss_of_numbers_is_their_variance(numbers):
    assert dumb_loss(torch.tensor(numbers), loss, torch.zeros(2, 3, 1)) == pytest.approx(
        np.var(numbers), abs=1e-3
    )


def entropy(shares: Tensor) -> float:
    return float(-(shares * shares.log()).sum())


def test_the_dumb_loss_is_the_entropy_whatever_form_of_answers_the_loss_takes():
    goal, shares = torch.tensor([0, 0, 0, 1, 1, 2]), torch.tensor([3.0, 2.0, 1.0]) / 6
    logs = torch.randn(6, 3, generator=seeded()).log_softmax(1)
    assert dumb_loss(goal, functional.nll_loss, logs) == pytest.approx(entropy(shares), abs=1e-3)
    yes = (goal == 0).float()[:, None]
    half = torch.full((6, 1), 0.4)
    assert dumb_loss(yes, functional.binary_cross_entropy, half) == pytest.approx(math.log(2), abs=1e-3)
    places = torch.stack([goal, goal.flip(0)])
    assert dumb_loss(
        places, lambda out, y: functional.cross_entropy(out.flatten(0, 1), y.flatten()), torch.zeros(2, 6, 3)
    ) == pytest.approx(entropy(shares), abs=1e-3)


def test_shares_are_taken_above_the_lowest_loss_that_there_is():
    counts = torch.tensor([0.0, 3.0, 9.0, 40.0])[:, None]
    poisson = extremes(counts, functional.poisson_nll_loss, torch.zeros(4, 1))
    lowest = float((counts - torch.special.xlogy(counts, counts)).mean())
    assert poisson.best == pytest.approx(lowest, rel=1e-2)
    assert poisson.share(poisson.constant) == 1
    assert extremes(counts, functional.mse_loss, torch.zeros(4, 1)).best == 0
    density = extremes(
        counts,
        lambda out, y: functional.gaussian_nll_loss(out[:, :1], y, out[:, 1:].exp()),
        torch.randn(4, 2),
    )
    assert density.best < density.constant


def test_a_last_layer_thirty_times_too_large_is_seen_in_the_starting_loss():
    data = Data("cancer")
    net = MLP(30, 2, generator=seeded())
    net.last.weight.data *= 30
    check = before_training(net, [data.x], data.goal, loss)[0]
    assert check.finding.code == "starting-loss"
    assert check.evidence["start"] > 2 * check.evidence["expected"]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_number_that_is_none_among_the_rows_is_an_error_and_ends_the_checks(value):
    data = Data("diabetes")
    data.goal[3] = value
    (check,) = before_training(MLP(10, 1, generator=seeded()), [data.x], data.goal, loss)
    assert (check.finding.code, check.finding.severity) == ("not-finite", "error")


class Deaf(nn.Module):
    """It reads nothing of its input."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(0 * x)


class Gossip(nn.Module):
    """Each row hears what the rows before it said."""

    def __init__(self):
        super().__init__()
        self.layer = MLP(4, 3, generator=seeded())

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x).cumsum(dim=0)


class Bypassed(nn.Module):
    """A layer that nobody asks."""

    def __init__(self):
        super().__init__()
        self.asked, self.forgotten = MLP(4, 3, generator=seeded()), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.asked(x)


def half_frozen() -> nn.Module:
    net = MLP(4, 3, generator=seeded())
    net.hidden[0].requires_grad_(False)
    return net


def badly_drawn() -> nn.Module:
    net = MLP(4, 3, widths=(32,) * 6, activation="tanh", generator=seeded())
    for layer in net.hidden:
        layer.weight.data *= 0.05
    return net


@pytest.mark.parametrize(
    ("build", "code"),
    [
        (Deaf, "input-ignored"),
        (Gossip, "batch-mixed"),
        (Bypassed, "parameters-unmoved"),
        (badly_drawn, "signal-scale"),
        (lambda: MLP(4, 3, widths=(1,), generator=seeded(2)), "one-batch"),
    ],
    ids=["deaf", "gossip", "bypassed", "badly drawn", "one unit"],
)
def test_a_wiring_fault_is_named_before_the_first_step(build: Callable[[], nn.Module], code: str):
    data = Data("iris")
    checks = before_training(build(), [data.x], data.goal, loss)
    assert code in [check.finding.code for check in checks if check.finding]


def test_parameters_that_are_frozen_on_purpose_are_no_fault():
    data = Data("iris")
    kept = ["hidden.0.weight", "hidden.0.bias"]
    checks = before_training(half_frozen(), [data.x], data.goal, loss, frozen=kept)
    assert "parameters" in [check.name for check in checks if check.passed]


def test_a_net_that_knows_the_rows_already_is_not_called_frozen():
    data = Data("iris")
    learnt, _ = practise(data.net(), [data.x], data.goal, loss, steps=60, rate=1e-2)
    checks = before_training(learnt, [data.x], data.goal, loss)
    assert [check.finding.code for check in checks if check.finding] == []


def test_a_net_that_is_frozen_altogether_is_named_and_not_trained():
    data = Data("iris")
    net = MLP(4, 3, generator=seeded()).requires_grad_(False)
    checks = before_training(net, [data.x], data.goal, loss)
    assert "parameters-unmoved" in [check.finding.code for check in checks if check.finding]


def test_rows_with_equal_inputs_are_not_asked_to_have_two_answers():
    x = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).repeat(50, 1)
    rehearsal = rehearse(
        MLP(2, 2, generator=seeded()), [x], torch.randint(0, 2, (100,), generator=seeded()), loss
    )
    assert len(rehearsal.goal) == 2
    assert rehearsal.share <= 0.2


@pytest.mark.parametrize("name", ["iris", "diabetes", "moons"])
def test_rows_on_both_sides_of_the_split_are_seen_through_shuffled_labels(name):
    data = Data(name)
    net = data.net(dropout=0.0)
    sides = {"honest": (data.held_x, data.held_goal), "leaking": (data.x[:60], data.goal[:60])}
    found = {
        name: before_training(net, [data.x], data.goal, loss, held_out=([x], goal))[-1].finding
        for name, (x, goal) in sides.items()
    }
    assert found["honest"] is None
    assert found["leaking"].code == "shuffled-labels-learnt"


def test_practice_stops_as_soon_as_it_is_enough():
    data = Data("iris")
    _, losses = practise(data.net(), [data.x], data.goal, loss, steps=100, rate=1e-2, enough=0.5)
    assert losses[-1] <= 0.5 < losses[-2]
    assert len(losses) < 100


# ---------------------------------------------------------------- symptoms in the record


@pytest.mark.parametrize("name", ["iris", "diabetes", "friedman"])
@pytest.mark.parametrize(
    ("rate", "code"), [(4e-3 * 300, "learning-rate-too-high"), (4e-3 * 1e-4, "learning-rate-too-low")]
)
def test_a_wrong_learning_rate_is_named_and_the_remedy_leads_back(name, rate, code):
    data = Data(name)
    history = record(data, data.net(), learning_rate=rate)
    (finding,) = diagnose(history, data.baseline, reachable(name))
    assert (finding.code, finding.severity) == (code, "warning")
    remedied = finding.change["training"]["learning_rate"]
    assert abs(math.log10(remedied / 4e-3)) < abs(math.log10(rate / 4e-3))


@pytest.mark.parametrize("name", ["iris", "cancer", "friedman"])
def test_a_net_of_width_one_underfits(name):
    data = Data(name)
    history = record(data, data.net(width=1, dropout=0.0))
    (finding,) = diagnose(history, data.baseline, reachable(name))
    assert finding.code == "underfitting"


def test_underfitting_stays_a_note_while_nobody_does_better():
    (finding,) = diagnose(drawn(0.8 + 0.2 * FALL, 0.85 + 0.15 * FALL), 1.0)
    assert (finding.code, finding.severity) == ("underfitting", "note")


@pytest.mark.parametrize("name", ["iris", "cancer", "moons"])
def test_ten_times_the_width_on_thirty_rows_overfits(name):
    data = Data(name, rows=30)
    history = record(
        data, data.net(width=320, dropout=0.0), batch=10, epochs=40, patience=1000, schedule="constant"
    )
    (finding,) = diagnose(history, data.baseline, kept_best=False)
    assert (finding.code, finding.severity) == ("overfitting", "warning")
    (averted,) = diagnose(history, data.baseline, kept_best=True)
    assert (averted.code, averted.severity) == ("overfitting", "note")
    assert averted.done


@pytest.mark.parametrize("name", ["iris", "wine", "moons"])
def test_a_tenth_of_the_epochs_is_too_few(name):
    data = Data(name)
    history = record(data, data.net(), epochs=4)
    assert named(history, data, reachable(name)) == "too-few-epochs"


@pytest.mark.parametrize("name", ["iris", "cancer", "diabetes"])
def test_shuffled_answers_are_no_better_than_chance(name):
    data = Data(name)
    for goal in (data.goal, data.held_goal):
        goal.copy_(goal[torch.randperm(len(goal), generator=seeded())])
    assert named(record(data, data.net()), data, data.baseline) == "no-better-than-chance"


@pytest.mark.parametrize("name", ["diabetes", "friedman"])
def test_a_target_that_is_not_a_number_is_an_error_in_the_first_epoch(name):
    data = Data(name)
    data.goal[3] = math.nan
    (finding,) = diagnose(record(data, data.net()), data.baseline)
    assert (finding.code, finding.severity) == ("not-finite", "error")
    assert finding.evidence["epoch"] == 1


def test_gradient_descent_that_explodes_is_an_error():
    data = Data("diabetes")
    net = MLP(10, 1, generator=seeded())
    history = record(data, net, optimiser="sgd", learning_rate=30.0, clip=None)
    assert named(history, data) == "not-finite"


HEALTHY = {
    "cosine": {},
    "constant": {"schedule": "constant", "learning_rate": 2e-3},
    "momentum": {"optimiser": "momentum", "learning_rate": 0.05},
    "tiny batches": {"batch": 8, "epochs": 12},
    "strong decay": {"weight_decay": 0.05, "patience": 1000},
    "slow": {"learning_rate": 1e-3, "epochs": 50},
}


@pytest.mark.parametrize("how", HEALTHY)
def test_healthy_training_raises_no_alarm(how):
    alarms, runs = [], 0
    for name in ("iris", "cancer", "diabetes", "friedman"):
        data = Data(name, seed=1)
        history = record(data, data.net(), seed=1, **HEALTHY[how])
        for rival in (None, reachable(name, 1)):
            runs += 1
            if alarm := named(history, data, rival):
                alarms.append((name, alarm, rival))
    print(f"{how}: {len(alarms)} false alarms in {runs} verdicts")
    assert not alarms


# ---------------------------------------------------------------- look-alikes, drawn rather than trained


def drawn(train_loss: np.ndarray, validation: np.ndarray, rate: np.ndarray | float = 1e-3) -> pl.DataFrame:
    """A record with the given losses, ten steps an epoch."""
    epochs = len(train_loss)
    return pl.DataFrame(
        {
            "fold": 0,
            "epoch": np.arange(1, epochs + 1),
            "step": 10 * np.arange(1, epochs + 1),
            "learning_rate": np.broadcast_to(rate, epochs),
            "train_loss": train_loss,
            "validation_loss": validation,
            "gradient_norm": 1.0,
        }
    )


EPOCHS = np.arange(60)
FALL = np.exp(-EPOCHS / 10)
LOOKALIKES = {
    "a label-smoothing floor": (0.3 + 0.7 * FALL, 0.1 + 0.9 * FALL, 0.12),
    "heavy dropout, training above validation": (0.5 + 0.5 * FALL, 0.2 + 0.8 * FALL, 0.2),
    "answers that are mostly noise": (0.85 + 0.15 * FALL, 0.9 + 0.1 * FALL, 0.9),
    "a loss that ripples near zero": (FALL + 0.02 * (EPOCHS % 5 == 0), 0.02 + FALL, 0.02),
    "one lucky validation epoch": (FALL, 0.3 + 0.7 * FALL - 0.2 * (EPOCHS == 20), 0.3),
}


@pytest.mark.parametrize("look", LOOKALIKES)
def test_a_lookalike_raises_no_alarm(look):
    train_loss, validation, rival = LOOKALIKES[look]
    assert [f.code for f in diagnose(drawn(train_loss, validation), 1.0, rival) if f.severity != "note"] == []


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.05), st.floats(0.0, 0.9), st.integers(20, 60))
def test_noise_around_a_healthy_curve_raises_no_alarm(seed, noise, floor, epochs):
    shake = np.random.default_rng(seed).normal(0, noise * (1 - floor), (2, 60))
    healthy = floor + (1 - floor) * FALL
    history = drawn((healthy + shake[0])[:epochs], (healthy + shake[1])[:epochs])
    found = diagnose(history, 1.0, float(healthy[:epochs].min()) - 0.02)
    assert [f.code for f in found if f.severity != "note"] == []


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3))
def test_the_units_of_the_loss_do_not_matter(seed, unit):
    shapes = np.random.default_rng(seed).uniform(0.1, 1.5, (2, 25))
    plain = diagnose(drawn(*shapes), 1.0, 0.3)
    scaled = diagnose(drawn(*(unit * shapes)), unit, 0.3 * unit)
    assert [f.code for f in plain] == [f.code for f in scaled]


def test_a_finding_is_named_when_more_than_half_of_the_folds_show_it():
    data = Data("iris")
    ill = record(data, data.net(), learning_rate=4e-7)
    well = record(data, data.net())

    def folds(*parts: pl.DataFrame) -> pl.DataFrame:
        return pl.concat([part.with_columns(fold=pl.lit(number)) for number, part in enumerate(parts)])

    assert named(folds(ill, well), data, 0.1) is None
    (finding,) = diagnose(folds(ill, well, ill), dict.fromkeys(range(3), data.baseline), 0.1)
    assert finding.code == "learning-rate-too-low"
    assert finding.evidence["folds"] == "2 of 3"


def test_the_numbers_of_the_evidence_are_those_of_the_record():
    data = Data("diabetes")
    history = record(data, data.net(), patience=1000)
    (finding,) = diagnose(history, data.baseline)
    lowest = history.filter(pl.col("validation_loss") == pl.col("validation_loss").min()).row(0, named=True)
    assert finding.evidence["epoch"] == lowest["epoch"]
    assert finding.evidence["best_validation"] * data.baseline == pytest.approx(lowest["validation_loss"])


def test_the_noise_of_a_curve_is_what_was_put_in():
    shake = np.random.default_rng(0).normal(0, 0.03, 400)
    (curve,) = curves(drawn(shake, 1 - np.arange(400) / 400 + shake), 1.0)
    assert curve.noise == pytest.approx(0.03, rel=0.15)


def test_a_record_of_one_epoch_says_nothing_wrong():
    assert diagnose(drawn(np.array([0.9]), np.array([0.9])), 1.0) == []


def test_dense_layers_that_start_silent_are_passed_over_by_the_signal_check():
    data = Data("iris")
    net = nn.Sequential(dense(4, 8, gain=2**0.5, generator=seeded()), nn.ReLU(), dense(8, 3, gain=0.0))
    checks = before_training(net, [data.x], data.goal, loss)
    assert all(check.passed for check in checks if check.name == "signal-scale")
