"""Watching a loop of one's own: nothing is disturbed, faults are named, look-alikes are not."""

import copy
import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import datasets
from torch import Tensor, nn
from torch.nn import functional
from watched_loop import CLASSES, WIDTH, Batch, Loop, after, alarms, net, rows, seeded

from preceptor.diagnose import CATALOGUE, watch
from preceptor.diagnose.rank import ranked
from preceptor.diagnose.trace import Trace
from preceptor.explanations import explanations
from preceptor.finding import Finding


def before(model: nn.Module, **changes) -> list[str]:
    train, held = changes.pop("rows", rows())
    return alarms(Loop(model, train, held, **changes).begin().before())


# ---------------------------------------------------------------- nothing is disturbed


@pytest.mark.parametrize("norm", [True, False])
def test_weights_and_buffers_are_the_same_to_the_bit_with_and_without_a_watch(norm):
    ends = []
    for watched in (True, False):
        model = net(norm=norm, dropout=0.3)
        loop = Loop(model, *rows(), steps=40)
        doctor = loop.begin() if watched else None
        if doctor:
            doctor.before()
        loop.run(doctor)
        if doctor:
            doctor.validated(0.5, 0.6, 0.7)
            doctor.findings()
            assert len(doctor.case.record.looks) >= 1
        ends.append(copy.deepcopy(model.state_dict()))
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())


def test_random_state_mode_gradients_and_hooks_are_left_as_they_were():
    model = net(norm=True, dropout=0.3).train()
    state = torch.get_rng_state()
    doctor = Loop(model, *rows()).begin()
    doctor.before()
    assert torch.equal(state, torch.get_rng_state())
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())


def test_without_train_validation_optimiser_and_plan_less_is_said_and_nothing_breaks():
    train, _ = rows()
    model = net()
    doctor = watch(model, loss=functional.cross_entropy, probe=(train[0][:64], train[1][:64]))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(60):
        value = functional.cross_entropy(model(train[0]), train[1])
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        doctor(value)
    assert alarms(doctor.findings()) == []


def test_losses_are_read_only_when_they_are_asked_for():
    loop = Loop(net(), *rows(), steps=20)
    doctor = loop.run(loop.begin())
    record = doctor.case.record
    assert record.losses == []
    assert record.looks == []
    assert record.moments
    doctor.findings()
    assert len(record.losses) == 20
    steps = [look.step for look in record.looks]
    assert steps[:2] == [0, 1]
    assert steps[-1] == 20


def test_gradients_gathered_on_purpose_are_no_fault():
    train, held = rows()
    loop = Loop(net(), train, held, steps=30)
    doctor = loop.begin()
    for step in range(30):
        loop.optimiser.zero_grad()
        for part in (0, 1):
            drawn = torch.arange(16) + 16 * ((2 * step + part) % 10)
            value = functional.cross_entropy(loop.net(train[0][drawn]), train[1][drawn]) / 2
            value.backward()
        loop.optimiser.step()
        doctor(value)
    assert "gradients-accumulate" not in alarms(doctor.findings())


def test_what_is_certain_is_told_in_one_line_while_training_runs(capsys):
    train, held = rows()
    spoilt = Loop(net(), train, held, steps=30, factor=lambda step: math.inf if step == 5 else 1.0)
    piled_up = Loop(net(), train, held, steps=30, clears=False)
    healthy = Loop(net(), train, held, steps=30)
    for loop, words in ((spoilt, "not a number"), (piled_up, "gradient in place"), (healthy, "")):
        doctor = loop.begin()
        for _ in range(3):
            loop.run(doctor, until=10)
            doctor.validated()
        told = capsys.readouterr().out.splitlines()
        assert len(told) == bool(words), told
        assert all(words in line and len(line) < 120 for line in told)


# ---------------------------------------------------------------- healthy runs


def test_a_healthy_run_raises_no_alarm_before_or_after():
    for changes in ({}, {"kind": torch.optim.SGD, "rate": 0.1}, {"rate": 1e-3, "steps": 240}):
        loop = Loop(net(), *rows(), **changes)
        doctor = loop.begin()
        assert alarms(doctor.before()) == []
        assert alarms(loop.run(doctor).findings()) == [], changes


