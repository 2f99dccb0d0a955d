"""The textbook's worked numbers, through preceptor's public functions; a name begins with its row's id."""

import itertools
import math

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor

from preceptor.kinds.category import Category
from preceptor.kinds.number import Number
from preceptor.kinds.tags import Tags
from preceptor.metrics import regression_metrics
from preceptor.models.mlp import ACTIVATIONS, MLP
from preceptor.models.perceptron import LinearClassifier, Perceptron
from preceptor.models.polynomial import Polynomial
from preceptor.plan import Plan, TrainingPlan
from preceptor.problem import Inputs
from preceptor.rivals import RECIPES, Rival
from preceptor.training.loop import train
from preceptor.training.optimisers import OPTIMISERS
from preceptor.training.parameters import FlatParameters
from preceptor.training.schedules import Plateau, factor
from preceptor.training.state import Training


def taught(
    net: torch.nn.Module, x: Tensor, goal: Tensor, loss, epochs: int = 500, **choices
) -> torch.nn.Module:
    """The net after gradient descent on all rows at once, by preceptor's own loop."""
    plain = {
        "optimiser": "nesterov",
        "schedule": "constant",
        "warmup": 0.0,
        "clip": None,
        "weight_decay": 0.0,
    }
    plan = TrainingPlan(**{**plain, "batch_size": len(goal), "threads": 1, **choices})
    for _ in train(Training(net, plan, epochs=epochs, seed=0), [x], goal, loss):
        pass
    return net


# ---------------------------------------------------------------- G1: nearest neighbours


@pytest.mark.parametrize(("step", "nearer"), [(455, 1), (456, None), (457, 0)])
def test_g1_the_l1_distance_of_the_two_images_is_456(step, nearer):
    test = [[56, 32, 10, 18], [90, 23, 128, 133], [24, 26, 178, 200], [2, 0, 255, 220]]
    training = [[10, 20, 24, 17], [8, 10, 89, 100], [12, 16, 178, 170], [4, 32, 233, 112]]
    asked, known = torch.tensor(test).flatten().float(), torch.tensor(training).flatten().float()
    beside = asked.clone()
    beside[0] += step
    images, codes = torch.stack([known] * 5 + [beside] * 5), torch.zeros(10, 0, dtype=torch.int64)
    rival = Rival(RECIPES["neighbours-l1"], "number", 1)
    rival.fit(Inputs(images, codes), np.repeat([0.0, 1.0], 5), seed=0)
    # Neighbours count by nearness: the answer is a draw exactly where both lie 456 away.
    answer = rival.predict(Inputs(asked[None], codes[:1])).item()
    assert (None if math.isclose(answer, 0.5, abs_tol=1e-6) else round(answer)) == nearer


# ---------------------------------------------------------------- G2: the perceptron


def test_g2_the_perceptron_rule_takes_the_two_steps():
    unit = Perceptron(3)
    assert unit.learn(torch.tensor([1.0, 1.0, 1.0]), 1)
    assert unit.weight.tolist() == [1, 1, 1]
    assert unit.learn(torch.tensor([1.0, 1.0, 0.0]), 0)
    assert unit.weight.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("gate", "learnt"), [([0, 0, 0, 1], True), ([0, 1, 1, 0], False)], ids=["AND", "XOR"]
)
def test_g2_the_perceptron_converges_on_and_never_on_xor(gate, learnt):
    corners = torch.tensor([[1.0, a, b] for a, b in itertools.product((0, 1), repeat=2)])
    unit = Perceptron(3)
    mistakes = [sum(unit.learn(x, y) for x, y in zip(corners, gate, strict=True)) for _ in range(100)]
    assert (mistakes[-1] == 0) is learnt
    assert (unit.fires(corners).tolist() == gate) is learnt


# ---------------------------------------------------------------- G3: MAE and RMSE

MAE, RMSE = regression_metrics()["mae"].function, regression_metrics()["rmse"].function


@pytest.mark.parametrize(
    ("errors", "mae", "rmse"),
    [([2] * 10, 2, 2), ([1] * 5 + [3] * 5, 2, 2.236), ([0] * 9 + [20], 2, 6.325)],
)
def test_g3_mae_and_rmse_of_three_sets_of_errors(errors, mae, rmse):
    truth = np.zeros(10)
    assert MAE(truth, np.array(errors, float), None) == pytest.approx(mae)
    assert RMSE(truth, np.array(errors, float), None) == pytest.approx(rmse, abs=5e-4)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_g3_rmse_lies_between_mae_and_mae_times_root_n(errors):
    scores = np.array(errors)
    mae, rmse = (metric(np.zeros(len(scores)), scores, None) for metric in (MAE, RMSE))
    assert mae <= rmse * (1 + 1e-9) + 1e-12
    assert rmse <= mae * math.sqrt(len(scores)) * (1 + 1e-9) + 1e-12


