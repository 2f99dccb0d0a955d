"""The doctor at a lesson of the house: it disturbs nothing, hears what there is, and is asked in the end."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from preceptor.checkup import Steering, Watch, Window, watchable
from preceptor.models.tabular import TabularNet
from preceptor.plan import TrainingPlan
from preceptor.training.loop import train, unheard
from preceptor.training.optimisers import OPTIMISERS
from preceptor.training.ranks import ALONE
from preceptor.training.state import Training

ROWS, FEATURES, MEMBERS = 192, 4, 3


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def fold(**changes) -> SimpleNamespace:
    """Rows as a fold holds them: numbers, no codes, and answers that follow from the numbers."""
    x = torch.randn(ROWS + 64, FEATURES, generator=seeded())
    y = torch.sin(2 * x[:, 0]) + x[:, 1]
    y = (y - y.mean()) / y.std()
    codes = torch.zeros(len(x), 0, dtype=torch.int64)
    whole = SimpleNamespace(
        inputs=SimpleNamespace(tensors=(x[:ROWS], codes[:ROWS])),
        held_out=SimpleNamespace(tensors=(x[ROWS:], codes[ROWS:])),
        goal=y[:ROWS],
        goal_held_out=y[ROWS:],
        stream=None,
    )
    vars(whole).update(changes)
    return whole


def loss(output: Tensor, goal: Tensor) -> Tensor:
    """The mean of the members' squared errors."""
    return (output.squeeze(2) - goal[:, None]).square().mean()


def training(epochs: int = 10, **choices) -> Training:
    net = TabularNet(
        FEATURES, (), 1, members=MEMBERS, width=32, dropout=0.1, embedding=4, neighbours=0, generator=seeded()
    )
    plan = TrainingPlan(**{"batch_size": 16, "threads": 1, "learning_rate": 5e-3, **choices})
    return Training(net, plan, epochs=epochs, seed=0)


def taught(pupil: Training, watch: Watch | None, rows: SimpleNamespace) -> None:
    for epoch in train(pupil, rows.inputs.tensors, rows.goal, loss, observer=watch or unheard):
        with pupil.evaluating():
            held_out = float(loss(pupil.net(*rows.held_out.tensors), rows.goal_held_out))
        if watch:
            watch.validated(epoch.loss, held_out)


@pytest.mark.parametrize("way", ["replayed", "eager"])
def test_a_watched_lesson_ends_with_the_same_bits_and_is_replayed_all_the_same(way):
    ends = []
    for watched in (True, False):
        pupil, rows = training(step=way, ema=0.9), fold()
        watch = Watch(rows, pupil, loss) if watched else None
        taught(pupil, watch, rows)
        if watch:
            assert way == "eager" or watch.alarms() == []
            assert watch.doctor.case.record.step == 120
        assert pupil.replayed == (way == "replayed")
        ends.append(list(pupil.carried().values()))
    assert all(torch.equal(one, other) for one, other in zip(*ends, strict=True))


def test_what_the_doctor_has_heard_is_what_was_done():
    pupil, rows = training(epochs=3), fold()
    watch, told = Watch(rows, pupil, loss), []
    for epoch in train(pupil, rows.inputs.tensors, rows.goal, loss, observer=watch):
        told += epoch.losses.tolist()
    record = watch.doctor.case.record
    record.flush()
    assert record.losses == pytest.approx(told)
    assert record.rates[-1] == pytest.approx(epoch.rate)
    assert record.norms[-1][1] <= pupil.plan.clip * 1.001
    among = (record.batches[0].inputs[0][:, None] == rows.inputs.tensors[0]).all(2).any(1)
    assert bool(among.all())


def test_a_lesson_that_crawls_is_named():
    pupil, rows = training(learning_rate=1e-7), fold()
    watch = Watch(rows, pupil, loss)
    taught(pupil, watch, rows)
    alarm = watch.alarms()[0]
    assert alarm.code == "learning-rate-too-low"
    assert alarm.change["training"]["learning_rate"] > 1e-5


def test_the_window_lies_in_the_nets_memory_and_shows_only_what_holds_something():
    pupil, rows = training(), fold()
    window = Window(pupil.net, rows.inputs.tensors)
    x, codes = rows.inputs.tensors
    pupil.flat.weights.mul_(1.5).add_(0.01)
    with torch.no_grad():
        assert window.shown == [0]
        assert torch.equal(window.eval()(x), pupil.net.eval()(x, codes).mean(1))
        assert window.train()(x).shape == (ROWS, MEMBERS, 1)
    pupil.flat.gradients.fill_(2.0)
    assert all(bool((parameter.grad == 2).all()) for parameter in window.parameters())


@pytest.mark.parametrize("name", OPTIMISERS)
def test_the_steering_moves_copies_as_the_training_moves_its_net(name):
    pupil, rows = training(optimiser=name, clip=None, weight_decay=0.1, step="eager"), fold()
    watch, batch = Watch(rows, pupil, loss), (*(x[:16] for x in rows.inputs.tensors), rows.goal[:16])
    twin = watch.doctor.case.copy().train()
    own = dict(zip(watch.net.parameters(), twin.parameters(), strict=True))
    groups = watch.optimiser.param_groups
    steering = Steering([{**group, "params": [own[one] for one in group["params"]]} for group in groups])
    pupil.net.train()
    for _ in range(3):
        for step, net, given in ((pupil.step, pupil.net, batch[:-1]), (steering.step, twin, batch[:1])):
            net.zero_grad(set_to_none=False)
            torch.manual_seed(0)
            loss(net(*given), batch[-1]).backward()
            step(5e-3) if step == pupil.step else step()
    assert all(torch.allclose(mine, others, atol=1e-6) for mine, others in own.items())


def test_gaps_streams_and_other_processes_are_not_watched():
    holes = fold().goal.clone()
    holes[3] = torch.nan
    assert watchable(fold(), ALONE)
    assert not watchable(fold(goal=holes), ALONE)
    assert not watchable(fold(stream=object()), ALONE)
    assert not watchable(fold(), SimpleNamespace(size=2))


def test_one_answer_and_many_have_the_same_loss():
    rows = fold()
    watch = Watch(rows, training(), loss)
    output = torch.zeros(ROWS, 1)
    assert float(watch.doctor.case.loss(output, rows.goal)) == pytest.approx(
        float(functional.mse_loss(output[:, 0], rows.goal))
    )
