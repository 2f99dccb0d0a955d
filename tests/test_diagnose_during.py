"""What is healthy and looks like a fault of training stays unnamed; what is one is named, with its remedy."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional
from watched_loop import CLASSES, WIDTH, Loop, after, alarms, net, rows, seeded

from preceptor.diagnose.case import Case, rows_of
from preceptor.diagnose.during.gradients_accumulate import gradients_accumulate
from preceptor.diagnose.during.labels_in_loop import labels_in_loop
from preceptor.diagnose.during.learning_rate_too_low import learning_rate_too_low
from preceptor.diagnose.during.metric_apart import metric_apart
from preceptor.diagnose.during.not_finite import not_finite
from preceptor.diagnose.during.overfitting import overfitting
from preceptor.diagnose.during.rows_in_order import rows_in_order
from preceptor.diagnose.during.uphill import uphill
from preceptor.diagnose.during.wrong_mode import wrong_mode
from preceptor.diagnose.look import look
from preceptor.diagnose.progress import compared, half
from preceptor.diagnose.record import Batch, Look, Mark
from preceptor.plan import Plan


def case(model: nn.Module | None = None, **given) -> Case:
    """A case before its first step."""
    train, held = (rows_of(part) for part in rows())
    choices = {"given_train": train, "validation": held, "steps": 100, **given}
    return Case(model or net(), functional.cross_entropy, train.few(64), **choices)


def marked(case: Case, losses: list[float], metrics: list[float]) -> Case:
    """The case after epochs with these validation losses and metrics."""
    case.record.step = 10 * len(losses)
    for epoch, (loss, metric) in enumerate(zip(losses, metrics, strict=True)):
        case.record.marks.append(Mark(10 * epoch + 10, None, loss, metric))
    return case


class Summed(nn.CrossEntropyLoss):
    """Cross-entropy added up over rows."""

    def __init__(self) -> None:
        super().__init__(reduction="sum")


# ---------------------------------------------------------------- noise proves nothing


def test_a_metric_at_its_ceiling_that_moves_by_a_row_or_two_is_not_apart_from_the_loss():
    losses = [0.35, 0.29, 0.26, 0.24, 0.23, 0.22, 0.21, 0.21, 0.20]
    assert metric_apart(marked(case(), losses, [0.94, *[0.925] * 7, 0.9125])) is None


def test_error_rates_told_as_a_metric_are_apart_from_the_loss():
    losses = [1.0, 0.7, 0.5, 0.4, 0.35, 0.3]
    assert metric_apart(marked(case(), losses, [0.6, 0.4, 0.25, 0.2, 0.12, 0.1])) is not None


def test_a_metric_as_by_luck_is_apart_once_the_net_answers_rightly():
    train, held = rows()
    model = net()
    ready = case(model)
    Loop(model, train, held).run()
    assert metric_apart(marked(ready, [0.5, 0.3], [0.33, 0.35])) is not None
    assert metric_apart(marked(case(model), [0.5, 0.3], [0.85, 0.86])) is None


@given(st.integers(0, 10_000))
def test_two_nets_that_differ_by_noise_alone_are_seldom_told_apart(seed):
    random = np.random.default_rng(seed)
    common = random.gamma(1.0, 1.0, 32)
    mine, theirs = (common + random.normal(0, 0.05, 32) for _ in range(2))
    lost = compared(mine, theirs)
    assert lost.sure == 0 or abs(lost.sure) < 0.1


def test_a_difference_is_sure_when_it_is_the_same_in_every_slice():
    common = np.random.default_rng(0).gamma(1.0, 1.0, 32)
    assert compared(common + 0.1, common).sure == pytest.approx(0.1)


# ---------------------------------------------------------------- healthy loops of all kinds


def test_answers_that_are_mostly_noise_raise_no_alarm():
    x = torch.randn(900, WIDTH, generator=seeded())
    y = 0.25 * x[:, :1] + torch.randn(900, 1, generator=seeded(1))
    rows = (x[:600], y[:600]), (x[600:], y[600:])
    model = nn.Sequential(nn.Linear(WIDTH, 8), nn.Tanh(), nn.Linear(8, 1))
    assert after(model, rows=rows, loss=functional.mse_loss, rate=2e-3, steps=100) == []


def test_an_autoencoder_raises_no_alarm():
    x = torch.randn(400, 3, generator=seeded()) @ torch.randn(3, WIDTH, generator=seeded(1))
    rows = (x[:300], x[:300]), (x[300:], x[300:])
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(WIDTH, 16), nn.ReLU(), nn.Linear(16, 6), nn.Linear(6, WIDTH))
    found = after(model, rows=rows, loss=functional.mse_loss, rate=1e-2, steps=150)
    assert [code for code in found if code != "nonlinearity-missing"] == []


class Bell(nn.Module):
    """Mean and log variance of each amount."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(WIDTH, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