@pytest.mark.parametrize("what", ["norm", "dropout", "smoothing", "frozen", "pixels"])
def test_a_lookalike_raises_no_alarm(what):
    train, held = rows()
    model, changes = net(), {}
    if what == "norm":
        model, changes = net(norm=True), {"rate": 3e-2}
    if what == "dropout":
        model, changes = net(dropout=0.5), {"steps": 240}
    if what == "smoothing":
        changes = {"loss": lambda output, goal: functional.cross_entropy(output, goal, label_smoothing=0.1)}
    if what == "pixels":
        train, held = ((x.sigmoid(), y) for x, y in (train, held))
        changes = {"steps": 300}
    if what == "frozen":
        Loop(model, train, held, steps=200).run()
        model[0].requires_grad_(False)
    assert after(model, rows=(train, held), **changes) == []


# ---------------------------------------------------------------- faults of the data


def spoilt(change: Callable[[Batch, Batch], tuple[Batch, Batch]]) -> tuple[Batch, Batch]:
    return change(*rows())


def nan(train: Batch, held: Batch) -> tuple[Batch, Batch]:
    train[0][3, 2] = math.nan
    return train, held


DATA = {
    "data-not-finite": nan,
    "constant-target": lambda train, held: ((train[0], torch.zeros_like(train[1])), held),
    "row-leak": lambda train, held: (
        tuple(torch.cat([a, b[:30]]) for a, b in zip(train, held, strict=True)),
        held,
    ),
    "duplicate-rows": lambda train, held: (tuple(torch.cat([a, a[:60]]) for a in train), held),
    "conflicting-labels": lambda train, held: (
        (torch.cat([train[0], train[0][:30]]), torch.cat([train[1], (train[1][:30] + 1) % CLASSES])),
        held,
    ),
    "target-leak": lambda train, held: tuple(
        (torch.cat([x, y[:, None] - 1 + 0.01 * torch.randn(len(x), 1, generator=seeded())], 1)[:, -WIDTH:], y)
        for x, y in (train, held)
    ),
    "split-shift": lambda train, held: (train, (held[0] + 3, held[1])),
    "labels-misaligned": lambda train, held: (
        (train[0], train[1][torch.randperm(len(train[1]), generator=seeded())]),
        held,
    ),
}  # fmt: skip


@pytest.mark.parametrize("code", DATA)
def test_a_fault_of_the_data_is_named_before_the_first_step(code):
    found = before(net(), rows=spoilt(DATA[code]))
    assert found[0] == code


def slope() -> tuple[Batch, Batch]:
    """An amount that follows from its row, but for a little noise."""
    sides = []
    for (x, _), seed in zip(rows(), (5, 6), strict=True):
        y = x[:, 0] + x[:, 1] * x[:, 2] + 0.3 * torch.randn(len(x), generator=seeded(seed))
        sides.append((x, y[:, None]))
    return sides[0], sides[1]


def tumours() -> tuple[Batch, Batch]:
    """Scikit-learn's table of tumours, two classes, standardised."""
    x, y = (torch.tensor(part).float() for part in datasets.load_breast_cancer(return_X_y=True))
    order = torch.randperm(len(y), generator=seeded())
    x = ((x - x.mean(0)) / x.std(0))[order]
    return (x[:400], y[order][:400, None]), (x[400:], y[order][400:, None])


@pytest.mark.parametrize(
    ("made", "inputs", "loss"),
    [(slope, WIDTH, functional.mse_loss), (tumours, 30, functional.binary_cross_entropy_with_logits)],
)
def test_wrong_answers_among_two_classes_and_among_amounts_are_named_and_right_ones_are_not(
    made, inputs, loss
):
    (x, y), held = made()
    model = nn.Sequential(nn.Linear(inputs, 32), nn.ReLU(), nn.Linear(32, 1))
    assert "label-noise" not in before(model, rows=((x, y), held), loss=loss)
    wrong = torch.randperm(len(y), generator=seeded())[: len(y) // 5]
    spoilt = y.clone()
    spoilt[wrong] = 1 - y[wrong] if made is tumours else y[wrong].roll(1, 0)
    assert "label-noise" in before(model, rows=((x, spoilt), held), loss=loss)


def test_a_body_kept_still_on_purpose_need_not_learn_by_heart():
    model = net()
    model[:4].requires_grad_(False)
    with torch.no_grad():
        model[2].weight[4:] = 0  # it tells four directions apart, not 32 rows
        model[2].bias[4:] = 0
    train, held = rows()
    how = {"loss": functional.cross_entropy, "probe": train, "train": train, "validation": held}
    found = watch(model, **how, frozen=["0", "2"]).before()
    assert [one.severity for one in found if one.code == "one-batch"] in ([], ["note"])


def test_unnormalised_inputs_are_named_and_a_net_that_begins_with_a_norm_is_not():
    train, held = ((200 * x + 300, y) for x, y in rows())
    assert "inputs-unnormalised" in before(net(), rows=(train, held))
    normed = nn.Sequential(nn.BatchNorm1d(WIDTH), *net())
    assert "inputs-unnormalised" not in before(normed, rows=(train, held))


# ---------------------------------------------------------------- faults of the wiring


class Squeezed(nn.Module):
    def __init__(self, inner: nn.Module, last: Callable[[Tensor], Tensor]):
        super().__init__()
        self.inner, self.last = inner, last

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.inner(x))


