"""Pictures come in: whatever is one becomes pixels, whatever is none is accounted for, nothing is fatal."""

import gzip
import io
import json
import multiprocessing
import os
import shutil
import struct
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from preceptor.data.pictures import CAPS, cap_for, decoding, keep, pixels, shelf, sizes
from preceptor.data.read import fingerprint, read
from preceptor.data.table import Schema, Table
from preceptor.errors import Mistake

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
DATA = Path(os.environ.get("PRECEPTOR_DATA", "../shared/data"))


def encoded(image: Image.Image, form: str = "PNG", **choices) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **choices)
    return file.getvalue()


def noise(height: int = 12, width: int = 10, seed: int = 0) -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def seen(content: bytes, cap: int = 256) -> np.ndarray:
    """The pixels that are kept of an encoded picture."""
    return decoding.decoded(content, cap).pixels


def folder(place: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    return place


def photos(count: int = 3, classes: tuple[str, ...] = ("cat", "dog"), form: str = "png") -> dict[str, bytes]:
    names = [f"{name}/{number}.{form}" for name in classes for number in range(count)]
    return {name: encoded(noise(seed=seed)) for seed, name in enumerate(names)}


# --- what is in a file -----------------------------------------------------------------------------


def test_colour_grey_and_needless_colour_have_their_channels():
    assert seen(encoded(noise())).shape == (12, 10, 3)
    assert seen(encoded(noise().convert("L"))).shape == (12, 10, 1)
    grey = noise().convert("L")
    assert (seen(encoded(grey.convert("RGB")))[..., 0] == np.asarray(grey)).all()
    assert seen(encoded(grey.convert("RGB"))).shape == (12, 10, 1)


@pytest.mark.parametrize("form", ["BMP", "TIFF", "PPM", "PCX"])
def test_lossless_formats_keep_every_pixel(form: str):
    assert (seen(encoded(noise(), form)) == np.asarray(noise())).all()


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "GIF"])
def test_lossy_formats_are_read_too(form: str):
    smooth = Image.fromarray(np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8))
    assert abs(seen(encoded(smooth, form)).astype(int)[..., 0] - np.asarray(smooth)).mean() < 5


def test_transparent_parts_lie_on_white():
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    clear.putpixel((1, 2), (255, 0, 0, 255))
    values = seen(encoded(clear))
    assert values[2, 1].tolist() == [255, 0, 0]
    assert values[0, 0].tolist() == [255, 255, 255]
    assert (seen(encoded(Image.new("LA", (4, 4), (0, 0)))) == 255).all()


def test_palettes_become_colours_and_their_clear_entry_white():
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([9, 9, 9, 10, 20, 30])
    assert seen(encoded(palette))[0, 0].tolist() == [10, 20, 30]
    assert (seen(encoded(palette, transparency=1)) == 255).all()


def test_printing_colours_become_screen_colours():
    assert seen(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "TIFF"))[0, 0].tolist() == [255, 0, 0]


def test_two_colours_are_black_and_white():
    assert set(seen(encoded(noise().convert("1"))).ravel()) == {0, 255}


def test_of_sixteen_bits_the_upper_eight_are_kept():
    deep = Image.fromarray(np.array([[0, 257, 65535]], np.uint16))
    assert seen(encoded(deep)).ravel().tolist() == [0, 1, 255]


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.0, 100.0, 200.0], [0, 100, 200]),
        ([-1.0, 0.0, 1.0], [0, 128, 255]),
        ([0.0, 6e5, 1e6], [0, 153, 255]),
        ([0.0, float("nan"), 1.0], [0, 0, 255]),
    ],
)
def test_floats_fill_the_range_that_they_are_in(values: list[float], kept: list[int]):
    floating = Image.fromarray(np.array([values], np.float32))
    assert seen(encoded(floating, "TIFF")).ravel().tolist() == kept


@pytest.mark.parametrize("code", range(1, 9))
def test_photos_are_turned_upright(code: int):
    upright = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
    back = {1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1]}
    back |= {5: upright.T, 6: upright[:, ::-1].T[:, :], 7: upright[::-1, ::-1].T, 8: upright.T[:, ::-1]}
    back[6], back[8] = np.rot90(upright), np.rot90(upright, -1)
    exif = Image.Exif()
    exif[0x0112] = code
    found = decoding.decoded(encoded(Image.fromarray(np.ascontiguousarray(back[code])), exif=exif), 256)
    assert (found.pixels[..., 0] == upright).all()
    assert found.size == (2, 3)


