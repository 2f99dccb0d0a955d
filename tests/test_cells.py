"""Cells of the matrix, from the file to the answer: pictures, words, series and rows that hold them all."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

import preceptor
from preceptor.errors import Mistake
from preceptor.run import Run

GOOD, BAD = ["wonderful", "lovely", "moving", "bright"], ["dreadful", "tedious", "clumsy", "dull"]
PLAIN = ["the", "film", "was", "a", "long", "story", "about", "some", "people", "in", "their", "house"]


@pytest.fixture
def draw() -> np.random.Generator:
    return np.random.default_rng(0)


def picture(draw: np.random.Generator, upper: bool) -> Image.Image:
    """8 x 8, noisy, brighter in its upper or lower half."""
    pixels = draw.integers(0, 90, (8, 8))
    pixels[: 4 if upper else 8][-4:] += 120
    return Image.fromarray(pixels.astype(np.uint8))


def photos(folder: Path, draw: np.random.Generator, count: int = 60) -> Path:
    for name, upper in (("sky", True), ("sea", False)):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            picture(draw, upper).save(folder / name / f"{number}.png")
    return folder


def review(draw: np.random.Generator, good: bool) -> str:
    words = [*draw.choice(PLAIN, 8), draw.choice(GOOD if good else BAD)]
    return " ".join(draw.permutation(words))


def ledger(run: Run) -> list[dict]:
    return [json.loads(line) for line in (run.folder / "ledger.jsonl").read_text().splitlines()]


def test_a_folder_of_photos_is_learnt_examined_shown_and_answered(tmp_path: Path, draw):
    folder = photos(tmp_path / "photos", draw)
    (folder / "sky" / "broken.png").write_bytes(b"no picture")
    run = preceptor.fit(folder, minutes=0.5, out=tmp_path / "run")
    assert run.exam["score"] > 0.75
    assert run.exam["rows"]["dropped"] == 1
    answers = run.predict(folder / "sky")
    assert answers["file"].len() == 60
    assert (answers["class"] == "sky").mean() > 0.75
    page = (run.folder / "report.html").read_text()
    assert "data:image/png" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


@pytest.mark.slow
def test_what_one_run_has_seen_helps_the_next_one_and_its_ledger_says_so(tmp_path: Path, draw):
    first = preceptor.fit(
        photos(tmp_path / "one", draw), minutes=0.5, out=tmp_path / "first", encoder="lenet"
    )
    second = preceptor.fit(
        photos(tmp_path / "two", draw, 25), minutes=0.5, out=tmp_path / "second", from_run=str(first.folder)
    )
    lent = [event for event in ledger(second) if event["event"] == "lent"]
    assert lent[0]["column"] == "picture"
    assert second.plan.net.encoders["picture"]["trunk"] == "lenet"


def test_texts_are_learnt_and_the_words_that_decide_are_shown(tmp_path: Path, draw):
    good = draw.random(240) < 0.5
    frame = pl.DataFrame(
        {"review": [review(draw, g) for g in good], "liked": ["yes" if g else "no" for g in good]}
    )
    frame.write_csv(tmp_path / "reviews.csv")
    run = preceptor.fit(tmp_path / "reviews.csv", target="liked", minutes=0.5, out=tmp_path / "run")
    assert run.exam["score"] > 0.75
    answers = run.predict(pl.DataFrame({"review": ["a lovely story", "a tedious story", ""]}))
    assert answers["liked"].to_list()[:2] == ["yes", "no"]
    assert answers.height == 3


def test_an_architecture_that_nobody_has_is_named_before_anything_is_learnt(tmp_path: Path, draw):
    folder = photos(tmp_path / "photos", draw, 20)
    with pytest.raises(Mistake, match="lenett") as mistake:
        preceptor.fit(folder, minutes=0.5, out=tmp_path / "run", encoder="lenett")
    assert "lenet" in str(mistake.value)
    assert not (tmp_path / "run").exists()


def waves(path: Path, rows: int = 400) -> Path:
    begin, noise = datetime(2024, 1, 1), np.random.default_rng(1).normal(0, 0.1, rows)
    load = 10 + 3 * np.sin(np.arange(rows) * 2 * np.pi / 24) + noise
    times = [begin + timedelta(hours=hour) for hour in range(rows)]
    pl.DataFrame({"date": times, "load": load}).write_csv(path)
    return path


def test_the_next_three_hours_are_forecast_from_the_past_alone(tmp_path: Path):
    path = waves(tmp_path / "energy.csv")
    run = preceptor.fit(path, target="load", time="date", horizon=3, minutes=0.5, out=tmp_path / "run")
    assert run.exam["task"] == "series"
    assert run.exam["score"] < 0.5
    assert run.exam["rival"]["name"] != "dumb"
    answers = run.predict(path)
    assert answers.height == 3
    assert answers["date"].to_list()[0] > pl.read_csv(path, try_parse_dates=True)["date"].max()


def test_a_later_file_can_be_the_sealed_future(tmp_path: Path):
    whole = pl.read_csv(waves(tmp_path / "energy.csv"), try_parse_dates=True)
    whole.head(320).write_csv(tmp_path / "past.csv")
    whole.tail(80).write_csv(tmp_path / "future.csv")
    run = preceptor.fit(
        tmp_path / "past.csv",
        target="load",
        time="date",
        horizon=2,
        test=str(tmp_path / "future.csv"),
        minutes=0.5,
        out=tmp_path / "run",
    )
    assert run.exam["rows"]["test"] == 79
    assert run.exam["score"] < 0.5


def test_many_rows_of_one_id_are_one_example_of_a_class(tmp_path: Path, draw):
    rows = []
    for number in range(90):
        rising = number % 2 == 0
        values = np.linspace(0, 3 if rising else -3, 15) + draw.normal(0, 0.5, 15)
        rows += [(number, step, value, "up" if rising else "down") for step, value in enumerate(values)]
    frame = pl.DataFrame(rows, schema=["machine", "step", "heat", "trend"], orient="row")
    run = preceptor.fit(
        frame, target="trend", series="machine", time="step", minutes=0.5, out=tmp_path / "run"
    )
    assert run.exam["rows"]["read"] == 1350
    assert run.exam["score"] > 0.75


@pytest.mark.slow
def test_a_row_of_number_category_text_and_photo_tells_a_number(tmp_path: Path, draw):
    rows = []
    (tmp_path / "photos").mkdir()
    for number in range(200):
        upper, good, size = draw.random() < 0.5, draw.random() < 0.5, draw.normal()
        picture(draw, upper).save(tmp_path / "photos" / f"{number}.png")
        town = str(draw.choice(["north", "south"]))
        price = 10 + 2 * upper + 2 * good + size + (town == "north")
        rows.append((f"photos/{number}.png", review(draw, good), size, town, price))
    frame = pl.DataFrame(rows, schema=["photo", "words", "size", "town", "price"], orient="row")
    frame.write_csv(tmp_path / "homes.csv")
    run = preceptor.fit(tmp_path / "homes.csv", target="price", minutes=0.5, out=tmp_path / "run")
    assert set(run.plan.net.encoders) == {"photo", "words"}
    assert run.exam["verdict"] in ("better", "as_good", "worse")
    assert run.exam["score"] < 1.6
    assert len(run.predict(tmp_path / "homes.csv")) == 200


@pytest.mark.slow
def test_a_table_beyond_its_memory_is_learnt_from_as_a_stream_and_examined_on_its_sample(tmp_path):
    random, rows = np.random.default_rng(0), 400_000
    x = random.normal(size=(rows, 6))
    y = np.sin(2 * x[:, 0]) + x[:, 1] * (x[:, 2] > 0) + 0.3 * random.normal(size=rows)
    columns = {f"x{place}": x[:, place] for place in range(6)}
    pl.DataFrame({**columns, "y": y}).write_parquet(tmp_path / "many.parquet")
    run = preceptor.fit(
        tmp_path / "many.parquet", target="y", memory="100 MB", minutes=1, out=tmp_path / "run"
    )
    (streamed,) = run.ledger().of("stream")
    counts = run.ledger().of("split")[0]
    held_out = counts["validation"] + counts["test"]
    assert rows - 2 * held_out < streamed["rows"] <= rows - held_out
    assert run.exam["score"] < 0.4
    assert not (run.folder / "stream").exists()