class Before(nn.Module):
    def __init__(self, inner: nn.Module, first: Callable[[Tensor], Tensor]):
        super().__init__()
        self.inner, self.first = inner, first

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(self.first(x))


def edited(change: Callable[[nn.Sequential], object]) -> nn.Module:
    model = net()
    with torch.no_grad():
        change(model)
    return model


WIRING = {
    "output-mismatch": lambda: Squeezed(net(), lambda out: out.softmax(1)),
    "input-ignored": lambda: Before(net(), lambda x: 0 * x),
    "batch-mixed": lambda: Before(net(), lambda x: x + x.roll(1, 0)),
    "parameters-unmoved": lambda: edited(lambda model: model[0].requires_grad_(False)),
    "symmetric-start": lambda: edited(lambda model: model[2].weight.fill_(0.1)),
    "nonlinearity-missing": lambda: net(act=nn.Identity),
    "dead-units": lambda: edited(lambda model: model[2].bias.fill_(-20.0)),
    "signal-scale": lambda: edited(lambda model: [model[0].weight.mul_(1e-3), model[2].weight.mul_(1e-3)]),
    "starting-loss": lambda: edited(lambda model: model[4].weight.mul_(60)),
}


@pytest.mark.parametrize("code", WIRING)
def test_a_fault_of_the_wiring_is_named_before_the_first_step(code):
    found = before(WIRING[code]())
    assert code in found[:2]


def test_relu_on_logits_and_class_numbers_as_amounts_are_named():
    assert before(Squeezed(net(), torch.relu))[0] == "output-mismatch"
    (x, y), (held_x, held_y) = rows()
    one = nn.Sequential(nn.Linear(WIDTH, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0))
    squared = ((x, y.float()), (held_x, held_y.float()))
    assert before(one, rows=squared, loss=functional.mse_loss)[0] == "wrong-loss"


def test_output_and_goal_that_are_spread_against_each_other_are_a_wrong_loss():
    (x, _), (held_x, _) = rows()
    amounts = ((x, x[:, 0] + x[:, 1]), (held_x, held_x[:, 0] + held_x[:, 1]))
    one = nn.Sequential(nn.Linear(WIDTH, 16), nn.ReLU(), nn.Linear(16, 1))
    assert before(one, rows=amounts, loss=lambda out, goal: (out - goal).square().mean())[0] == "wrong-loss"


def test_a_parameter_that_the_optimiser_was_not_given_is_named():
    model = net()
    assert before(model, parameters=list(model[4].parameters()))[0] == "parameters-unmoved"


@pytest.mark.parametrize("write", [torch.relu, functional.relu, nn.ReLU(), lambda x: x.clone().relu_()])
def test_an_activation_is_seen_however_it_is_written(write):
    model, trace = Squeezed(nn.Linear(4, 4), write), Trace()
    with trace.of(model):
        output = model(torch.randn(3, 4))
    assert [step.op for step in trace.activations] == ["relu"]
    assert trace.last(output) == "relu"


# ---------------------------------------------------------------- faults of the loop


