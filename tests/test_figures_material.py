"""Pictures of what comes in and what is forecast: sizes, lengths, forecasts beside what came."""

import numpy as np
import pytest

from preceptor.figures.figure import NARROW, WIDE, drawn, themed
from preceptor.figures.forecast import error_by_step, forecasts, one_forecast
from preceptor.figures.material import picture_sizes, text_lengths

HOSTILE = "<script>alert('€ & \"x\"')</script> {{ 7 * 7 }} \\ a.b[0]"


def waves(rows=60, steps=12, noise=1.0):
    times = np.arange(rows)[:, None] + np.arange(steps)
    truth = 100 + 20 * np.sin(times / 4)
    return np.arange(rows), truth, truth + np.random.default_rng(0).normal(0, noise, truth.shape)


def every_figure():
    starts, truth, answer = waves()
    return [
        picture_sizes([(32, 32, 900), (640, 480, 20), (1, 1, 1)]),
        text_lengths(list(range(5, 90)), HOSTILE),
        forecasts(starts, truth, answer, HOSTILE),
        error_by_step(np.linspace(1, 5, 12), np.linspace(2, 6, 12), "typical error"),
        one_forecast(truth[0], answer[0], None, HOSTILE, "Its worst forecast"),
    ]


@pytest.mark.parametrize("figure", every_figure(), ids=lambda figure: figure.name[:12])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_one_is_drawn_in_both_widths_with_its_numbers(figure, width):
    svg = themed(drawn(figure, width))
    assert svg.startswith("<svg")
    assert "#" not in "".join(svg.split("url(#")).replace("&#", "")  # colours are the style sheet's
    assert "<script" not in svg
    assert figure.table.height > 1
    assert figure.title
    assert figure.reading


def test_pictures_of_one_size_and_texts_of_one_length_need_no_picture():
    assert picture_sizes([(32, 32, 900)]) is None
    assert text_lengths([7] * 100, "text") is None
    assert text_lengths([1, 2, 3], "text") is None


def test_every_text_is_counted_the_longest_in_the_last_bar():
    figure = text_lengths([*range(1, 100), 5000], "message")
    assert figure.table["texts"].sum() == 100
    assert "at most 50 words" in figure.title
    assert "the longest has 5,000" in figure.title


def test_forecasts_that_are_shown_do_not_overlap_and_end_with_the_last():
    starts, truth, answer = waves(rows=61)
    table = forecasts(starts, truth, answer, "load").table
    assert table["step"].is_sorted()
    assert table["step"].n_unique() == table.height == 72
    assert table["what came"].to_list()[-12:] == truth[-1].tolist()


def test_how_closely_forecasts_follow_is_judged_by_what_is_seen():
    starts, truth, near = waves(noise=0.5)
    assert "closely" in forecasts(starts, truth, near, "load").title
    assert "hardly" in forecasts(starts, truth, truth.mean() + 0 * truth, "load").title
    assert forecasts(starts[:5], truth[:5], near[:5], "load") is None


def test_the_error_is_said_to_grow_only_where_it_does():
    assert "grows from 1.0" in error_by_step(np.linspace(1, 5, 12), None, "error").title
    assert "about as large" in error_by_step(np.ones(12), None, "error").title
    assert error_by_step(np.ones(1), None, "error") is None