# ---------------------------------------------------------------- G4, G5, G6: small networks


@pytest.mark.parametrize(("w", "expected"), [(0.5, 3.5 / 6), (1.0, 0.0)])
def test_g4_the_loss_of_a_line_through_three_points(w, expected):
    line = MLP(1, 1, widths=())
    line.load_state_dict({"last.weight": torch.tensor([[w]]), "last.bias": torch.zeros(1)})
    x = torch.tensor([1.0, 2.0, 3.0])
    assert Number("y").loss(line(x[:, None]), x).item() / 2 == pytest.approx(expected)


def test_g5_a_3_4_2_network_has_20_weights_and_6_biases():
    net = MLP(3, 2, widths=(4,))
    weights = sum(p.numel() for name, p in net.named_parameters() if name.endswith("weight"))
    biases = sum(p.numel() for name, p in net.named_parameters() if name.endswith("bias"))
    assert (weights, biases, MLP.parameter_count(3, 2, (4,))) == (20, 6, 26)


def test_g6_the_forward_pass_of_a_small_sigmoid_network():
    net = MLP(2, 2, widths=(2, 2), activation="sigmoid")
    net.load_state_dict(
        {
            "hidden.0.weight": torch.tensor([[1.0, -2.0], [-1.0, 1.0]]),
            "hidden.0.bias": torch.tensor([1.0, 0.0]),
            "hidden.1.weight": torch.tensor([[2.0, -1.0], [-2.0, -1.0]]),
            "hidden.1.bias": torch.zeros(2),
            "last.weight": torch.tensor([[3.0, -1.0], [-1.0, 4.0]]),
            "last.bias": torch.tensor([-2.0, 2.0]),
        }
    )
    z = net.hidden[0](torch.tensor([[1.0, -1.0]]))
    assert z.tolist() == [[4, -2]]
    assert torch.sigmoid(z)[0].tolist() == pytest.approx([0.98, 0.12], abs=0.005)
    output = torch.sigmoid(net(torch.tensor([[1.0, -1.0]])))
    assert output[0].tolist() == pytest.approx([0.62, 0.83], abs=0.005)


# ---------------------------------------------------------------- G8, G9, G13, C2: the polynomial

X = torch.arange(10, dtype=torch.float64) / 9
T = torch.tensor(
    [0.349486, 0.830839, 1.007332, 0.971507, 0.133066, 0.166823, -0.848307, -0.445686, -0.563567, 0.261502],
    dtype=torch.float64,
)
FRESH_X = torch.linspace(0, 1, 100, dtype=torch.float64)
FRESH_T = torch.sin(2 * math.pi * FRESH_X)


def error(curve: Polynomial, x: Tensor, t: Tensor) -> float:
    return RMSE(t.numpy(), curve(x).detach().numpy(), None)


@pytest.mark.parametrize(
    "weights",
    [
        [0.19],
        [0.82, -1.27],
        [0.31, 7.99, -25.43, 17.37],
        [
            0.35,
            232.37,
            -5321.83,
            48568.31,
            -231639.30,
            640042.26,
            -1061800.52,
            1042400.18,
            -557682.99,
            125201.43,
        ],
    ],
    ids=["M=0", "M=1", "M=3", "M=9"],
)
def test_g8_least_squares_polynomials_of_the_ten_points(weights):
    curve = Polynomial(len(weights) - 1).solve(X, T)
    assert curve.weight.tolist() == pytest.approx(weights, rel=2e-6, abs=0.005)


@pytest.mark.parametrize(
    ("log_decay", "weights"),
    [
        (-16.08, [0.35, 4.74, -0.77, -31.97, -3.89, 55.28, 41.32, -45.95, -91.53, 72.68]),
        (2.28, [0.13, -0.05, -0.06, -0.05, -0.03, -0.02, -0.01, 0, 0, 0.01]),
    ],
)
def test_g9_weight_decay_tames_the_ninth_degree(log_decay, weights):
    curve = Polynomial(9).solve(X, T, decay=math.exp(log_decay))
    assert curve.weight.tolist() == pytest.approx(weights, rel=1e-3, abs=0.06)


def test_g13_training_error_falls_with_the_degree_and_test_error_is_a_u():
    curves = [Polynomial(degree).solve(X, T) for degree in range(10)]
    training = [error(curve, X, T) for curve in curves]
    fresh = [error(curve, FRESH_X, FRESH_T) for curve in curves]
    assert all(next_one <= this + 1e-9 for this, next_one in itertools.pairwise(training))
    assert training[9] < 1e-4
    assert 3 <= int(np.argmin(fresh)) <= 8
    assert min(fresh) < 0.5 * fresh[0]
    assert min(fresh) < 0.5 * fresh[9]