def test_of_an_animation_the_first_frame_counts():
    frames = [Image.new("L", (5, 5), shade) for shade in (10, 200)]
    moving = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (seen(moving) == 10).all()


def test_large_pictures_are_shrunk_by_area_and_remember_their_size():
    halves = np.zeros((300, 400), np.uint8)
    halves[:, 200:] = 200
    found = decoding.decoded(encoded(Image.fromarray(halves)), 64)
    assert found.pixels.shape == (64, 85, 1)
    assert found.size == (300, 400)
    assert abs(found.pixels.mean() - 100) < 1


def test_a_ribbon_of_a_picture_does_not_outweigh_the_others():
    assert seen(encoded(Image.new("L", (20_000, 3))), cap=64).shape == (1, 256, 1)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", decoding.EMPTY),
        (b"hello, this is a text", decoding.NO_PICTURE),
        (b"\0" * 100, decoding.NO_PICTURE),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", decoding.NO_PICTURE),
        (b"\0\0\0\x18ftypmp42" + b"\0" * 50, decoding.VIDEO),
        (b"RIFF\0\0\0\0AVI LIST", decoding.VIDEO),
        (b"\x1aE\xdf\xa3" + b"\0" * 50, decoding.VIDEO),
        (b"\0\0\0\x18ftypheic" + b"\0" * 50, decoding.HEIC),
        (encoded(noise())[:-30], decoding.DAMAGED),
        (encoded(noise(), "JPEG")[:200], decoding.NO_PICTURE),
    ],
)
def test_what_is_no_picture_says_why(content: bytes, why: str):
    with pytest.raises(decoding.Unreadable) as refused:
        decoding.decoded(content, 256)
    assert refused.value.why in (why, decoding.DAMAGED)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_decompression_bomb_is_refused_before_it_bursts():
    head = struct.pack(">II5B", 60_000, 60_000, 8, 2, 0, 0, 0)
    small = encoded(noise())
    bomb = small[:16] + head + small[29:]
    with pytest.raises(decoding.Unreadable):
        decoding.decoded(bomb, 256)
    wide = encoded(Image.new("1", (11_000, 10_000)))
    with pytest.raises(decoding.Unreadable, match="million pixels"):
        decoding.decoded(wide, 256)


def fuzz(mutants: int, seed: int) -> None:
    """Pictures with bytes changed, cut out, doubled and moved: pixels or a reason, and nothing else."""
    rng = np.random.default_rng(seed)
    forms = ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "PCX", "ICO", "AVIF", "JPEG2000"]
    known = [form for form in forms if form in decoding._formats() and form in Image.SAVE]
    exif = Image.Exif()
    exif[0x0112] = 6
    healthy = [encoded(noise(40, 32), form) for form in known] + [encoded(noise(), "JPEG", exif=exif)]
    healthy += [encoded(noise().convert(mode)) for mode in ("P", "RGBA", "LA", "1")]
    for _ in range(mutants):
        content = bytearray(healthy[rng.integers(len(healthy))])
        for _ in range(rng.integers(1, 8)):
            at, other = sorted(rng.integers(0, len(content) + 1, 2))
            way = rng.integers(4)
            if way == 0 and at < len(content):
                content[at] = rng.integers(256)
            elif way == 1:
                content = content[:other]
            elif way == 2:
                del content[at : at + 4]
            else:
                content[at:at] = content[at : at + 16]
            content = content or bytearray(b"\0")
        (kept,) = keep([bytes(content)], 64)
        assert (kept.key is None) == bool(kept.why)
        if kept.key is not None:
            values = pixels(pl.Series([kept.key]))[0]
            assert values.dtype == np.uint8
            assert values.size
            assert values.shape[2] in (1, 3)


def test_damaged_pictures_are_pixels_or_a_reason():
    fuzz(150, seed=0)


@pytest.mark.slow
def test_thousands_of_damaged_pictures_are_pixels_or_a_reason():
    fuzz(2_000, seed=1)


# --- folders ---------------------------------------------------------------------------------------


def test_a_folder_for_each_class_is_a_table_that_knows_its_answer(tmp_path):
    table = read(folder(tmp_path / "photos", photos()))
    assert table.frame.columns == ["picture", "class"]
    assert table.frame["class"].to_list() == ["cat"] * 3 + ["dog"] * 3
    assert (table.answer, table.source, table.sealed) == ("class", "photos", None)
    assert table.names.to_list() == [f"{name}/{n}.png" for name in ("cat", "dog") for n in range(3)]
    assert (pixels(table.frame["picture"])[4] == np.asarray(noise(seed=4))).all()
    assert json.loads(json.dumps(asdict(table.schema))) == asdict(table.schema)


