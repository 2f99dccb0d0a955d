"""Augmentation: what happens to a picture depends on seed, epoch and row alone, and it stays a picture."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

import preceptor.augmentation
from preceptor.augmentation import Augmenter, changes_for, strip
from preceptor.augmentation.chance import draws, keys
from preceptor.augmentation.mixing import MIXINGS, blend, paste
from preceptor.augmentation.picture import CHANGES

SAMPLES = Path(preceptor.augmentation.__file__).parent.parent / "data" / "samples"
EVERY = (*CHANGES, *MIXINGS)
quick = settings(max_examples=20, deadline=None)


def pictures(rows: int, channels: int = 3, height: int = 14, width: int = 14, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (rows, channels, height, width), dtype=torch.uint8, generator=generator)


def made(x: Tensor, *changes: str, seed: int = 0) -> Augmenter:
    return Augmenter(tuple(x.shape[1:]), changes, seed, pictures=x)


@quick
@given(
    st.sets(st.sampled_from(EVERY)),
    st.sampled_from([1, 3]),
    st.integers(1, 20),
    st.integers(1, 20),
    st.integers(0, 2**64),
    st.integers(0, 10_000),
)
def test_a_changed_picture_is_a_picture_of_the_same_shape(
    changes: set[str], channels: int, height: int, width: int, seed: int, epoch: int
):
    x = pictures(4, channels, height, width)
    y = made(x, *sorted(changes), seed=seed)(x, torch.arange(4), epoch)
    assert (y.shape, y.dtype) == (x.shape, torch.uint8)
    assert changes or torch.equal(x, y)


@quick
@given(st.permutations(range(12)), st.integers(1, 5), st.sampled_from(EVERY), st.integers(0, 50))
def test_a_row_is_changed_alike_in_whatever_batch_it_is(order: list[int], size: int, change: str, epoch: int):
    x, rows = pictures(12), torch.tensor(order)
    augment = made(x, change)
    whole = augment(x, torch.arange(12), epoch)
    parts = torch.cat([augment(x[part], part, epoch) for part in rows.split(size)])
    assert torch.equal(parts, whole[rows])


@pytest.mark.parametrize("change", EVERY)
def test_epoch_row_and_seed_each_make_a_difference(change: str):
    x = pictures(1).expand(64, -1, -1, -1).clone()
    if change in MIXINGS:
        x[::2] = 255 - x[::2]
    once = made(x, change)(x, torch.arange(64), 3)
    assert not torch.equal(once, made(x, change)(x, torch.arange(64), 4))
    assert not torch.equal(once, made(x, change, seed=1)(x, torch.arange(64), 3))
    assert len(once.flatten(1).unique(dim=0)) > 1
    assert torch.equal(once, made(x, change)(x, torch.arange(64), 3))


def test_one_change_does_not_move_with_another():
    rows = torch.arange(2_000)
    first, second = (draws(keys(rows, 0, stream), 5, 1)[:, 0] for stream in (0, 1))
    assert abs(float(torch.corrcoef(torch.stack([first, second]))[0, 1])) < 0.08


@quick
@given(st.integers(0, 2**62), st.integers(0, 9), st.integers(0, 1_000), st.integers(1, 5))
def test_draws_are_spread_evenly_over_zero_to_one(seed: int, stream: int, epoch: int, count: int):
    found = draws(keys(torch.arange(4_000), seed, stream), epoch, count)
    assert found.shape == (4_000, count)
    assert ((found >= 0) & (found < 1)).all()
    assert (found.mean(0) - 0.5).abs().max() < 0.03
    assert (found.var(0) - 1 / 12).abs().max() < 0.01


def test_flips_alternate_so_that_two_epochs_show_both_sides():
    x, rows = pictures(200), torch.arange(200)
    even, odd = (made(x, "flip")(x, rows, epoch) for epoch in (6, 7))
    same = (even == x).flatten(1).all(1)
    assert 60 < same.sum() < 140
    assert torch.equal(odd, even.flip(3))
    assert torch.equal(even[~same], x[~same].flip(3))


def test_a_shift_moves_the_middle_and_mirrors_the_edge():
    x = torch.arange(14).to(torch.uint8).repeat(300, 1, 14, 1)
    y = made(x, "shift")(x, torch.arange(300), 0)
    moves = (y[:, 0, 7, 7].long() - 7).unique()
    assert moves.tolist() == [-1, 0, 1]
    left = y[y[:, 0, 7, 7] == 6][0]
    assert left[0, 0, :3].tolist() == [1, 0, 1]
    right = y[y[:, 0, 7, 7] == 8][0]
    assert right[0, 0, -3:].tolist() == [12, 13, 12]


def test_a_turn_keeps_a_round_thing_and_moves_a_long_one():
    places = torch.arange(29) - 14
    disc = places[:, None] ** 2 + places**2 < 30
    bar = (places.abs() < 2).expand(29, 29)
    x = (255 * torch.stack([disc, bar])[:, None]).to(torch.uint8)
    changed = [made(x, "turn")(x, torch.arange(2) + 2 * turn, 0).float() - x for turn in range(20)]
    by_disc, by_bar = torch.stack(changed).abs().mean((0, 2, 3, 4))
    assert by_disc < 0.4 * by_bar


def test_colour_keeps_what_is_grey_grey_and_the_order_of_brightness():
    x = torch.linspace(60, 180, 196).view(1, 1, 14, 14).expand(50, 3, -1, -1).to(torch.uint8)
    y = made(x, "colour")(x, torch.arange(50), 0).long()
    assert ((y[:, 0] - y[:, 2]).abs() <= 1).all()
    assert (y.flatten(2).diff() >= 0).all()
    assert y.float().mean((1, 2, 3)).std() > 5


def test_hiding_covers_one_square_with_the_mean_colour():
    x = pictures(40)
    y = made(x, "hide")(x, torch.arange(40), 0)
    hidden = (y != x).any(1)
    assert 0.02 < hidden.float().mean() < 0.2
    colour = x[0].float().mean((1, 2)).round()
    assert torch.equal(y[0][:, hidden[0]].float(), colour[:, None].expand(-1, int(hidden[0].sum())))


@pytest.mark.parametrize("mixing", [blend, paste])
def test_a_mixed_picture_keeps_two_thirds_of_its_own_on_average(mixing):
    """The mean of a share with density 2λ is 2/3."""
    x, others = torch.zeros(3_000, 1, 20, 20, dtype=torch.uint8), torch.full((), 255, dtype=torch.uint8)
    y = mixing(x, others.expand_as(x), keys(torch.arange(3_000), 0, 1), 0)
    shares = 1 - y.float().mean((1, 2, 3)) / 255
    assert abs(float(shares.mean()) - 2 / 3) < 0.02
    assert abs(float(shares.square().mean()) - 1 / 2) < 0.02


def test_keeping_the_goal_of_a_mixed_picture_has_the_mean_loss_of_mixing_the_goals():
    """For every pair and a loss linear in the goal: E over even λ equals E over the density 2λ."""
    generator = torch.Generator().manual_seed(0)
    even, uneven = torch.rand(2, 200_000, generator=generator)
    uneven = uneven.sqrt()
    cost = {first: lambda share, first=first: (share - first) ** 2 for first in (0.0, 1.0)}
    mixed_goals = (even * cost[1.0](even) + (1 - even) * cost[0.0](even)).mean()
    own_goal = (cost[1.0](uneven).mean() + cost[0.0](1 - uneven).mean()) / 2
    torch.testing.assert_close(own_goal, mixed_goals, atol=2e-3, rtol=0)


def test_mixing_without_a_training_set_is_refused():
    with pytest.raises(ValueError, match="training set"):
        Augmenter((3, 14, 14), ("mix",), 0)(pictures(2), torch.arange(2), 0)


def blobs(rows: int, *, left: bool) -> Tensor:
    """Soft blobs, anywhere or in the left half only."""
    generator = torch.Generator().manual_seed(0)
    middle_x, middle_y, size = torch.rand(3, rows, 1, 1, generator=generator)
    places = torch.linspace(0, 1, 12)
    far = (places - middle_x * (0.5 if left else 1)) ** 2 + (places[:, None] - middle_y) ** 2
    return (255 * torch.exp(-far / (0.02 + 0.05 * size))).to(torch.uint8)[:, None]


def test_pictures_are_mirrored_only_where_left_and_right_mean_nothing():
    assert changes_for(blobs(1_000, left=False)) == ("shift", "flip")
    assert changes_for(blobs(1_000, left=True)) == ("shift",)
    assert changes_for(blobs(1, left=False)) == ("shift",)


def embedded(name: str) -> Tensor:
    """The pictures of a file of the samples, which is idx: 16 bytes of sizes, then pixels."""
    content = gzip.decompress((SAMPLES / f"{name}-images-idx3-ubyte.gz").read_bytes())
    side = int.from_bytes(content[8:12])
    return torch.frombuffer(bytearray(content[16:]), dtype=torch.uint8).view(-1, 1, side, side)


@pytest.mark.parametrize("name", ["digits", "fashion-train"])
def test_digits_are_not_mirrored_nor_are_shoes_that_all_point_to_the_left(name: str):
    assert changes_for(embedded(name)) == ("shift",)


@pytest.mark.slow
def test_photos_are_mirrored():
    folder = Path(os.environ.get("PRECEPTOR_DATA", "../shared/data")) / "cifar10_jpg" / "folder"
    files = sorted(file for file in folder.rglob("*") if file.suffix in (".jpg", ".jpeg", ".png"))
    if not files:
        pytest.skip(f"no pictures in {folder}")
    photos = [np.asarray(Image.open(file).convert("RGB")) for file in files]
    assert changes_for(torch.from_numpy(np.stack(photos)).permute(0, 3, 1, 2)) == ("shift", "flip")


def test_the_strip_shows_a_few_pictures_as_they_are_and_as_epochs_see_them():
    x = pictures(30)
    augment = made(x, "shift", "colour")
    shown = strip(augment, x, times=3)
    assert shown.shape == (4, 4, 3, 14, 14)
    assert torch.equal(shown[:, 0], x[[0, 9, 19, 29]])
    assert torch.equal(shown[3, 2], augment(x[29:], torch.tensor([29]), 1)[0])
    assert strip(augment, x[:2]).shape[0] == 2
