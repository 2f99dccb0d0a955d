"""Pictures of findings: every fault that can be named can be seen, from its evidence alone."""

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from preceptor.diagnose import CATALOGUE, watch
from preceptor.diagnose.before import BEFORE
from preceptor.figures.drawing import Bar, Line, bars, dots, lines
from preceptor.figures.figure import NARROW, WIDE, Figure, drawn, themed
from preceptor.figures.findings import DRAWERS, picture
from preceptor.finding import Finding

FALLING = [[step, 2.0 * 0.9**step] for step in range(1, 40)]
RISING = [[step, 0.4 + 0.02 * abs(step - 9)] for step in range(1, 40)]
Evidence = dict[str, Any]

SEEN: dict[str, list[Evidence]] = {
    "data-not-finite": [{"part": "training", "rows": {"input 0": 3, "the answers": 1}, "of": 240}],
    "constant-target": [{"rows": 160}],
    "uphill": [
        {"right": 4.2, "wrong": 0.1},
        {"losses": RISING, "first": 1.1, "now": 9.0},
        {"first": 1.1, "now": 40.0, "negated": True, "cosine": 0.9},
        {"first": 1.1, "now": None, "negated": True, "cosine": None},
    ],
    "target-leak": [
        {"feature": 3, "error": 0.001, "next": 0.71},
        {"features": {"feature 3": 0.001, "feature 0": 0.71, "feature 9": 0.8}},
    ],
    "row-leak": [{"both": 31, "validation": 80, "twins_in_training": 0.0}],
    "shuffled-labels-learnt": [{"rows": 64, "held_rows": 64, "gain": 0.3, "z": 9.1}],
    "duplicate-rows": [{"rows": 1000, "distinct": 700, "share": 0.3}],
    "conflicting-labels": [{"rows": 24, "of": 160, "first": [3, 8]}],
    "labels-misaligned": [
        {"explained": -0.01, "slip": None, "rows": 400},
        {"explained": 0.002, "slip": -1, "rows": 400, "moved": 0.61},
        {"wrong": 90, "found": 96},
    ],
    "label-noise": [
        {"among_surest": 0.17, "among_all": 0.21, "rows": [4, 9]},
        {"far": 12, "among_all": 0.02, "foretold": 0.52, "rows": [4, 9]},
    ],
    "preprocessing-leak": [
        {"pooled_exact": True, "means": [0.1, -0.04, 0.02], "pooled_means": [0.0, 0.0, 0.0]},
    ],
    "split-shift": [
        {"auc": 0.9, "answers_apart": 0.1, "shares": {"training": {"0": 1.0}, "validation": {"0": 1.0}}},
        {"auc": 0.6, "answers_apart": 0.6, "quantiles": {"training": [1.0, 2.0], "validation": [3.0, 9.0]}},
        {
            "auc": 0.9,
            "answers_apart": 0.6,
            "shares": {"training": {"0": 0.9, "1": 0.1}, "validation": {"0": 0.1, "1": 0.8, "2": 0.1}},
        },
    ],
    "rows-in-order": [
        {"factor": 14.2, "batches": 40, "rows": 16},
        {"factor": 14.2, "means": [0.0, 0.0, 0.5, 1.0, 1.0, 2.0]},
    ],
    "class-imbalance": [
        {"class": 2, "share": 0.01, "counts": [100, 96, 2], "found": None},
        {"class": 29, "share": 0.001, "counts": [40] * 29 + [1], "found": 0.1},
    ],
    "constant-feature": [{"columns": [2, 5], "features": 8, "varies_in_validation": True}],
    "input-layout": [{"seen": "...", "shape": [64, 28, 28, 3]}],
    "wrong-loss": [{"losses": {"right answers": 1.0, "the same answer for all": 0.9}}],
    "output-mismatch": [
        {"activation": "softmax", "lowest": 0.01, "highest": 0.8},
        {"activation": "relu", "lowest": 0.0, "highest": 1.9},
        {"activation": "tanh", "lowest": -0.9, "highest": 0.9},
    ],
    "input-ignored": [{"change": {"0": 0.0, "1": 0.4}}],
    "batch-mixed": [{"rows": 32, "change": 0.21}],
    "future-seen": [{"change": 0.3, "place": 8}, {"place": 3, "changes": [0.2, 0.1, 0.3, 0.9]}],
    "parameters-unmoved": [{"parameters": 8, "unmoved": ["4.weight", "4.bias"], "why": "frozen"}],
    "symmetric-start": [{"layers": ["0.weight"], "units": {"0.weight": 32}}],
    "nonlinearity-missing": [
        {"layers": ["0", "2", "4"], "none_at_all": True},
        {"layers": ["0", "2", "4"], "none_at_all": False},
    ],
    "memory-cut": [{"steps": 24, "cut": list(range(18))}],
    "padding-attended": [{"padding": 0, "share": 0.4, "change": 0.31}],
    "gradients-accumulate": [{"steps": 12, "left_over": [1.0, 1.9, 2.8, 3.7]}],
    "wrong-mode": [
        {"steps": 60, "in_evaluation": 60},
        {"step": 60, "told": 0.9, "evaluation": 0.5, "training": 0.88},
    ],
    "schedule-collapsed": [
        {"rate": 1e-9, "highest": 0.1, "idle_steps": 40, "gain": 0.2},
        {"rate": 0.0, "highest": 0.1, "idle_steps": 40, "gain": 0.2},
        {"rates": [[step, 0.1 * 0.5**step] for step in range(60)], "rate": 0.0, "highest": 0.1},
    ],
    "clipping-always": [
        {"norm": 0.1, "norms": [[step, 0.1] for step in range(1, 30)]},
        {"norm": 0.1, "now": 0.9, "trial": 0.3},
    ],
    "harmful-augmentation": [{"apart": 2.4, "lost": 0.2, "step": 200}, {"changed": 0.6, "lost": 0.2}],
    "inputs-unnormalised": [{"rms": 88.0, "uneven": 40.0, "loss_as_is": 1e9, "loss_standardised": 0.3}],
    "normalised-twice": [{"rms": 0.002, "uneven": 1.0, "loss_as_is": 0.98, "loss_standardised": 0.3}],
    "signal-scale": [
        {"scales": {"0.weight": 0.01, "2.weight": 0.6}, "loss_as_is": 1.0, "loss_drawn_anew": 0.3},
        {"spread": {"0": 0.4, "2": 0.001, "4": 0.0}, "ratio": 1e6},
    ],
    "dead-units": [{"step": 60, "dead": 0.9, "loss": 0.8}, {"layers": {"1": 0.9, "3": 0.1}, "dead": 0.9}],
    "saturated-units": [{"step": 0, "saturated": 0.9}, {"layers": {"1": 0.9, "3": 0.1}, "saturated": 0.9}],
    "starting-loss": [{"start": 9.2, "expected": 1.1, "outputs": 8.0}, {"start": 0.2, "expected": 1.1}],
    "over-regularised": [{"weight_decay": 1.0, "dropout": 0.0, "now": 0.99, "without": 0.2}],
    "batch-too-small": [{"rows": 2, "now": None, "rows_32": 0.2, "slower": 0.3}],
    "learning-rate-too-high": [
        {"rate": 1.0, "better_rate": 0.01, "now": None, "trial": 0.2},
        {"rate": 1.0, "trials": [[1.0, None], [0.1, 0.8], [0.01, 0.2], [0.001, 0.9]]},
        {"epoch": 3, "train": 2.0, "lowest_before": 0.4, "best_validation": 0.9, "rival": 0.3},
        {"epoch": 30, "train": 2.0, "train_losses": RISING},
    ],
    "learning-rate-too-low": [
        {"rate": 1e-6, "better_rate": 1e-3, "gained": -0.001, "trial_gains": 0.7},
        {"rate": 1e-6, "trials": [[1e-6, 0.99], [1e-5, 0.9], [1e-3, 0.2]]},
        {"steps": 400, "gained": 0.02, "best_validation": 0.97, "rival": 0.4, "learning_rate": 1e-6},
        {"steps": 400, "validation_losses": FALLING},
    ],
    "not-finite": [{"step": 40, "losses": FALLING, "rose": False}, {"epoch": 4, "train_losses": FALLING}],
    "vanishing-gradient": [
        {"step": 0, "ratio": 1e-7, "learnt_by_heart": 0.9},
        {"step": 0, "ratio": 1e-7, "layers": {f"{n}.weight": 10.0 ** (n - 12) for n in range(40)}},
    ],
    "exploding-gradient": [
        {"spike": 40.0, "grown": 900.0, "gain": 0.0, "clipped": 0.3},
        {"spike": 40.0, "norms": [[step, 900.0 if step == 9 else 1.0] for step in range(1, 30)]},
    ],
    "plateau": [{"steps": 60, "now": 0.9, "trial": 0.4}, {"steps": 60, "losses": FALLING}],
    "no-better-than-chance": [
        {"validation": 1.01, "train": 0.1, "rival": 1.02},
        {"best_validation": 1.01, "best_train": 0.1, "rival": None},
    ],
    "underfitting": [
        {"train": 0.7, "validation": 0.75, "rival": 0.3},
        {"train": 0.8, "best_validation": 0.85, "rival": None},
        {"width": 1, "share": 0.9},
    ],
    "overfitting": [
        {"step": 60, "lowest": 0.4, "now": 0.9, "train": 0.01},
        {"step": 9, "validation_losses": RISING, "train_losses": FALLING},
        {"epoch": 9, "best_validation": 0.4, "rise": 0.3, "noise": 0.01, "train_fall": 0.2},
        {"epoch": 9, "validation_losses": RISING, "train_losses": FALLING},
    ],
    "too-few-epochs": [
        {"step": 60, "now": 0.6, "later": 0.3},
        {"epochs": 4, "best_validation": 0.6, "rival": 0.3},
        {"epochs": 4, "validation_losses": FALLING, "train_losses": FALLING},
    ],
    "metric-apart": [{"epochs": 5, "losses": [1.0, 0.8, 0.6, 0.5], "metric": [0.7, 0.7, 0.5, 0.4]}],
    "one-batch": [
        {"rows": 32, "steps": 200, "first": 1.1, "last": 0.9, "share": 0.8},
        {"losses": [1.1, 1.0, 0.95], "first": 1.1, "last": 0.9, "share": 0.8},
    ],
}  # fmt: skip
CASES = [(code, number) for code, cases in SEEN.items() for number in range(len(cases))]


