"""Faults as people really write them, each with its look-alike that is none."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from watched_loop import CLASSES, WIDTH, Batch, Loop, after, alarms, net, rows, seeded

from preceptor.diagnose import watch
from preceptor.diagnose.rank import ranked
from preceptor.finding import Finding


def before(model: nn.Module, train: Batch, held: Batch, **changes) -> list[str]:
    return alarms(Loop(model, train, held, **changes).begin().before())


# ---------------------------------------------------------------- rows on both sides


def test_copies_that_were_shaken_before_the_split_are_a_leak():
    (x, y), held = rows()
    random = seeded()
    both = torch.cat([held[0][:40], x[:20] + 0.01 * torch.randn(20, WIDTH, generator=random)])
    labels = torch.cat([held[1][:40], y[:20]])
    assert "row-leak" in before(net(), (x, y), (both, labels))
    assert "row-leak" not in before(net(), (x, y), held)


@pytest.mark.parametrize("axis", [1, 2])
def test_windows_shuffled_before_they_are_split_are_a_leak_and_windows_cut_at_one_moment_are_not(axis):
    series = torch.sin(torch.arange(420) / 9.0)[:, None] + 0.3 * torch.randn(420, 2, generator=seeded())
    x = torch.stack([series[place : place + 12] for place in range(400)])
    y = torch.stack([series[place + 12, :1] for place in range(400)])
    x = x if axis == 1 else x.mT.contiguous()
    model = nn.Sequential(nn.Flatten(), nn.Linear(24, 16), nn.ReLU(), nn.Linear(16, 1))
    for order, leaks in ((torch.randperm(400, generator=seeded()), True), (torch.arange(400), False)):
        train, held = ((x[part], y[part]) for part in (order[:300], order[300:]))
        assert ("row-leak" in before(model, train, held, loss=functional.mse_loss)) is leaks


def test_rows_of_few_values_that_stand_on_both_sides_more_often_than_by_chance_are_a_leak():
    x = torch.randint(0, 3, (900, 5), generator=seeded()).float()
    y = ((x[:, 0] + x[:, 1]) % CLASSES).long()
    model = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, CLASSES))
    held = x[600:], y[600:]
    assert "row-leak" not in before(model, (x[:600], y[:600]), held)
    wide = torch.rand(900, 5, generator=seeded()).round(decimals=2)
    leaked = torch.cat([wide[:600], wide[600:]]), y
    assert "row-leak" in before(model, leaked, (wide[600:], y[600:]))


# ---------------------------------------------------------------- answers and inputs


def test_amounts_that_lost_their_decimal_point_are_named_and_heavy_tails_that_rows_foretell_are_not():
    (x, _), (other, _) = rows()
    y, held = (side[:, :1] + 0.5 * side[:, 1:2] for side in (x, other))
    model = net(outputs=1)
    mistyped = y.clone()
    mistyped[torch.randperm(len(y), generator=seeded())[:8]] += 100
    assert "label-noise" in before(model, (x, mistyped), (other, held), loss=functional.mse_loss)
    steep = (4 * y).exp()
    assert "label-noise" not in before(model, (x, steep), (other, (4 * held).exp()), loss=functional.mse_loss)


def test_amounts_cast_to_an_integer_type_are_named_and_tokens_are_not():
    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = net()

        def forward(self, x: Tensor) -> Tensor:
            return self.inner(x.float())

    train, held = rows()
    cut, counted = (
        [((change(x)).long(), y) for x, y in (train, held)] for change in (torch.Tensor.round, torch.abs)
    )
    assert "input-layout" in before(Whole(), *cut)
    assert "input-layout" not in before(Whole(), *counted)


def test_answers_far_from_zero_that_training_spends_its_steps_on_are_named():
    (x, _), (other, _) = rows()
    sums = [(side, side[:, :1] + side[:, 1:2] * side[:, 2:3]) for side in (x, other)]
    far, near = [(side, 1000 + 100 * y) for side, y in sums], [(side, y) for side, y in sums]
    assert before(net(outputs=1), *far, loss=functional.mse_loss)[0] == "starting-loss"
    assert before(net(outputs=1), *near, loss=functional.mse_loss) == []


# ---------------------------------------------------------------- losses and outputs


def test_raw_scores_are_no_log_probabilities():
    train, held = rows()
    assert before(net(), train, held, loss=functional.nll_loss)[0] == "output-mismatch"
    shares = nn.Sequential(*net(), nn.LogSoftmax(1))
    assert before(shares, train, held, loss=functional.nll_loss) == []


def tags() -> tuple[Batch, Batch]:
    """Three yes-or-noes a row, often several at once."""
    return tuple((x, (x[:, :3] > 0.2).float()) for x, _ in rows())


def test_a_loss_of_one_class_a_row_is_wrong_for_rows_with_several_tags():
    assert before(net(), *tags(), loss=functional.cross_entropy)[0] == "wrong-loss"
    assert before(net(), *tags(), loss=functional.binary_cross_entropy_with_logits) == []


def test_a_sigmoid_before_a_loss_of_logits_is_named_for_tags_too():
    squeezed = nn.Sequential(*net(), nn.Sigmoid())
    assert before(squeezed, *tags(), loss=functional.binary_cross_entropy_with_logits)[0] == "output-mismatch"
    assert "output-mismatch" not in before(squeezed, *tags(), loss=functional.binary_cross_entropy)


def test_an_optimiser_told_to_maximise_a_sound_loss_climbs():
    train, held = rows()

    class Climber(torch.optim.SGD):
        def __init__(self, parameters, lr: float) -> None:
            super().__init__(parameters, lr=lr, maximize=True)

    assert before(net(), train, held, kind=Climber)[0] == "uphill"
    assert "uphill" not in before(
        net(), train, held, kind=Climber, loss=lambda o, y: -functional.cross_entropy(o, y)
    )


# ---------------------------------------------------------------- wiring


class Peeks(nn.Module):
    """A language model whose mask is off by one, or is not."""

    def __init__(self, ahead: int):
        super().__init__()
        torch.manual_seed(0)
        self.ahead, self.embedding, self.last = ahead, nn.Embedding(12, 16), nn.Linear(16, 12)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.tanh(self.embedding(x.roll(-self.ahead, 1))))


def test_a_mask_that_is_off_by_one_shows_the_future():
    x = torch.randint(0, 12, (200, 13), generator=seeded())
    train, held = ((part[:, :-1], part[:, 1:]) for part in (x[:150], x[150:]))

    def loss(output: Tensor, goal: Tensor) -> Tensor:
        return functional.cross_entropy(output.flatten(0, 1), goal.flatten())

    assert "future-seen" in before(Peeks(1), train, held, loss=loss)
    assert "future-seen" not in before(Peeks(0), train, held, loss=loss)


class Placed(nn.Module):
    """Texts of one length only, with or without a mask over the padding."""

    def __init__(self, outputs: int, *, masked: bool):
        super().__init__()
        torch.manual_seed(0)
        self.masked, self.embedding = masked, nn.Embedding(20, 16)
        self.place, self.last = nn.Parameter(0.1 * torch.randn(10, 16)), nn.Linear(16, outputs)

    def forward(self, x: Tensor) -> Tensor:
        kept = (x > 0).float()[..., None] if self.masked else torch.ones(*x.shape, 1)
        hidden = torch.relu(self.embedding(x) + self.place) * kept
        return self.last(hidden.sum(1) / kept.sum(1)).squeeze(1)


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("outputs", [1, 2])
def test_padding_is_found_out_in_nets_that_take_one_length_only(outputs, masked):
    random = seeded()
    y = torch.arange(200) % 2
    x = torch.randint(1, 10, (200, 10), generator=random) + 9 * y[:, None]
    lengths = torch.randint(3, 11, (200,), generator=random)
    x = torch.where(torch.arange(10) < lengths[:, None], x, 0)
    loss = functional.cross_entropy if outputs > 1 else functional.binary_cross_entropy_with_logits
    y = y if outputs > 1 else y.float()
    found = before(Placed(outputs, masked=masked), (x[:140], y[:140]), (x[140:], y[140:]), loss=loss)
    assert ("padding-attended" in found) is not masked


class Residual(nn.Module):
    """Dense layers with a way around them, and none in front of the first activation."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.inner = nn.Linear(WIDTH, 32), nn.Linear(32, 32)
        self.outer, self.last = nn.Linear(32, 32), nn.Linear(32, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        x = x + self.outer(torch.relu(self.inner(x)))
        return self.last(torch.relu(x))


def test_a_layer_with_a_way_around_the_next_one_needs_no_activation():
    assert before(Residual(), *rows()) == []


def test_few_units_at_rest_in_a_narrow_layer_are_no_dead_layer():
    model = net()
    model[2] = nn.Linear(32, 8)
    model[4] = nn.Linear(8, CLASSES)
    with torch.no_grad():
        model[2].bias[:5] = -30
    assert "dead-units" not in before(model, *rows())


# ---------------------------------------------------------------- loops


def test_three_first_steps_at_a_rate_far_above_the_others_are_named():
    def leaps(step: int) -> float:
        return 1.0 if step < 3 else 1e-3

    assert after(net(), rate=3.0, factor=leaps)[0] == "learning-rate-too-high"


def test_a_warm_up_that_never_ends_is_a_rate_too_low():
    assert "learning-rate-too-low" in after(net(), rate=1e-5, factor=lambda step: (step + 1) / 120)


def test_a_net_that_is_never_put_back_into_training_mode_is_named():
    loop = Loop(net(dropout=0.3), *rows(), steps=30)
    doctor = loop.run(loop.begin())
    loop.mode = False
    for _ in range(3):
        loop.run(doctor)
    assert "wrong-mode" in alarms(doctor.findings())


class Decays(torch.optim.AdamW):
    """An optimiser whose gradients have been cleared before each step: it only decays."""

    def __init__(self, parameters, lr: float) -> None:
        super().__init__(parameters, lr=lr, weight_decay=0.1)

    def step(self, closure: object = None) -> None:
        kept = [p.grad for group in self.param_groups for p in group["params"]]
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = torch.zeros_like(p)
        super().step()
        for p, grad in zip((p for group in self.param_groups for p in group["params"]), kept, strict=True):
            p.grad = grad


def test_weights_that_only_decay_have_not_been_trained():
    assert after(net(), kind=Decays)[0] == "parameters-unmoved"


def test_a_net_at_rest_whose_last_bias_alone_moves_has_been_trained():
    model = net(outputs=1)
    with torch.no_grad():
        model[2].bias.fill_(-50)
    (x, _), (other, _) = rows()
    pairs = ((x, x[:, :1]), (other, other[:, :1]))
    found = after(model, rows=pairs, loss=functional.mse_loss)
    assert "dead-units" in found
    assert "parameters-unmoved" not in found


def test_gradients_that_pile_up_are_named_though_they_are_clipped():
    assert after(net(), clears=False, clip=0.5)[0] == "gradients-accumulate"
    assert "gradients-accumulate" not in after(net(), clip=0.5)


def test_texts_of_which_most_words_are_dropped_are_harmed_by_it():
    random = seeded()
    y = torch.arange(300) % 2
    x = torch.randint(1, 30, (300, 12), generator=random)
    x[torch.arange(300), torch.randint(0, 12, (300,), generator=random)] = 30 + y
    torch.manual_seed(0)
    model = nn.Sequential(nn.EmbeddingBag(40, 16), nn.Linear(16, 2))

    def dropped(x: Tensor) -> Tensor:
        return torch.where(torch.rand(x.shape) < 0.8, 0, x)

    how = {"rows": ((x[:200], y[:200]), (x[200:], y[200:])), "rate": 3e-2}
    assert "harmful-augmentation" in after(model, augment=dropped, **how)
    model[0].reset_parameters()
    model[1].reset_parameters()
    assert "harmful-augmentation" not in after(model, **how)


def test_of_causes_whose_remedies_were_tried_the_one_that_helped_most_comes_first():
    held = Finding("over-regularised", "warning", "", evidence={"without": 0.5})
    fast = Finding("learning-rate-too-high", "warning", "", evidence={"trial": 0.2})
    assert ranked([held, fast])[0].code == "learning-rate-too-high"
    near = Finding("learning-rate-too-high", "warning", "", evidence={"trial": 0.48})
    assert ranked([held, near])[0].code == "over-regularised"


def test_answers_that_are_no_numbers_do_not_break_the_questions_that_follow():
    (x, y), held = ((x, x[:, :1]) for x, _ in rows())
    y = y.clone()
    y[3] = float("inf")
    loop = Loop(net(outputs=1), (x, y), held, loss=functional.mse_loss, steps=10)
    doctor = loop.begin()
    assert alarms(doctor.before())[0] == "data-not-finite"
    assert alarms(loop.run(doctor).findings())[0] == "data-not-finite"


def test_places_that_the_loss_passes_over_are_no_tokens():
    x = torch.randint(0, 8, (150, 6), generator=seeded())
    y = torch.where(torch.rand(150, 6, generator=seeded(1)) < 0.3, -100, x // 4)
    model = nn.Sequential(nn.Embedding(8, 16), nn.ReLU(), nn.Linear(16, 2))

    def loss(output: Tensor, goal: Tensor) -> Tensor:
        return functional.cross_entropy(output.flatten(0, 1), goal.flatten())

    doctor = watch(model, loss=loss, probe=(x[:64], y[:64]), train=(x, y), validation=(x[:50], y[:50]))
    assert "labels-misaligned" not in alarms(doctor.before())