def test_g13_training_error_rises_with_the_decay_and_test_error_is_a_u():
    curves = [Polynomial(9).solve(X, T, decay=math.exp(power)) for power in range(-40, 6, 2)]
    training = [error(curve, X, T) for curve in curves]
    fresh = [error(curve, FRESH_X, FRESH_T) for curve in curves]
    assert all(next_one >= this - 1e-9 for this, next_one in itertools.pairwise(training))
    assert 0 < int(np.argmin(fresh)) < len(fresh) - 1
    assert min(fresh) < 0.5 * min(fresh[0], fresh[-1])


def test_the_polynomial_obeys_the_laws_of_models(tmp_path):
    curve = Polynomial(3).solve(X, T)
    assert sum(p.numel() for p in curve.parameters()) == Polynomial.parameter_count(3)
    alone = torch.cat([curve(x[None]) for x in X])
    torch.testing.assert_close(curve(X), alone)
    curve(X).sum().backward()
    assert bool((curve.weight.grad != 0).all())
    save_file(curve.state_dict(), tmp_path / "curve.safetensors")
    again = Polynomial(3)
    again.load_state_dict(load_file(tmp_path / "curve.safetensors"))
    assert torch.equal(again(X), curve(X))


def half_mean_square(output: Tensor, goal: Tensor) -> Tensor:
    return (output - goal).square().mean() / 2


def test_c2_gradient_descent_on_a_line_arrives_at_the_closed_form():
    walked = taught(Polynomial(1), X, T, half_mean_square, learning_rate=0.3)
    assert walked.weight.tolist() == pytest.approx(Polynomial(1).solve(X, T).weight.tolist(), abs=1e-9)


def test_c2_gradient_descent_with_l2_arrives_at_ridge_regression():
    walked = taught(Polynomial(3), X, T, half_mean_square, learning_rate=0.3, l2=0.01)
    closed = Polynomial(3).solve(X, T, decay=0.01 * len(X))
    assert walked.weight.tolist() == pytest.approx(closed.weight.tolist(), abs=1e-6)


def test_c2_the_linear_rival_is_the_same_line():
    rows = Inputs(X[:, None].float(), torch.zeros(10, 0, dtype=torch.int64))
    line = Rival(RECIPES["linear"], "number", 1).fit(rows, T.numpy(), seed=0).predict(rows)
    assert line == pytest.approx(Polynomial(1).solve(X, T)(X).detach().numpy(), abs=1e-6)


def test_c3_gradient_descent_on_cross_entropy_has_the_class_shares_for_its_mean_probability():
    x = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    goal = (x[:, 0] + 0.5 * x[:, 1] > 0.3).long()
    goal[:6] = 1 - goal[:6]
    kind = Category("y").fit(pl.Series("y", goal.tolist()))
    net = taught(LinearClassifier(3, 2), x, goal, kind.loss, epochs=800, learning_rate=0.3)
    assert kind.scores(net(x)).mean(axis=0)[1] == pytest.approx(float(goal.double().mean()), abs=1e-4)


# ---------------------------------------------------------------- G11, B2: activations


@given(st.floats(-30, 30))
def test_g11_tanh_is_a_stretched_and_shifted_sigmoid(x):
    z = torch.tensor(x, dtype=torch.float64)
    assert float(ACTIVATIONS["tanh"](z)) == pytest.approx(
        float(2 * ACTIVATIONS["sigmoid"](2 * z) - 1), abs=1e-12
    )


@given(st.floats(-20, 20))
def test_b2_activations_follow_their_formulas(x):
    formulas = {
        "sigmoid": 1 / (1 + math.exp(-x)),
        "tanh": (math.exp(x) - math.exp(-x)) / (math.exp(x) + math.exp(-x)),
        "relu": max(0.0, x),
        "leaky_relu": x if x > 0 else 0.01 * x,
        "linear": x,
        "gelu": x * (1 + math.erf(x / math.sqrt(2))) / 2,
        "silu": x / (1 + math.exp(-x)),
        "relu2": max(0.0, x) ** 2,
    }
    z = torch.tensor(x, dtype=torch.float64)
    assert {name: float(f(z)) for name, f in ACTIVATIONS.items()} == pytest.approx(
        formulas, rel=1e-9, abs=1e-12
    )


def test_b2_softmax_turns_scores_into_shares():
    kind = Category("y").fit(pl.Series("y", ["a", "b", "c"]))
    powers = np.exp([1.0, 2.0, 3.0])
    assert kind.scores(torch.tensor([[1.0, 2.0, 3.0]]))[0] == pytest.approx(powers / powers.sum(), rel=1e-6)


# ---------------------------------------------------------------- B3: losses


def test_b3_least_squares_is_the_mean_of_squared_errors():
    loss = Number("y").loss(torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([1.0, 4.0, 2.0]))
    assert loss.item() == pytest.approx((0 + 4 + 1) / 3)