def finding(code: str, evidence: Evidence) -> Finding:
    return Finding(code, "warning", "Seen.", layer="1", evidence=evidence)


def seen(code: str, evidence: Evidence) -> Figure:
    figure = picture(finding(code, evidence))
    assert figure is not None, f"{code} is not drawn from {', '.join(evidence)}"
    return figure


def test_every_fault_that_can_be_named_can_be_drawn():
    named = {fault.code for fault in CATALOGUE if fault.when != "reserved"}
    assert named == set(SEEN) == set(DRAWERS)


@pytest.mark.parametrize(("code", "number"), CASES)
def test_a_picture_says_in_words_and_numbers_what_it_shows(code: str, number: int):
    figure = seen(code, SEEN[code][number])
    assert figure.name == f"finding-{code}"
    assert not figure.title[:1].islower()
    assert not figure.title.endswith(".")
    assert figure.reading.endswith(".")
    assert figure.table.height >= 2
    assert figure.table.width >= 2
    for width in (WIDE, NARROW):
        assert figure.chart(width).to_dict(validate=False)["layer"]


@pytest.mark.parametrize("code", ["target-leak", "vanishing-gradient", "overfitting", "memory-cut"])
def test_each_form_becomes_a_picture_in_the_colours_of_the_page(code: str):
    for evidence in SEEN[code][-1:]:
        svg = themed(drawn(seen(code, evidence), NARROW))
        assert "<svg" in svg
        assert "var(--" in svg
        assert "NaN" not in svg
        assert "undefined" not in svg