def test_taking_rows_takes_their_names(tmp_path):
    table = read(folder(tmp_path, photos())).take(np.array([4, 0]))
    assert table.titles(np.array([0, 1])) == ["dog/1.png", "cat/0.png"]
    assert table.answer == "class"


def test_classes_named_by_digits_or_like_nothing_stay_names(tmp_path):
    table = read(folder(tmp_path, photos(classes=("0", "01", "NA", "null"))))
    assert table.frame["class"].unique(maintain_order=True).to_list() == ["0", "01", "NA", "null"]


def test_files_are_in_natural_order_however_deep(tmp_path):
    files = {f"cat/{name}.png": encoded(noise(seed=n)) for n, name in enumerate(("10", "2", "a/1"))}
    table = read(folder(tmp_path, files | photos(1, ("dog",))))
    assert table.names.to_list() == ["cat/2.png", "cat/10.png", "cat/a/1.png", "dog/0.png"]


def test_every_file_that_is_no_picture_is_accounted_for_by_name(tmp_path):
    files = photos() | {
        "cat/.DS_Store": b"x",
        "dog/Thumbs.db": b"x",
        "cat/clip.mp4": b"\0\0\0\x18ftypmp42" + b"\0" * 99,
        "cat/empty.jpg": b"",
        "dog/notes.txt": b"hello there",
        "dog/cut.png": encoded(noise())[:-30],
        "README.md": b"# photos",
    }
    account = read(folder(tmp_path, files)).account
    assert account.read == 6
    assert account.read + sum(account.left_out.values()) == len(files)
    assert account.left_out == {
        "hidden file": 2,
        "file beside the folders of the classes": 1,
        decoding.VIDEO: 1,
        decoding.EMPTY: 1,
        decoding.NO_PICTURE: 1,
        decoding.DAMAGED: 1,
    }
    assert "cat/clip.mp4: video, no picture" in [row.why for row in account.dropped]


def test_a_class_of_which_nothing_can_be_read_is_told(tmp_path):
    table = read(folder(tmp_path, photos() | {"cow/1.png": b"moo"}))
    assert any("'cow'" in note for note in table.account.notes)


@pytest.mark.parametrize("parts", [("train", "test"), ("Training", "Test"), ("train", "val", "test")])
def test_train_and_test_within_a_folder_are_learnt_from_and_sealed(tmp_path, parts):
    files = {f"{part}/{name}": content for part in parts for name, content in photos().items()}
    table = read(folder(tmp_path, files))
    assert table.sealed == str(tmp_path / parts[-1])
    assert len(table) == 6 * (len(parts) - 1)
    assert set(table.frame["class"]) == {"cat", "dog"}
    sealed = read(table.sealed, schema=table.schema)
    assert sealed.frame.equals(table.frame[:6])


def test_a_folder_read_by_a_schema_may_have_one_class_or_none(tmp_path):
    schema = Schema({"photo": "picture", "price": "number"}, pictures={"photo": 64})
    flat = read(folder(tmp_path / "a", {"1.png": encoded(noise(200, 200))}), schema=schema)
    assert flat.frame.columns == ["photo"]
    assert flat.answer is None
    assert pixels(flat.frame["photo"])[0].shape == (64, 64, 3)
    assert len(read(folder(tmp_path / "b", photos(2, ("cat",))), schema=schema)) == 2


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "folder-empty"),
        ({"cat/1.jpg": b"", "dog/2.jpg": b"x"}, "folder-without-rows"),
        (photos(classes=("cat",)), "folder-one-class"),
        (photos(classes=("cat",)) | {"dog/1.png": b"wuff"}, "folder-one-class"),
        ({"1.png": encoded(noise()), "2.png": encoded(noise(seed=1))}, "folder-without-classes"),
    ],
)
def test_folders_from_which_nothing_can_be_learnt_say_why(tmp_path, files, code):
    with pytest.raises(Mistake) as raised:
        read(folder(tmp_path, files))
    assert raised.value.code == code
    assert raised.value.todo


