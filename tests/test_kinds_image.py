"""The kind image: every picture becomes one square of one size, whole, upright and unstretched."""

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from preceptor.data.pictures import cap_for, keep
from preceptor.kinds.image import SIDES, Image
from preceptor.kinds.recognise import recognise

QUICK = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


def column(*pictures: np.ndarray | None) -> pl.Series:
    keys = [None if one is None else next(keep([one], cap_for(1))).key for one in pictures]
    return pl.Series("photo", keys, dtype=pl.Binary)


def plain(height: int, width: int, *colour: int) -> np.ndarray:
    return np.broadcast_to(np.array(colour, np.uint8), (height, width, len(colour)))


def noise(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def drawn(image: Image, rows: pl.Series, row: int = 0) -> np.ndarray:
    """(S, S, C): what the network sees of a row."""
    return image.encode(rows)[row].permute(1, 2, 0).numpy()


def test_small_equal_squares_stay_as_they_are():
    made = [noise(28, 28, 1, seed) for seed in range(5)]
    rows = column(*made)
    image = Image("photo").fit(rows)
    assert image.shape.sizes == (1, 28, 28)
    assert torch.equal(image.encode(rows), torch.from_numpy(np.stack(made)).permute(0, 3, 1, 2))


@pytest.mark.parametrize(
    ("sizes", "side"),
    [
        ([(28, 28)] * 3, 28),
        ([(64, 64)] * 3, 64),
        ([(65, 65)] * 3, 64),
        ([(4, 4)] * 3, 32),
        ([(1, 1)] * 3, 32),
        ([(28, 27)] * 3, 32),
        ([(500, 400)] * 3, 128),
        ([(60, 80), (50, 50), (300, 300)], 64),
    ],
)
def test_the_side_follows_from_the_training_pictures(sizes: list[tuple[int, int]], side: int):
    rows = column(*(noise(*size, 1, seed) for seed, size in enumerate(sizes)))
    assert Image("photo").fit(rows).shape.sizes == (1, side, side)


def test_many_pictures_are_learnt_from_at_a_smaller_size():
    large = np.array([(300, 300)])
    sides = [Image("photo")._side(large, count) for count in (100, 10_000, 50_000, 10**6)]
    assert sides == [128, 64, 32, 32]


def test_a_limit_is_kept():
    rows = column(noise(300, 300, 3), noise(200, 300, 3))
    assert Image("photo", limit=48).fit(rows).shape.sizes == (3, 48, 48)
    assert Image("photo", limit=20).fit(rows).shape.sizes == (3, 20, 20)


def test_nothing_is_cut_away_and_nothing_is_stretched():
    wide = np.concatenate([plain(40, 60, 200, 0, 0), plain(40, 60, 0, 0, 200)], axis=1)
    rows = column(wide, noise(100, 100, 3))
    image = Image("photo").fit(rows)
    square = drawn(image, rows)
    assert square.shape == (96, 96, 3)
    assert (square[32:64, :48] == [200, 0, 0]).all()
    assert (square[32:64, 48:] == [0, 0, 200]).all()
    assert (square[:32] == image.mean).all()
    assert (square[64:] == image.mean).all()


def test_shrinking_takes_the_mean_of_what_each_pixel_covers():
    checks = np.indices((256, 256)).sum(axis=0).astype(np.uint8)[..., None] % 2 * 200
    rows = column(checks, noise(256, 250, 1))
    encoded = Image("photo").fit(rows).encode(rows)
    assert (encoded[0] == 100).all()


def test_a_missing_picture_is_all_mean_colour():
    rows = column(plain(30, 30, 10, 20, 30), plain(30, 30, 30, 40, 51), None)
    image = Image("photo").fit(rows)
    assert image.mean in ([20, 30, 40], [20, 30, 41])
    assert (drawn(image, rows, 2) == image.mean).all()
    assert (drawn(image, pl.Series("photo", ["text"])) == image.mean).all()


def test_colour_and_grey_meet_at_the_channels_that_were_learnt():
    grey, red = column(plain(32, 32, 90)), column(plain(32, 32, 255, 0, 0))
    assert (Image("photo").fit(grey).encode(red) == 76).all()
    assert (Image("photo").fit(red).encode(grey) == 90).all()
    assert Image("photo").fit(pl.concat([grey, red])).shape.sizes == (3, 32, 32)


def test_pictures_are_recognised_and_never_asked_for():
    frame = pl.DataFrame([column(*(noise(9, 9, 1, seed) for seed in range(30)))]).with_columns(y=pl.lit("a"))
    assert recognise(frame, "y", {})["photo"].kind == "image"
    assert not Image.recognise(frame["photo"], as_target=True).confidence
    assert not Image.recognise(frame["y"]).confidence


@QUICK
@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from([1, 3]), st.integers(0, 99))
def test_any_picture_fits_into_any_square(height: int, width: int, channels: int, seed: int):
    image = Image("photo").fit(column(noise(40, 50, 3)))
    rows = column(noise(height, width, channels, seed))
    assert image.encode(rows).shape == (1, 3, 48, 48)
    assert image.encode(rows).is_contiguous()
    longer, shorter = max(height, width), min(height, width)
    rim = (48 - max(1, round(48 * shorter / longer))) // 2
    square = drawn(image, rows) if height <= width else drawn(image, rows).transpose(1, 0, 2)
    assert (square[:rim] == image.mean).all()


def test_every_side_can_be_halved_four_times():
    assert all(side % 16 == 0 for side in SIDES)
