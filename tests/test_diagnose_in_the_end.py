"""A doctor who is asked only when all is over: what went wrong on the way is named all the same."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from watched_loop import CLASSES, WIDTH, Loop, alarms, net, rows, seeded

from preceptor.diagnose import watch
from preceptor.diagnose.trial import trial
from preceptor.finding import Finding


def asked(loop: Loop) -> list[Finding]:
    return loop.run(loop.begin()).findings()


class Still(torch.optim.SGD):
    """An optimiser whose step moves nothing."""

    def step(self, closure: object = None) -> None:
        pass


def test_a_loop_whose_weights_never_move_is_named():
    first = asked(Loop(net(), *rows(), kind=Still))[0]
    assert first.code == "parameters-unmoved"
    assert "no weight has moved" in first.text


def test_rows_in_order_are_named_though_the_probe_holds_one_class():
    (x, y), held = rows()
    order = torch.argsort(y)
    train = x[order], y[order]
    loop = Loop(net(), train, held, order=torch.arange(len(y)), rate=3e-2)
    few = x[order[:40]], y[order[:40]]
    doctor = watch(
        loop.net, loss=loop.loss, probe=few, optimiser=loop.optimiser, train=train, validation=held, steps=120
    )
    assert len(few[1].unique()) == 1
    assert len(doctor.case.probe.goal.unique()) == CLASSES
    assert alarms(loop.run(doctor).findings())[0] == "rows-in-order"


def test_a_schedule_that_was_over_too_early_is_named_when_all_is_over():
    def gone(step: int) -> float:
        return 0.8**step

    loop = Loop(net(), *rows(), kind=torch.optim.SGD, rate=1e-2, steps=160, factor=gone)
    assert alarms(asked(loop))[0] == "schedule-collapsed"


def test_a_rate_that_is_too_low_is_named_though_the_start_is_worse_than_a_constant_answer():
    model = net()
    with torch.no_grad():
        model[-1].bias.add_(torch.tensor([1.0, 0.0, -1.0]))
    loop = Loop(model, *rows(), kind=torch.optim.SGD, rate=1e-3, steps=160)
    assert alarms(asked(loop))[0] == "learning-rate-too-low"


def counts(number: int = 240) -> tuple[Tensor, Tensor]:
    random = seeded(5)
    x = torch.randn(number, WIDTH, generator=random)
    return x, torch.poisson((2.3 + 0.4 * x[:, :1] - 0.3 * x[:, 1:2]).exp(), generator=random)


@pytest.mark.parametrize(("rate", "code"), [(1e-2, ""), (1e-5, "learning-rate-too-low")])
def test_a_likelihood_of_amounts_below_zero_is_judged_like_any_loss(rate, code):
    x, y = counts()
    loop = Loop(net(outputs=1), (x[:160], y[:160]), (x[160:], y[160:]), rate=rate, loss=nn.PoissonNLLLoss())
    doctor = loop.run(loop.begin())
    assert doctor.case.floor < doctor.case.dumb < 0
    assert alarms(doctor.findings())[:1] == ([code] if code else [])


def test_letters_are_rare_by_nature_and_a_class_that_stands_apart_is_not():
    random = seeded(6)
    x = torch.randn(3_000, 12, generator=random)
    shares = 0.5 ** torch.arange(12.0)
    natural = torch.multinomial(shares, 3_000, replacement=True, generator=random)
    apart = torch.randint(0, 11, (3_000,), generator=random)
    apart[:3] = 11
    told = []
    for y in (natural, apart):
        model = nn.Linear(12, 12)
        doctor = watch(
            model, loss=functional.cross_entropy, probe=(x[:64], y[:64]), train=(x[:2_000], y[:2_000])
        )
        told.append("class-imbalance" in alarms(doctor.before()))
    assert told == [False, True]


class TwoInputs(nn.Module):
    """Categories first, then numbers."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.words, self.rest = nn.Embedding(4, 4), net(outputs=1)

    def forward(self, words: Tensor, numbers: Tensor) -> Tensor:
        return self.rest(numbers) + 0.01 * self.words(words).sum((1, 2))[:, None]


@pytest.mark.parametrize("code", ["target-leak", "constant-feature", "inputs-unnormalised", ""])
def test_numbers_are_found_behind_categories(code):
    random = seeded(7)
    words, x = torch.randint(0, 4, (400, 2), generator=random), torch.randn(400, WIDTH, generator=random)
    y = 0.5 * x[:, :1] + torch.randn(400, 1, generator=random)
    if code == "target-leak":
        x[:, 3:4] = y
    if code == "constant-feature":
        x[:, 4:] = 0.0
    if code == "inputs-unnormalised":
        x = 300 * x
    train, held = ((words[:260], x[:260]), y[:260]), ((words[260:], x[260:]), y[260:])
    model = TwoInputs()
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    few = ((words[:64], x[:64]), y[:64])
    doctor = watch(
        model, loss=functional.mse_loss, probe=few, optimiser=optimiser, train=train, validation=held
    )
    assert alarms(doctor.before())[:1] == ([code] if code else [])


def test_a_trial_goes_along_the_rate_of_the_loop():
    loop = Loop(net(), *rows(), kind=torch.optim.SGD, rate=0.1, steps=40, factor=lambda step: float(step < 1))
    doctor = loop.run(loop.begin())
    doctor.findings()
    case = doctor.case
    still, moving = (trial(case, steps=20, along=along).train for along in (True, False))
    assert abs(still - case.record.looks[0].train) < 0.1
    assert moving < still - 0.1