def test_a_likelihood_that_goes_below_zero_raises_no_alarm():
    def surprise(output: Tensor, goal: Tensor) -> Tensor:
        mean, log = output[:, :1], output[:, 1:].clamp(-6, 6)
        return (log + (goal - mean).square() * (-log).exp()).mean() / 2

    x = torch.randn(400, WIDTH, generator=seeded())
    y = 0.1 * (x[:, :1] + x[:, 1:2] + 0.3 * torch.randn(400, 1, generator=seeded(1)))
    torch.manual_seed(0)
    rows = (x[:300], y[:300]), (x[300:], y[300:])
    assert after(Bell(), rows=rows, loss=surprise, rate=1e-2, steps=150) == []


@pytest.mark.parametrize(
    "factor",
    [
        lambda step: min(1.0, (step + 1) / 40),
        lambda step: 0.5 + 0.5 * math.cos(math.pi * step / 120),
        lambda step: 1 - abs(step - 40) / 80,
    ],
    ids=["warm-up", "cosine", "one cycle"],
)
def test_a_schedule_raises_no_alarm_however_early_one_asks(factor):
    loop = Loop(net(), *rows(), factor=factor)
    doctor = loop.begin()
    for until in (12, 12, 36, 60):
        loop.run(doctor, until=until)
        assert alarms(doctor.findings()) == []


def test_steps_count_as_far_as_the_rate_carries_them():
    ready = case()
    ready.record.step, ready.record.rates = 64, [0.01 * step / 64 for step in range(1, 65)]
    ready.record.looks.append(look(ready))
    assert half(ready) == 16
    assert learning_rate_too_low(ready) is None


def test_rows_seen_less_than_three_times_are_not_learnt_by_heart():
    ready = marked(case(), [0.2, 0.6, 1.2, 1.3, 1.4], [0.5] * 5)
    ready.record.looks.append(Look(50, 0.01, 1.4, None, {}, None, []))
    batch = Batch(1, torch.zeros(3, dtype=torch.long))
    ready.record.batches.append(batch)
    assert overfitting(ready) is None
    ready.record.batches[0] = batch._replace(goal=torch.zeros(16, dtype=torch.long))
    assert overfitting(ready) is not None


# ---------------------------------------------------------------- loops that do on purpose what looks wrong


@pytest.mark.parametrize(("clears_each", "named"), [(16, False), (10**6, True)])
def test_gradients_gathered_between_steps_are_told_from_those_never_cleared(clears_each, named):
    (x, y), held = rows()
    loop = Loop(net(), (x, y), held)
    doctor = loop.begin()
    for step in range(20):
        functional.cross_entropy(loop.net(x[step::10]), y[step::10]).backward()
        if named or step % clears_each == clears_each - 1:
            loop.optimiser.step()
        if step % clears_each == clears_each - 1:
            loop.optimiser.zero_grad()
        doctor(1.0)
    assert (gradients_accumulate(doctor.case) is not None) == named


def told(case: Case, goals: list[Tensor]) -> Case:
    """The case after batches of its first training rows with these goals."""
    for step, goal in enumerate(goals, 1):
        case.record.batches.append(Batch(step, goal, [case.train.inputs[0][: len(goal)]]))
    case.record.step = len(goals)
    return case


