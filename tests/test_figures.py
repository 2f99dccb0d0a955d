"""Every picture: drawn or left out, its title true, its numbers in its table, its colours the house's."""

import itertools
import json
import re
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preceptor.figures import words
from preceptor.figures.certainty import reliability, roc
from preceptor.figures.classes import class_balance, confusion, found
from preceptor.figures.contest import Entry, contest
from preceptor.figures.figure import DARK, LIGHT, NARROW, WIDE, drawn, themed
from preceptor.figures.inputs import Slice, Weight, importance, slices
from preceptor.figures.journey import rows_account, timeline
from preceptor.figures.learning import learning_curves
from preceptor.figures.numbers import error_bands, error_growth, predicted_against_true, target_histogram

random = np.random.default_rng(3)
HOSTILE = "<script>alert('€ & \"x\"')</script> {{ 7 * 7 }} \\ a.b[0]"


def entries(*scores, role="other"):
    return [Entry(f"rival {n}", s, (s * 0.9, s * 1.1), f"{s}", role) for n, s in enumerate(scores)]


def history(epochs=30, folds=3, turn=20):
    lines = [
        {"fold": f, "epoch": e, "train_loss": 1 / e, "validation_loss": 0.3 + 1 / e + max(0, e - turn) * 0.02}
        for f in range(folds)
        for e in range(1, epochs + 1)
    ]
    return pl.DataFrame(lines)


def prices(rows=2000, noise=0.2):
    truth = np.exp(random.normal(12, 0.5, rows))
    return truth, truth * np.exp(random.normal(0, noise, rows))


def guesses(rows=600, classes=3, right=0.8):
    truth = random.integers(0, classes, rows)
    return truth, np.where(random.random(rows) < right, truth, random.integers(0, classes, rows))


def probabilities(rows=800):
    truth = random.random(rows) < 0.4
    return truth, 1 / (1 + np.exp(-random.normal(2.0 * truth - 1, 1)))


def every_figure(name="price"):
    truth, answer = prices()
    classes, said = guesses(classes=15)
    names = [f"{name} {n}" for n in range(15)]
    positive, ours = probabilities()
    weights = [Weight(f"{name} {n}", 9.0 - n, (8.0 - n, 10.0 - n), "a lot") for n in range(10)]
    parts = [Slice(name, f"part {n}", 50, 40.0 - n, (39.0 - n, 41.0 - n), "40", w) for n, w in
             enumerate(["worse", "same", "better"])]  # fmt: skip
    return [
        learning_curves(history()),
        contest(entries(1.0, 2.0, 3.0), name, False, "It wins", "rows"),
        predicted_against_true(truth, answer, name),
        predicted_against_true(truth[:200], answer[:200], name),
        error_growth(truth, answer, name),
        error_bands(truth, answer, name),
        target_histogram(truth, answer, name),
        confusion(classes, said, names),
        found([(one, 9, n / 20) for n, one in enumerate(names)], "class"),
        class_balance(np.minimum(classes, 1), np.minimum(classes, 1), names[:2]),
        roc(positive, ours, 1 - ours, (name, f"not {name}")),
        reliability(np.maximum(ours, 1 - ours), (ours > 0.5) == positive),
        importance(weights, name),
        slices(parts, 39.0, name),
        rows_account({"train": 700, "validation": 200, "sealed": 250, "left out": 40}, folds=5),
        timeline({"read": 1.0, name: 40.0, "exam": 2.0}),
    ]


def attributes(svg):
    """What stands inside the tags: the drawing without its words."""
    return " ".join(re.findall(r"<[^>]+>", svg))


@pytest.fixture(scope="module")
def drawings():
    return {f"{n} {f.name}": drawn(f, NARROW if n % 2 else WIDE) for n, f in enumerate(every_figure(HOSTILE))}


def test_every_figure_is_drawn_in_the_house_s_colours_alone(drawings):
    for name, svg in drawings.items():
        colours = set(re.findall(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl)a?\([^)]*\)", attributes(svg)))
        assert colours <= set(LIGHT.values()), name


def test_on_the_page_no_colour_is_fixed_and_no_name_from_the_data_becomes_markup(drawings):
    for name, svg in drawings.items():
        page = themed(svg)
        assert "var(--" in page, name
        assert "#" not in attributes(page), name
        assert "<script" not in page, name
        assert len(page) < len(svg), name


def test_a_figure_is_as_wide_as_it_is_asked_to_be(drawings):
    for n, svg in enumerate(drawings.values()):
        width = float(re.search(r'width="([\d.]+)"', svg)[1])
        assert abs(width - (NARROW if n % 2 else WIDE)) <= 30


def test_what_is_said_of_a_mark_is_its_tooltip():
    figure = timeline({"read": 1.0, "train": 40.0})
    assert "<title>train: 40 s</title>" in themed(drawn(figure, NARROW))


def test_the_same_numbers_stand_in_the_chart_for_notebooks_and_in_the_table():
    figure = contest(entries(1.0, 2.0), "error", False, "It wins", "rows")
    assert "rival 0" in json.dumps(figure.chart().to_dict())
    assert figure.table["score"].to_list() == [1.0, 2.0]
    assert all(figure.table.height > 0 for figure in every_figure())


