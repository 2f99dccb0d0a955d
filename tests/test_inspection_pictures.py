"""Pictures with something wrong about them: each trap sees its fault, and is silent on clean data."""

import numpy as np
import polars as pl
from PIL import Image

from preceptor.data.pictures import cap_for, keep
from preceptor.data.table import Account, Schema, Table
from preceptor.inspection import Roles, inspect

ROLES = Roles("class", ("photo",), {}, {"photo": "image", "class": "category"})


def scenes(
    count: int, size: tuple[int, int] = (40, 40), seed: int = 0, channels: int = 3
) -> list[np.ndarray]:
    """Smooth random pictures, no two alike."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 5, 5, 3), dtype=np.uint8)
    large = [np.asarray(Image.fromarray(one).resize(size, Image.Resampling.BICUBIC)) for one in coarse]
    return [one[..., :channels] for one in large]


def table(pictures: list[np.ndarray | None], classes: list[str]) -> Table:
    keys = [None if one is None else next(keep([one], cap_for(1))).key for one in pictures]
    frame = pl.DataFrame({"photo": pl.Series(keys, dtype=pl.Binary), "class": classes})
    return Table(frame, np.arange(len(keys)) + 2, "t.csv", Schema({}), Account(len(keys)))


def codes(pictures: list[np.ndarray | None], classes: list[str] | None = None) -> dict[str, str]:
    """Each finding's text by its code."""
    classes = classes or ["cat", "dog"] * (len(pictures) // 2)
    found = inspect(table(pictures, classes), ROLES)
    return {finding.code: finding.text for finding in found if finding.code != "file-sorted"}


def test_clean_pictures_are_passed_in_silence():
    assert codes(scenes(60)) == {}


def test_one_picture_with_two_labels_is_a_conflict():
    pictures = scenes(60)
    pictures[1] = pictures[0]
    assert "2 rows" in codes(pictures)["conflicting-answers"]


def test_one_picture_twice_with_one_label_is_a_duplicate():
    pictures = scenes(60)
    pictures[2] = pictures[0]
    assert list(codes(pictures)) == ["duplicate-rows"]


def test_a_class_with_a_size_of_its_own_is_a_leak():
    pictures = [*scenes(30, (40, 30)), *scenes(30, (50, 50), seed=1)]
    told = codes(pictures, ["cat"] * 30 + ["dog"] * 30)
    assert list(told) == ["pictures-look-tells"]
    assert "those of 'cat' are 40 x 30 pixels" in told["pictures-look-tells"]
    assert "'dog'" in told["pictures-look-tells"]


def test_a_size_that_most_classes_share_gives_nothing_away():
    pictures = [*scenes(30, (40, 30)), *scenes(30, (50, 50), seed=1)]
    assert codes(pictures) == {}


def test_a_class_without_colour_is_a_leak():
    pictures = [*scenes(30, channels=1), *scenes(30, seed=1)]
    told = codes(pictures, ["cat"] * 30 + ["dog"] * 30)
    assert "those of 'cat' are grey" in told["pictures-look-tells"]
    assert "pictures-grey-and-colour" in told


def test_pictures_of_one_colour_are_named():
    pictures = [*scenes(58), np.full((40, 40, 3), 7, np.uint8), np.full((40, 40, 3), 9, np.uint8)]
    assert "On 2 of 60 pictures of 'photo' (3.3 %)" in codes(pictures)["pictures-blank"]
    assert "'line 60', 'line 61'" in codes(pictures)["pictures-blank"]


def test_a_picture_saved_again_smaller_is_nearly_alike():
    pictures = scenes(60, (80, 80))
    pictures[7] = np.asarray(Image.fromarray(pictures[0]).resize((64, 64), Image.Resampling.BILINEAR))
    assert "1 of 60 pictures" in codes(pictures)["pictures-nearly-alike"]
    assert "'line 2', 'line 9'" in codes(pictures)["pictures-nearly-alike"]


def test_wildly_mixed_sizes_are_told_with_the_extremes():
    sizes = [(20, 20), (300, 200)] * 30
    pictures = [scenes(1, size, seed)[0] for seed, size in enumerate(sizes)]
    pictures[5] = pictures[5][:1, :1]
    told = codes(pictures, (["cat"] * 2 + ["dog"] * 2) * 15)
    assert list(told) == ["pictures-blank", "pictures-mixed-sizes"]
    assert "from 1 x 1 to 300 x 200 pixels; 1 have fewer than 16" in told["pictures-mixed-sizes"]


def test_missing_pictures_are_missing_values():
    pictures: list[np.ndarray | None] = [*scenes(60)]
    pictures[3] = None
    assert list(codes(pictures)) == ["values-missing"]


def test_one_picture_all_over_is_a_constant_column():
    frame = table([scenes(1)[0]] * 30, ["cat", "dog"] * 15)
    wide = Table(
        frame.frame.with_columns(x=np.arange(30.0) % 7), frame.lines, "t.csv", Schema({}), Account(30)
    )
    roles = Roles("class", ("photo", "x"), {}, {**ROLES.kinds, "x": "number"})
    assert "column-constant" in {finding.code for finding in inspect(wide, roles)}


def test_every_trap_bears_pictures_beside_other_columns():
    rng = np.random.default_rng(0)
    pictures = table(scenes(120), ["cat", "dog", "cow"] * 40)
    frame = pictures.frame.with_columns(
        pl.Series("customer", np.arange(120) // 4), pl.Series("price", rng.normal(size=120))
    )
    kinds = {"photo": "image", "class": "category", "customer": "number", "price": "number"}
    for target in ("class", "price"):
        roles = Roles(target, tuple(name for name in kinds if name != target), {}, kinds)
        inspect(Table(frame, pictures.lines, "t.csv", Schema({}), Account(120)), roles)