def test_where_evidence_is_missing_nothing_is_drawn():
    assert picture(finding("overfitting", {"epoch": 3})) is None
    assert picture(finding("plateau", {"now": 0.4, "trial": None})) is None
    assert picture(finding("values-missing", {"missing": 207})) is None
    assert picture(finding("starting-loss", {"start": "nan"})) is None


def test_the_whole_curve_is_preferred_to_two_numbers():
    given = {"step": 9, "lowest": 0.4, "now": 0.9, "train": 0.01}
    assert seen("overfitting", given).table.height == 3
    assert seen("overfitting", {**given, "validation_losses": RISING}).table.height == len(RISING)


def test_of_two_sides_that_differ_by_their_inputs_the_answers_are_not_shown():
    inputs, answers, classes = (seen("split-shift", evidence) for evidence in SEEN["split-shift"])
    assert "two kinds" in inputs.title
    assert "answers" in answers.title
    assert "Class" in classes.title


def test_what_has_left_all_bounds_is_called_diverged_and_does_not_hide_the_others():
    svg = drawn(seen("inputs-unnormalised", SEEN["inputs-unnormalised"][0]))
    assert "diverged" in svg
    chart = bars("T", "R.", "loss", [Bar("now", 1e9, "wrong"), Bar("trial", 0.2)], line=1.0, cut=True)
    longest = chart.chart().to_dict(validate=False)["layer"][0]["encoding"]["x"]["scale"]["domain"][1]
    assert 2.0 <= longest < 3.0