def test_answers_of_other_rows_are_named_and_smoothed_or_shaken_ones_are_not():
    own = case().train.goal[:32]
    assert labels_in_loop(told(case(), [own.roll(1)])) is not None
    assert labels_in_loop(told(case(), [own])) is None
    assert labels_in_loop(told(case(), [functional.one_hot(own, CLASSES) * 0.9])) is None


def test_a_sampler_that_draws_rare_rows_more_often_does_not_visit_rows_in_order():
    (x, _), _ = rows()
    rare = (torch.arange(len(x)) % 16 == 0).long()
    ready = case(given_train=rows_of((x, rare)))
    assert rows_in_order(told(ready, [torch.tensor([0, 1] * 8)] * 8)) is None


def test_a_gradient_that_overflows_once_is_no_fault_and_a_loss_that_does_is():
    ready = case()
    ready.record.step, ready.record.losses = 3, [1.0, 0.9, 0.8]
    ready.record.norms = [(1, math.inf), (2, 3.0), (3, 2.0)]
    ready.record.looks.append(look(ready))
    assert not_finite(ready) is None
    ready.record.losses[1] = math.inf
    finding = not_finite(ready)
    assert finding is not None
    assert finding.evidence["spoilt"] is False


def test_normalisation_frozen_on_purpose_may_stay_in_evaluation_mode():
    ready = case(net(norm=True))
    ready.record.training = [False] * 10
    assert wrong_mode(ready) is not None
    ready.net[1].requires_grad_(False)
    assert wrong_mode(ready) is None


class Kept(nn.Sequential):
    """A net whose first normalisation stays in evaluation mode."""

    def train(self, mode: bool = True) -> "Kept":
        super().train(mode)[1].eval()
        return self


def test_normalisation_that_never_learns_what_it_normalises_is_named():
    idle = net(norm=True)
    idle[1].momentum = 0.0
    assert after(idle)[0] == "wrong-mode"
    assert after(Kept(*net(norm=True)))[0] == "wrong-mode"


def test_normalisation_that_brings_statistics_along_may_keep_them():
    model = net(norm=True)
    model[1].running_mean.fill_(0.2)
    model[1].momentum = 0.0
    assert "wrong-mode" not in after(model)


def test_steps_that_set_out_downhill_and_land_too_high_do_not_climb():
    ready = case()
    ready.record.step, ready.record.losses = 8, [1.0] * 8
    ready.record.looks = [Look(step, 3.0, 3.0, None, {}, -0.3, []) for step in range(8)]
    assert uphill(ready) is None


def test_a_loss_that_is_summed_over_rows_is_judged_like_one_that_is_averaged():
    averaged, summed = case(), case(net())
    summed = Case(net(), Summed(), summed.probe, given_train=summed.train, validation=summed.validation)
    assert not averaged.summed
    assert summed.summed
    assert summed.dumb == pytest.approx(averaged.dumb, rel=1e-4)
    assert look(summed).train == pytest.approx(look(averaged).train, rel=1e-4)
    assert after(net(), loss=Summed(), kind=torch.optim.SGD, rate=5e-3) == []
    assert after(net(), loss=Summed(), kind=torch.optim.SGD, rate=5e-8)[0] == "learning-rate-too-low"


# ---------------------------------------------------------------- the remedies


@pytest.mark.parametrize(
    ("code", "changes", "field"),
    [
        ("learning-rate-too-high", {"kind": torch.optim.SGD, "rate": 30.0}, "learning_rate"),
        ("clipping-always", {"clip": 1e-4, "kind": torch.optim.SGD, "rate": 0.1}, "clip"),
    ],
)
def test_a_remedy_is_a_change_that_the_plan_takes(code, changes, field):
    loop = Loop(net(), *rows(), **changes)
    first = loop.run(loop.begin()).findings()[0]
    assert first.code == code
    assert getattr(Plan.of(**first.change).training, field) > 0