def test_a_test_without_classes_is_left_aside(tmp_path):
    files = {f"train/{name}": content for name, content in photos().items()} | {
        "test/1.png": encoded(noise())
    }
    table = read(folder(tmp_path, files))
    assert (len(table), table.sealed) == (6, None)
    assert "test/ has no folder for each class: it is left aside." in table.account.notes


def test_one_picture_is_a_table_for_a_model_that_takes_pictures(tmp_path):
    schema = Schema({"photo": "picture", "price": "number"}, pictures={"photo": 64})
    path = folder(tmp_path, {"new.png": encoded(noise())}) / "new.png"
    table = read(path, schema=schema)
    assert (table.frame.columns, table.names.to_list()) == (["photo"], ["new.png"])
    with pytest.raises(Mistake):
        read(path)


def test_a_table_beside_loose_pictures_is_named(tmp_path):
    files = {"1.png": encoded(noise()), "2.png": encoded(noise(seed=1)), "labels.csv": b"file,y\n1.png,3\n"}
    with pytest.raises(Mistake, match=r"preceptor fit .*labels\.csv --target"):
        read(folder(tmp_path, files))


# --- tables with pictures --------------------------------------------------------------------------


def shop(place: Path, prefix: str = "") -> Path:
    rows = "".join(f"{n}.png,{n * 10}\n" for n in range(8))
    files = {f"{prefix}{n}.png": encoded(noise(seed=n)) for n in range(8)}
    folder(place, files | {"shop.csv": f"photo,price\n{rows}".encode()})
    return place / "shop.csv"


@pytest.mark.parametrize("prefix", ["", "images/"])
def test_a_column_of_paths_becomes_a_column_of_pictures(tmp_path, prefix: str):
    table = read(shop(tmp_path, prefix))
    assert table.schema.types == {"photo": "picture", "price": "number"}
    assert (pixels(table.frame["photo"])[3] == np.asarray(noise(seed=3))).all()
    assert table.titles(np.array([3])) == ["3.png"]
    assert read(tmp_path / "shop.csv", schema=table.schema).frame.equals(table.frame)


def test_a_picture_that_is_not_there_is_a_missing_value(tmp_path):
    path = shop(tmp_path)
    (tmp_path / "2.png").unlink()
    (tmp_path / "3.png").write_bytes(b"GIF89a")
    table = read(path)
    assert table.frame["photo"].is_null().to_list() == [False] * 2 + [True] * 2 + [False] * 4
    assert table.account.misfit_counts == {"photo": 2}
    assert table.account.misfits[0].text == "2.png: no such file"
    assert table.account.misfits[0].line == 4


def test_paths_to_pictures_that_are_elsewhere_stay_text_and_say_so(tmp_path):
    (tmp_path / "shop.csv").write_text("photo,price\n" + "".join(f"{n}.png,{n}\n" for n in range(9)))
    table = read(tmp_path / "shop.csv")
    assert table.frame["photo"].dtype == pl.String
    assert any("names pictures that are not in" in note for note in table.account.notes)
    schema = Schema({"photo": "picture", "price": "number"}, pictures={"photo": 64})
    with pytest.raises(Mistake, match="None of the pictures"):
        read(tmp_path / "shop.csv", schema=schema)


@pytest.mark.parametrize("nested", [False, True])
def test_parquet_with_the_bytes_of_pictures_is_read(tmp_path, nested: bool):
    files = [encoded(noise(seed=n)) for n in range(5)] + [None, b"broken"]
    values = [one and {"bytes": one, "path": "x.png"} for one in files] if nested else files
    path = tmp_path / "t.parquet"
    pl.DataFrame({"image": values, "label": range(7)}, strict=False).write_parquet(path)
    table = read(path)
    assert table.frame.columns == ["image", "label"]
    assert table.frame["image"].dtype == pl.Binary
    assert table.frame["image"].null_count() == 2
    assert table.account.misfit_counts == {"image": 1}
    assert (table.account.misfits[0].line, table.account.misfits[0].text) == (7, "6 bytes: no picture")
    assert (pixels(table.frame["image"])[2] == np.asarray(noise(seed=2))).all()
    assert read(path, schema=table.schema, rows=3).frame.equals(table.frame[:3])


def test_bytes_that_are_no_pictures_are_left_out_with_a_note(tmp_path):
    pl.DataFrame({"blob": [b"a", b"b"], "y": [1, 2]}).write_parquet(tmp_path / "t.parquet")
    table = read(tmp_path / "t.parquet")
    assert table.frame.columns == ["y"]
    assert "Column 'blob' is left out" in table.account.notes[0]