# ------------------------------------------------------------------------------ titles tell the truth


def test_learning_that_turns_upwards_is_called_memorising_and_the_epoch_is_named():
    assert learning_curves(history(turn=20)).title == "It learnt until epoch 20; after that it memorised"
    assert "still getting better" in learning_curves(history(epochs=15, turn=99)).title


def test_one_epoch_is_no_curve_and_epochs_without_a_number_are_left_out():
    assert learning_curves(history(epochs=1)) is None
    assert learning_curves(history().with_columns(validation_loss=float("nan"))) is not None
    broken = history().with_columns(validation_loss=None, train_loss=float("inf"))
    assert learning_curves(broken) is None


def test_a_loss_that_spans_decades_is_drawn_on_a_logarithmic_axis():
    lines = history(epochs=200, turn=999).with_columns(pl.col("validation_loss") - 0.3)
    assert '"log"' in json.dumps(learning_curves(lines).chart().to_dict())


def test_errors_that_grow_are_called_growing_and_even_ones_even():
    truth, answer = prices()
    assert error_growth(truth, answer, "price").title == "Errors grow with price"
    even = truth + random.normal(0, 1000, len(truth))
    assert error_growth(truth, even, "price").title == "Errors are about as large for every price"
    assert "wider the doubt" in error_bands(truth, answer, "price").title


def test_the_contest_is_sorted_best_first_whichever_way_is_better():
    low = contest(entries(3.0, 1.0, 2.0), "error", False, "t", "rows").table["score"].to_list()
    high = contest(entries(3.0, 1.0, 2.0), "accuracy", True, "t", "rows").table["score"].to_list()
    assert (low, high) == ([1.0, 2.0, 3.0], [3.0, 2.0, 1.0])


def test_a_rival_that_is_lost_in_space_does_not_squeeze_the_others():
    spec = contest(entries(1.0, 1.1, 1.2, 1e9), "error", False, "t", "rows").chart().to_dict()
    assert max(spec["layer"][1]["encoding"]["x"]["scale"]["domain"]) < 10


def test_the_reliability_title_says_which_way_the_certainty_errs():
    said = random.uniform(0.5, 1, 4000)
    honest = random.random(4000) < said
    assert "as often as it says" in reliability(said, honest).title
    assert reliability(said, random.random(4000) < said - 0.2).title == "It is surer than it should be"
    assert "more often" in reliability(said, random.random(4000) < said + 0.15).title


def test_the_roc_curve_agrees_with_counting():
    positive, ours = probabilities(5000)
    figure = roc(positive, ours, None, ("no", "yes"))
    threshold = np.quantile(ours[~positive], 0.9)
    told = figure.table.filter((pl.col("false alarms") - 0.1).abs() < 1e-9)["found by preceptor"][0]
    assert abs(told - (ours[positive] > threshold).mean()) < 0.01


def test_the_confusion_table_counts_every_row_even_where_classes_are_gathered():
    truth, said = guesses(rows=5000, classes=40)
    figure = confusion(truth, said, [f"c{n}" for n in range(40)])
    assert figure.table["rows"].sum() == 5000
    cells = json.dumps(figure.chart().to_dict())
    assert "all others" in cells
    assert "c39 answered as c38" not in cells


def test_a_class_that_is_never_answered_is_named():
    truth = np.array([0] * 50 + [1] * 10)
    assert class_balance(truth, np.zeros(60, dtype=int), ["no", "yes"]).title == "It never answers “yes”"


def test_slices_are_called_worse_only_where_the_difference_is_sure():
    parts = [Slice("c", v, 9, s, None, "", w) for v, s, w in [("a", 9.0, "same"), ("b", 8.0, "worse")]]
    assert slices(parts, 5.0, "error").title == "It does worst where c is “b”"
    assert "equally well" in slices([parts[0], parts[0]], 5.0, "error").title


# ------------------------------------------------------------------ a picture that says nothing is left out


def test_pictures_that_would_say_nothing_are_left_out():
    one, few = np.ones(1), np.arange(2.0)
    none = np.zeros(0, dtype=int)
    assert contest(entries(1.0), "error", False, "t", "rows") is None
    assert predicted_against_true(few, few, "price") is None
    assert predicted_against_true(np.ones(50), np.arange(50.0), "price") is None
    assert error_growth(one, one, "price") is None
    assert error_bands(np.arange(20.0), np.arange(20.0), "price") is None
    assert target_histogram(np.ones(90), np.ones(90), "price") is None
    assert confusion(none, none, ["a", "b"]) is None
    assert found([("a", 3, 0.5)], "tag") is None
    assert class_balance(np.array([0, 1] * 30), np.array([0, 1] * 30), ["a", "b"]) is None
    assert roc(np.ones(9, dtype=bool), np.ones(9), None, ("a", "b")) is None
    assert reliability(np.full(200, 0.7), np.ones(200, dtype=bool)) is None
    assert importance([Weight("a", 0.0, None, ""), Weight("b", float("nan"), None, "")], "error") is None
    assert slices([Slice("a", "b", 3, 1.0, None, "", "same")], 1.0, "error") is None
    assert rows_account({"train": 5}) is None
    assert timeline({"read": 0.0, "train": 0.0}) is None


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(-1e12, 1e12, allow_subnormal=False), min_size=3, max_size=80),
    st.sampled_from([0.0, 1.0, -3.0, 1e9]),
)
def test_figures_of_any_finite_numbers_can_be_made(values, shift):
    truth = np.array(values)
    answer = truth[::-1] + shift
    for make in (predicted_against_true, error_growth, error_bands, target_histogram):
        figure = make(truth, answer, "x")
        if figure is not None:
            assert figure.title
            spec = json.dumps(figure.chart(NARROW).to_dict(validate=False), allow_nan=False)
            assert figure.table.height > 0
            assert spec


