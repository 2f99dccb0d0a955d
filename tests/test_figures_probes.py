"""Pictures of what probes saw and of what remedies did."""

import polars as pl

from preceptor.figures.figure import drawn
from preceptor.figures.probes import batch_sizes, before_and_after, data_curve, landscape_drawn, rate_range
from preceptor.probes import BatchSizes, Landscape, LearningCurve, RateRange


def test_the_rate_that_learns_fastest_is_in_the_title():
    points = pl.DataFrame(
        {"rate": [1e-3, 1e-2, 1e-1, 1.0], "loss": [2.0, 1.5, 1.0, 9.0], "smooth": [2.0, 1.8, 1.2, 8]}
    )
    runs = pl.DataFrame({"rate": [1e-2, 1e-1], "loss": [1.2, float("inf")]})
    picture = rate_range(RateRange(1e-2, 3e-2, points, runs))
    assert "0.01" in picture.title
    assert "learning rate" in drawn(picture)


def test_every_size_tells_the_memory_it_keeps():
    table = pl.DataFrame(
        {"size": [8, 16], "seconds": [1e-3] * 2, "rows_a_second": [8e3, 16e3], "megabytes": [1.5, 3.0]}
    )
    picture = batch_sizes(BatchSizes(16, 40.0, table))
    assert "16 rows" in picture.title
    assert all(told in drawn(picture) for told in ("1.5 MB", "3 MB"))


def test_the_use_of_more_rows_is_said_in_the_title():
    points = pl.DataFrame({"rows": [10, 20, 40], "draw": [0, 0, 0], "error": [3.0, 2.0, 1.5]})
    assert "about 20 %" in data_curve(LearningCurve(points, 1.5, 1.2, 0.5, True), "error").title
    useless = data_curve(LearningCurve(points, 1.5, 1.49, 1.4, False), "error")
    assert "change little" in useless.title
    assert "rows learnt from" in drawn(useless)


def test_a_narrow_minimum_is_told_from_a_wide_one():
    points = pl.DataFrame(
        [(a, b, 1.0 + a * a + b * b) for a in (-1.0, 0.0, 1.0) for b in (-1.0, 0.0, 1.0)],
        ["first", "second", "loss"],
        orient="row",
    )
    assert "narrow" in landscape_drawn(Landscape(points, 1.0, 1.5, 1.0)).title
    wide = landscape_drawn(Landscape(points, 1.0, 0.5, 1.0))
    assert "wide" in wide.title
    assert drawn(wide).count("loss ") >= 9


def test_a_loss_that_is_no_number_is_the_darkest_of_the_landscape():
    points = pl.DataFrame({"first": [-1.0, 0, 1] * 3, "second": [-1.0] * 3 + [0.0] * 3 + [1.0] * 3})
    points = points.with_columns(pl.Series("loss", [float("nan")] + [1.0] * 8))
    assert "<svg" in drawn(landscape_drawn(Landscape(points, 1.0, float("inf"), 1.0)))


def test_a_remedy_shows_both_curves_and_a_single_epoch_none():
    picture = before_and_after("Dropout 0.1 -> 0.2", [3.0, 2.0, 2.5], [3.0, 1.5, 1.4], "loss")
    assert picture is not None
    assert all(side in drawn(picture) for side in ("before", "after"))
    assert before_and_after("", [1.0], [2.0], "loss") is None