def test_frames_bring_opened_pictures_and_arrays(tmp_path):
    arrays = [np.asarray(noise(seed=n)) for n in range(3)]
    objects = {"array": arrays, "opened": [noise(seed=n) for n in range(3)], "y": [1, 2, 3]}
    table = read(pd.DataFrame(objects))
    assert table.frame.dtypes == [pl.Binary, pl.Binary, pl.Int64]
    assert table.frame["array"].to_list() == table.frame["opened"].to_list()
    frame = pl.DataFrame({"array": pl.Series(arrays, dtype=pl.Object), "y": [1, 2, 3]})
    assert read(frame).frame["array"].equals(table.frame["array"])


def test_the_fingerprint_tells_pictures_apart(tmp_path):
    one, other = shop(tmp_path / "a"), shop(tmp_path / "b")
    assert fingerprint(read(one)) == fingerprint(read(other))
    (tmp_path / "b" / "5.png").write_bytes(encoded(noise(seed=99)))
    assert fingerprint(read(one)) != fingerprint(read(other))


# --- idx files -------------------------------------------------------------------------------------


def idx(values: np.ndarray) -> bytes:
    return (
        b"\0\0\x08" + bytes([values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()
    )


def write_idx(place: Path, name: str, pack: Callable[[bytes], bytes], count: int = 20) -> np.ndarray:
    values = np.random.default_rng(0).integers(0, 256, (count, 7, 6), dtype=np.uint8)
    ending = ".gz" if pack is gzip.compress else ""
    (place / f"{name}-images-idx3-ubyte{ending}").write_bytes(pack(idx(values)))
    (place / f"{name}-labels-idx1-ubyte{ending}").write_bytes(
        pack(idx((np.arange(count) % 10).astype(np.uint8)))
    )
    return values


@pytest.mark.parametrize("pack", [gzip.compress, bytes])
def test_idx_files_are_read_with_the_classes_beside_them(tmp_path, pack):
    values = write_idx(tmp_path, "train", pack)
    ending = ".gz" if pack is gzip.compress else ""
    table = read(tmp_path / f"train-images-idx3-ubyte{ending}")
    assert table.frame["class"].to_list() == [str(n % 10) for n in range(20)]
    assert table.answer == "class"
    assert (np.stack(pixels(table.frame["picture"]))[..., 0] == values).all()
    assert len(read(tmp_path / f"train-images-idx3-ubyte{ending}", rows=7)) == 7


def test_idx_files_that_do_not_go_together_are_mistakes(tmp_path):
    write_idx(tmp_path, "train", bytes)
    images, labels = tmp_path / "train-images-idx3-ubyte", tmp_path / "train-labels-idx1-ubyte"
    with pytest.raises(Mistake, match="holds classes"):
        read(labels)
    labels.write_bytes(idx(np.zeros(19, np.uint8)))
    with pytest.raises(Mistake, match="one class for each of the 20"):
        read(images)
    labels.unlink()
    with pytest.raises(Mistake, match="Nothing says what the pictures"):
        read(images)
    assert read(images, schema=Schema({"p": "picture"}, pictures={"p": 256})).frame.columns == ["p"]
    images.write_bytes(images.read_bytes()[:-5])
    with pytest.raises(Mistake, match="promises 20 items and holds 19"):
        read(images, schema=Schema({"p": "picture"}, pictures={"p": 256}))


# --- the cache -------------------------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """A cache of the test's own, as a new process would find it."""
    monkeypatch.setenv("PRECEPTOR_CACHE", str(tmp_path / "cache"))
    yield tmp_path / "cache" / "pictures"
    shelf._shelf.cache_clear()


def forget() -> None:
    """Begin as a new process does."""
    shelf._shelf.cache_clear()


def test_a_second_reading_decodes_nothing(tmp_path, cache, monkeypatch):
    place = folder(tmp_path / "photos", photos())
    first = read(place)
    forget()
    monkeypatch.setattr(decoding, "decoded", lambda *_: pytest.fail("decoded again"))
    assert read(place).frame.equals(first.frame)
    assert len([*cache.glob("*.pixels")]) == 1


def test_new_pictures_alone_are_decoded(tmp_path, cache, monkeypatch):
    place = folder(tmp_path / "photos", photos())
    read(place)
    folder(place, {"cat/new.png": encoded(noise(seed=50))})
    calls: list[int] = []
    decode = decoding.decoded
    monkeypatch.setattr(decoding, "decoded", lambda content, cap: calls.append(1) or decode(content, cap))
    assert len(read(place)) == 7
    assert len(calls) == 1


@pytest.mark.parametrize("damage", ["cut", "pixels", "index", "end", "emptied"])
def test_a_damaged_cache_is_made_anew(tmp_path, cache, damage: str):
    place = folder(tmp_path / "photos", photos())
    whole = [values.copy() for values in pixels(read(place).frame["picture"])]
    (file,) = cache.glob("*.pixels")
    content = bytearray(file.read_bytes())
    content[{"pixels": 5, "index": -100, "end": -20}.get(damage, 0)] ^= 255
    forget()
    file.unlink()
    file.write_bytes({"cut": content[:-1000], "emptied": b""}.get(damage, content))
    again = pixels(read(place).frame["picture"])
    assert all((one == other).all() for one, other in zip(again, whole, strict=True))


def test_pictures_that_are_gone_are_named(tmp_path, cache):
    table = read(folder(tmp_path / "photos", photos()))
    shutil.rmtree(cache)
    forget()
    with pytest.raises(Mistake, match="6 of 6 pictures are no longer"):
        pixels(table.frame["picture"])


def test_a_cache_that_cannot_be_written_is_a_mistake(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PRECEPTOR_CACHE", str(tmp_path / "file"))
    with pytest.raises(Mistake, match="PRECEPTOR_CACHE"):
        read(folder(tmp_path / "photos", photos()))


def test_files_long_unused_make_way(tmp_path, cache, monkeypatch):
    for number in range(4):
        list(keep([encoded(noise(seed=number))], 64))
        for file in cache.glob("*.pixels"):
            os.utime(file, (file.stat().st_mtime - 1000,) * 2)
        forget()
    monkeypatch.setattr(shelf, "ROOM", 1_000)
    list(keep([encoded(noise(seed=9))], 64))
    assert sum(file.stat().st_size for file in cache.glob("*.pixels")) <= 1_000 + 600


def _reads(place: Path) -> bytes:
    return b"".join(values.tobytes() for values in pixels(read(place).frame["picture"]))


def test_two_processes_may_fill_one_cache(tmp_path, cache):
    place = folder(tmp_path / "photos", photos(40))
    with multiprocessing.get_context("fork").Pool(2) as pool:
        one, other = pool.map(_reads, [place, place])
    assert one == other == b"".join(np.asarray(noise(seed=n)).tobytes() for n in range(80))


@QUICK
@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3])), min_size=1, max_size=6
    ),
    st.randoms(),
)
def test_pixels_come_back_as_they_went_in(shapes: list[tuple[int, int, int]], chance):
    made = [np.random.default_rng(chance.getrandbits(32)).integers(0, 256, s, dtype=np.uint8) for s in shapes]
    keys = pl.Series([kept.key for kept in keep(made, 64)] + [None], dtype=pl.Binary)
    for values, back, size in zip(made, pixels(keys), sizes(keys), strict=False):
        assert (back == values).all()
        assert size[:2].tolist() == list(values.shape[:2])
    assert pixels(keys)[-1].size == 0
    assert sizes(keys)[-1].tolist() == [0, 0, 0]


def test_the_cap_shrinks_with_the_number_of_pictures():
    assert cap_for(100) == CAPS[0]
    assert cap_for(10**9) == CAPS[-1]
    assert all(count * cap_for(count) ** 2 * 4 <= 8 << 30 for count in (10**4, 10**5, 10**6))


@pytest.mark.parametrize(
    "array", [np.zeros((4, 4)), np.zeros((0, 4), np.uint8), np.zeros((4, 4, 2), np.uint8)]
)
def test_arrays_that_are_no_pixels_say_so(array: np.ndarray):
    assert next(keep([array], 64)).why == decoding.NO_PIXELS


# --- real data -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_real_pictures_come_in_from_every_source():
    if not DATA.is_dir():
        pytest.skip("the folder of real data is not there")
    tree, parquet = read(DATA / "cifar10_jpg/folder"), read(DATA / "cifar10_jpg/test.parquet")
    fashion: Table = read(DATA / "fashion_mnist/train-images-idx3-ubyte.gz")
    assert (len(tree), len(parquet), len(fashion)) == (1_000, 10_000, 60_000)
    assert parquet.schema.types == {"image": "picture", "label": "text", "name": "text"}
    assert fashion.frame["class"].value_counts()["count"].unique().to_list() == [6_000]