def test_a_million_rows_become_a_small_picture():
    truth, answer = prices(1_000_000)
    assert len(json.dumps(predicted_against_true(truth, answer, "price").chart().to_dict())) < 400_000
    said, right = random.uniform(0.5, 1, 1_000_000), random.random(1_000_000) < 0.7
    assert reliability(said, right).table.height == 10
    assert len(json.dumps(roc(right, said, said, ("a", "b")).chart().to_dict())) < 100_000


# ------------------------------------------------------------------------------------- colours


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.1)."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_marks_stand_out_from_the_paper(theme):
    for shade in ("ink", "soft"):
        assert contrast(theme[shade], theme["paper"]) >= 4.5
    for shade in ("ours", "rival", "other", "train", "validation", "wrong"):
        assert contrast(theme[shade], theme["paper"]) >= 3


BLIND = {  # Machado, Oliveira & Fernandes (2009), severity 1
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "none": np.eye(3).tolist(),
}


def seen(colour: str, eye: str) -> np.ndarray:
    """A colour as CIELAB (D65) of a colour-blind eye's view."""
    parts = np.array([int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(BLIND[eye]) @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ linear / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("eye", BLIND)
def test_colours_that_share_a_picture_are_told_apart_by_colour_blind_eyes(theme, eye):
    together = [
        ("ours", "rival", "other"),
        ("train", "validation", "ink", "other"),
        ("ours", "wrong", "other"),
    ]
    for shades in together:
        for one, other in itertools.combinations(shades, 2):
            assert np.linalg.norm(seen(theme[one], eye) - seen(theme[other], eye)) > 10, (one, other)


def test_figures_are_made_without_torch_or_scikit_learn():
    script = (
        "import sys, preceptor.report.page;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'sklearn', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


# ------------------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("value", "interval", "said"),
    [
        (42913.2, (41700, 44200), "42,900"),
        (115312.0, None, "115,000"),
        (0.92716, (0.9240, 0.9301), "0.927"),
        (-0.00321, None, "−0.00321"),
        (0.0, None, "0"),
        (float("nan"), None, "not known"),
        (None, None, "not known"),
        (1e-9, None, "1.00 × 10⁻⁹"),
        (3.2e18, None, "3.20 × 10¹⁸"),
        (12.3456, (12.3455, 12.3457), "12.35"),
        (0.4, (-300.0, 700.0), "0"),
    ],
)
def test_numbers_are_said_without_digits_that_the_interval_does_not_carry(value, interval, said):
    assert words.number(value, interval) == said


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(0, 1e300))
def test_any_number_can_be_said(value, half):
    said = words.number(value, (value - half, value + half) if np.isfinite([value, half]).all() else None)
    assert said
    assert "nan" not in said
    assert "inf" not in said
    assert "-" not in said


@given(st.floats(-1e9, 1e9).filter(lambda v: abs(v) > 1e-4))
def test_what_is_said_is_near_what_is_meant(value):
    said = float(words.number(value).replace(",", "").replace("−", "-"))
    assert abs(said - value) <= 0.006 * abs(value)


def test_spans_durations_counts_and_lists_read_like_speech():
    assert words.span((41713, 44208), 42913) == "41,700 to 44,200"
    assert [words.duration(s) for s in (0.42, 71, 277, 120, 4500)] == [
        "0.4 s", "71 s", "4 min 37 s", "2 min", "1 h 15 min",
    ]  # fmt: skip
    assert words.share(0.87312) == "87.3\u00a0%"
    assert (words.of_100(0.9961), words.of_100(1.0), words.of_100(0.87)) == ("99.6", "100", "87")
    assert (words.plural(1, "row"), words.plural(4128, "row")) == ("1 row", "4,128 rows")
    assert (words.spelt(2, "thing"), words.spelt(14, "thing")) == ("two things", "14 things")
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.listed("abcde", 3) == "a, b, c and 2 more"
    assert words.memory(1240) == "1.2 GB"
    assert len(words.shortened("x" * 200, 40)) <= 40
    assert words.interval_of([1, 2]) == (1.0, 2.0)
    assert words.interval_of([1, float("nan")]) is None