LOOP = {
    "gradients-accumulate": {"clears": False},
    "uphill": {"sign": -1.0},
    "learning-rate-too-low": {"rate": 1e-8},
    "rows-in-order": {"order": rows()[0][1].argsort(stable=True)},
    "clipping-always": {"clip": 1e-4, "kind": torch.optim.SGD, "rate": 0.1},
    "learning-rate-too-high": {"kind": torch.optim.SGD, "rate": 30.0},
    "harmful-augmentation": {"augment": lambda x: x + 6 * torch.randn_like(x)},
    "labels-misaligned": {"loss": lambda output, goal: functional.cross_entropy(output, goal.roll(1))},
}


@pytest.mark.parametrize("code", [code for code in LOOP if code != "labels-misaligned"])
def test_a_fault_of_the_loop_is_named_by_the_end(code):
    assert after(net(), **LOOP[code])[0] == code


def test_training_in_evaluation_mode_is_named_where_modes_differ():
    assert "wrong-mode" in after(net(dropout=0.2), mode=False)
    assert "wrong-mode" not in after(net(), mode=False)


def test_a_loss_that_stops_being_a_number_is_an_error():
    loop = Loop(net(), *rows(), steps=20)
    doctor = loop.run(loop.begin())
    doctor(torch.tensor(math.nan))
    found = [finding for finding in doctor.findings() if finding.severity == "error"]
    assert [finding.code for finding in found] == ["not-finite"]
    assert found[0].evidence["step"] == 21


def test_a_schedule_that_is_over_too_early_is_named():
    loop = Loop(net(), *rows(), steps=200, factor=lambda step: 0.5**step)
    assert "schedule-collapsed" in alarms(loop.run(loop.begin(), until=60).findings())


def test_a_metric_that_goes_its_own_way_is_named():
    loop = Loop(net(), *rows(), steps=10)
    doctor = loop.begin()
    for epoch in range(6):
        loop.run(doctor)
        doctor.validated(1.0, 1.0 - 0.1 * epoch, 0.5 - 0.05 * epoch)
    assert "metric-apart" in alarms(doctor.findings())


def test_an_alarm_stands_once_it_has_been_given():
    loop = Loop(net(), *rows(), clears=False, steps=30)
    doctor = loop.run(loop.begin())
    assert "gradients-accumulate" in alarms(doctor.findings())
    doctor.case.record.heard.clear()
    assert "gradients-accumulate" in alarms(doctor.findings())


# ---------------------------------------------------------------- the order, the words


@settings(max_examples=30, deadline=None)
@given(st.permutations([fault.code for fault in CATALOGUE if fault.when != "reserved"]))
def test_the_rank_does_not_depend_on_the_order_of_asking(codes):
    found = ranked([Finding(code, "warning", "") for code in codes])
    again = ranked([Finding(code, "warning", "") for code in sorted(codes)])
    assert [finding.code for finding in found] == [finding.code for finding in again]
    assert len(found[0].evidence["also"]) == len(codes) - 1


def test_alarms_come_before_notes_and_the_certain_before_the_likely():
    notes = [Finding("target-leak", "note", ""), Finding("underfitting", "warning", "")]
    assert [finding.code for finding in ranked(notes)] == ["underfitting", "target-leak"]
    both = [Finding("label-noise", "warning", ""), Finding("nonlinearity-missing", "warning", "")]
    assert ranked(both)[0].code == "nonlinearity-missing"


@pytest.mark.parametrize(("rose", "first"), [(False, "not-finite"), (True, "learning-rate-too-high")])
def test_a_rate_too_high_explains_a_loss_that_rose_until_it_was_no_number(rose, first):
    both = [
        Finding("learning-rate-too-high", "warning", ""),
        Finding("not-finite", "error", "", evidence={"rose": rose}),
    ]
    assert ranked(both)[0].code == first


def test_the_catalogue_has_every_number_once_at_least_and_every_code_is_explained():
    assert {fault.number for fault in CATALOGUE} == set(range(1, 49))
    assert len({fault.code for fault in CATALOGUE}) == len(CATALOGUE)
    spoken = [fault.code for fault in CATALOGUE if fault.when != "reserved"]
    assert [code for code in spoken if code not in explanations()] == []


def test_a_finding_says_what_was_seen_why_it_matters_and_what_to_try():
    loop = Loop(net(), *rows(), **LOOP["clipping-always"])
    first = loop.run(loop.begin()).findings()[0]
    assert any(letter.isdigit() for letter in first.text)
    assert "step" in first.text
    assert first.remedy
    assert first.evidence["steps"] == 120