def test_b3_categorical_cross_entropy_is_minus_the_logarithm_of_the_true_class_share():
    kind = Category("y").fit(pl.Series("y", ["a", "b", "c"]))
    logits = torch.log(torch.tensor([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]]))
    loss = kind.loss(logits, torch.tensor([1, 0]))
    assert loss.item() == pytest.approx(-(math.log(0.5) + math.log(0.6)) / 2, rel=1e-6)


def test_b3_binary_cross_entropy_counts_both_sides():
    kind = Tags("y").fit(pl.Series("y", ["red, round", "round", "red"]))
    p = torch.tensor([[0.8, 0.4]])
    loss = kind.loss(torch.logit(p), torch.tensor([[1.0, 0.0]]))
    assert loss.item() == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2, rel=1e-6)


@given(st.floats(0.01, 0.99))
def test_b3_label_smoothing_has_a_floor_above_zero(smoothing):
    kind = Category("y").fit(pl.Series("y", ["a", "b"]))
    true = 1 - smoothing / 2
    floor = -(true * math.log(true) + (1 - true) * math.log(1 - true))
    logits = torch.tensor([[math.log(true / (1 - true)), 0.0]])
    assert kind.loss(logits, torch.tensor([0]), smoothing).item() == pytest.approx(floor, rel=1e-4)


# ---------------------------------------------------------------- B5: schedules; G14: defaults


@pytest.mark.parametrize(
    ("schedule", "progress", "expected"),
    [
        ("cosine", 0.5, 0.5),
        ("cosine", 0.25, 0.8536),
        ("step", 0.5, 0.1),
        ("exponential", 0.5, 0.1),
        ("constant", 0.9, 1),
    ],
)
def test_b5_schedules_at_known_places(schedule, progress, expected):
    assert factor(schedule, progress) == pytest.approx(expected, abs=5e-5)
    assert factor(schedule, 0.05, warmup=0.1) == pytest.approx(0.5)


def weights_after(optimiser: str, gradients: list[float], rate: float) -> list[float]:
    """One weight that starts at 0, after each of the given gradients."""
    net = torch.nn.Linear(1, 1, bias=False)
    flat = FlatParameters(net)
    flat.weights.zero_()
    rule = OPTIMISERS[optimiser](flat)
    path = []
    for gradient in gradients:
        flat.gradients.fill_(gradient)
        rule.step(rate)
        path.append(float(flat.weights))
    return path


def test_g14_momentum_keeps_nine_tenths_of_its_speed():
    assert weights_after("momentum", [1.0, 0.0, 0.0], 1.0) == pytest.approx([-1, -1.9, -2.71])


@pytest.mark.parametrize("optimiser", ["adam", "adamw"])
def test_g14_adam_has_the_betas_and_epsilon_of_its_paper(optimiser):
    gradients, rate = [1e-8, 3e-8, -1e-8], 0.1
    mean = square = weight = 0.0
    expected = []
    for step, g in enumerate(gradients, start=1):
        mean, square = 0.9 * mean + 0.1 * g, 0.999 * square + 0.001 * g * g
        weight -= rate * (mean / (1 - 0.9**step)) / (math.sqrt(square / (1 - 0.999**step)) + 1e-8)
        expected.append(weight)
    assert weights_after(optimiser, gradients, rate) == pytest.approx(expected, rel=1e-4)


def test_g14_reduce_on_plateau_waits_ten_epochs_then_takes_a_tenth_down_to_its_floor():
    plateau = Plateau()
    rates = []
    for _ in range(80):
        plateau.see(1.0)
        rates.append(plateau.rate(1e-3))
    assert rates[10] == 1e-3
    assert rates[11] == pytest.approx(1e-4)
    assert min(rates) == pytest.approx(1e-6)


def test_g14_where_nobody_says_better_mini_batches_have_32_to_256_rows():
    assert 32 <= Training(Polynomial(1), Plan.of().training, epochs=1, seed=0).batch_size <= 256


# ---------------------------------------------------------------- B7: preprocessing


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=3, max_size=60).filter(lambda v: np.ptp(v) > 1e-2))
def test_b7_a_target_is_centred_and_standardised(values):
    goal = Number("y").fit(pl.Series("y", values)).goal(pl.Series("y", values)).double()
    assert float(goal.mean()) == pytest.approx(0, abs=1e-3)
    assert float(goal.std(correction=0)) == pytest.approx(1, abs=1e-3)


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=60))
def test_b7_an_input_is_scaled_into_its_interval_with_its_median_at_zero(values):
    kind = Number("x").fit(pl.Series("x", values))
    encoded = kind.encode(pl.Series("x", [*values, float(np.median(values))]))
    assert float(encoded.abs().max()) <= 3
    assert float(encoded[-1, 0]) == pytest.approx(0, abs=1e-6)