def test_the_number_behind_a_bar_is_the_evidence():
    svg = drawn(seen("row-leak", {"both": 31, "validation": 80}))
    assert ">31<" in svg
    assert ">49<" in svg
    assert "0.01" in seen("learning-rate-too-high", SEEN["learning-rate-too-high"][1]).title


def test_curves_without_two_points_and_numbers_that_are_none_are_left_out():
    assert lines("T", "R.", ("step", "loss"), [Line("loss", [[1, 0.3]], "train")]) is None
    broken = [[1, 0.3], [2, math.nan], [3, None], [4, 0.2]]
    figure = lines("T", "R.", ("step", "loss"), [Line("loss", broken, "train")])
    assert figure is not None
    assert figure.table.height == 2


def test_of_many_layers_some_are_left_out_and_the_one_that_is_meant_stays():
    layers = {f"layer {n}": 10.0**-n for n in range(100)}
    figure = dots("T", "R.", "gradient", layers, marked="layer 51")
    assert figure.table.height <= 26
    assert "layer 51" in figure.table["layer"]


def test_what_a_doctor_finds_before_training_is_drawn():
    torch.manual_seed(0)
    x, y = torch.randn(200, 6), torch.arange(200) % 2
    net = nn.Sequential(nn.Linear(6, 16), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2))
    net[1].requires_grad_(False)
    train, held = (x[:150], y[:150]), (x[120:], y[120:])
    case = watch(
        net, loss=functional.cross_entropy, probe=(x[:64], y[:64]), train=train, validation=held
    ).case
    asked = {"row_leak", "parameters_unmoved", "nonlinearity_missing"}
    found = [symptom(case) for symptom in BEFORE if symptom.__name__ in asked]
    assert [one.code for one in found if one and picture(one)] == [
        "row-leak", "parameters-unmoved", "nonlinearity-missing"
    ]  # fmt: skip


def test_pictures_of_findings_need_no_torch():
    script = "import sys, preceptor.figures.findings; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parent.parent).returncode == 0
