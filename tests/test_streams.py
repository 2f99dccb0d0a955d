"""More data than memory: pieces, lots, packs; and the same loop on shares that change under it."""

import itertools
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor, nn

from preceptor.data.read import read
from preceptor.data.rows import Rows
from preceptor.data.streams.draw import Lot, draw, tables
from preceptor.data.streams.packs import Dealing, Packs
from preceptor.data.streams.sampling import LEAST, bytes_in, read_or_sample
from preceptor.data.streams.source import open_source
from preceptor.errors import Mistake
from preceptor.intake import stream_of
from preceptor.plan import TrainingPlan
from preceptor.training.loop import train
from preceptor.training.state import Training
from preceptor.training.stream import PACKS_A_SHARE, Stream, train_stream

ROOT = Path(__file__).parent.parent
SMALL = 1 << 16


def rows_of(count: int, seed: int = 0) -> pl.DataFrame:
    """Rows of which each has other inputs: a number, a small whole number, a word; and an answer."""
    random = np.random.default_rng(seed)
    x = random.normal(size=count)
    words = np.array(["hut", "house", "villa"])[random.integers(3, size=count)]
    y = 2 * x + (words == "villa") + 0.1 * random.normal(size=count)
    return pl.DataFrame(
        {"x": x.round(6), "rooms": random.integers(1, 9, size=count), "kind": words, "y": y.round(4)}
    )


@pytest.fixture(params=["parquet", "csv", "csv.gz"])
def written(request, tmp_path: Path):
    """Writes a frame into a file of each form."""

    def write(frame: pl.DataFrame) -> Path:
        path = tmp_path / f"rows.{request.param}"
        if request.param == "parquet":
            frame.write_parquet(path, row_group_size=700)
        elif request.param == "csv":
            frame.write_csv(path)
        else:
            import gzip

            path.write_bytes(gzip.compress(frame.write_csv().encode()))
        return path

    return write


# Sources and lots.


def test_pieces_put_together_are_the_table_that_is_read_whole(written):
    path = written(rows_of(5_000))
    whole, source = read(path), open_source(path, piece=SMALL)
    pieces = source.through(lambda pieces: list(tables(pieces, source, whole.schema)), whole.schema)
    assert len(pieces) > 1
    assert pl.concat([piece.frame for piece in pieces], how="vertical_relaxed").equals(whole.frame)
    assert np.concatenate([piece.lines for piece in pieces]).tolist() == whole.lines.tolist()


def test_cells_with_line_ends_in_them_are_never_divided(tmp_path: Path):
    path = tmp_path / "quoted.csv"
    frame = pl.DataFrame({"n": range(4_000), "t": ['one\ntwo, "three"\n'] * 4_000})
    frame.write_csv(path)
    source = open_source(path, piece=4_096)
    heights = source.through(lambda pieces: [piece.height for piece in pieces])
    assert len(heights) > 3
    assert sum(heights) == 4_000


def test_the_decimals_and_the_encoding_of_a_text_hold_in_every_piece(tmp_path: Path):
    path = tmp_path / "german.csv"
    lines = [f"{place},5;Haus" for place in range(6_000)] + ["1,5;Hütte"]
    path.write_bytes("\n".join(["preis;art", *lines]).encode("cp1252"))
    source = open_source(path, piece=SMALL)
    sample = draw(source, 500, seed=0)
    assert sample.account.read == 6_001
    later = source.through(lambda pieces: [*tables(pieces, source, sample.schema)][-1], sample.schema)
    assert later.frame.row(-1) == (1.5, "Hütte")


def test_a_lot_does_not_depend_on_the_size_of_the_pieces(written):
    path = written(rows_of(5_000))
    lots = [draw(open_source(path, piece=size), 300, seed=7) for size in (SMALL, 4 * SMALL, 1 << 24)]
    assert lots[0].frame.equals(lots[1].frame)
    assert lots[0].frame.equals(lots[2].frame)
    assert len(lots[0]) == 300
    assert lots[0].account.read == 5_000
    assert np.all(np.diff(lots[0].lines) > 0)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.integers(1, 60))
@settings(max_examples=25, deadline=None)
def test_a_lot_has_the_wanted_rows_and_each_at_most_once(heights, most):
    lot = Lot(most, seed=0)
    for first, height in zip(itertools.accumulate(heights, initial=0), heights, strict=False):
        piece = Rows(["row"], "t")
        piece.add_block(
            pl.DataFrame({"row": np.arange(first, first + height)}), np.arange(first, first + height)
        )
        lot.add(piece)
    drawn = lot.rows().pop("row").to_list()
    assert len(drawn) == len(set(drawn)) == min(most, sum(heights))
    assert lot.seen == sum(heights)


def test_every_row_is_as_likely_to_be_drawn_wherever_it_stands():
    counts = np.zeros(40)
    for seed in range(400):
        lot = Lot(10, seed)
        for first in range(0, 40, 8):
            piece = Rows(["row"], "t")
            piece.add_block(pl.DataFrame({"row": np.arange(first, first + 8)}), np.arange(first, first + 8))
            lot.add(piece)
        counts[lot.rows().pop("row").to_numpy()] += 1
    assert abs(counts - 100).max() < 4.5 * np.sqrt(100 * 0.75)


def test_a_broken_row_group_is_named_by_its_rows(tmp_path: Path):
    path = tmp_path / "rows.parquet"
    rows_of(6_000).write_parquet(path, row_group_size=1_000, compression="zstd")
    raw = bytearray(path.read_bytes())
    middle = len(raw) // 2
    raw[middle : middle + 3_000] = bytes(3_000)
    path.write_bytes(raw)
    with pytest.raises(Mistake) as caught:
        draw(open_source(path, piece=SMALL), 100, seed=0)
    assert caught.value.code == "stream-broken"
    assert ", row " in caught.value.where


def test_a_stretch_of_ragged_rows_is_named_by_its_lines(tmp_path: Path):
    path = tmp_path / "rows.csv"
    good = [f"{place},{place}" for place in range(20_000)]
    path.write_text("\n".join(["a,b", *good, *["1,2,3"] * 9_000, *good]))
    with pytest.raises(Mistake, match="line 200"):
        draw(open_source(path, piece=SMALL), 100, seed=0)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path):
    path = tmp_path / "rows.csv"
    rows_of(20_000).write_csv(path)
    source = open_source(path, piece=SMALL)

    def meddle(pieces) -> None:
        for place, _ in enumerate(pieces):
            if place == 1:
                with path.open("a") as file:
                    file.write("1,2,hut,3\n")

    with pytest.raises(Mistake, match="was changed") as caught:
        source.through(meddle)
    assert caught.value.code == "stream-changed"
    assert "about row" in caught.value.where


# Packs.


def dealt(folder: Path, labels: np.ndarray, packs: int, batch: int = 1_000, seed: int = 0) -> Packs:
    record = np.dtype([("part0", "<f4", (2,)), ("goal", "<i8")])
    with Dealing(folder, record, packs=packs, rows=len(labels), seed=seed, identity="it") as hand:
        for first in range(0, len(labels), batch):
            some = labels[first : first + batch]
            records = np.empty(len(some), record)
            records["part0"][:, 0], records["part0"][:, 1] = np.arange(first, first + len(some)), some
            records["goal"] = some
            hand.add(records)
    return Packs(folder)


@given(st.integers(1, 400), st.integers(1, 9), st.integers(1, 70))
@settings(max_examples=30, deadline=None)
def test_dealt_packs_are_of_one_size_and_hold_every_row_but_fewer_than_there_are_packs(
    tmp_path_factory, rows, packs, batch
):
    found = dealt(tmp_path_factory.mktemp("packs"), np.arange(rows), packs, batch)
    held = np.concatenate([found.read(pack)["goal"] for pack in range(packs)])
    assert len(held) == len(set(held.tolist())) == packs * found.rows
    assert rows - packs < len(held) <= rows


def test_of_a_sorted_file_every_pack_has_the_mix_of_the_whole(tmp_path: Path):
    labels = np.repeat([0, 1, 2], [30_000, 15_000, 5_000])
    packs = dealt(tmp_path, labels, packs=20)
    for pack in range(packs.count):
        mix = np.bincount(packs.read(pack)["goal"], minlength=3) / packs.rows
        # Fifty batches are dealt, each to within a row: of 2,500 rows hardly one in a hundred is amiss.
        assert np.abs(mix - [0.6, 0.3, 0.1]).max() < 0.01


def test_which_rows_share_a_pack_is_left_to_chance(tmp_path: Path):
    packs = dealt(tmp_path, np.arange(8_000), packs=8, batch=4_000)
    neighbours = sum(
        np.isin(rows, rows + 1).sum() for rows in (packs.read(pack)["goal"] for pack in range(8))
    )
    assert abs(neighbours - 1_000) < 5 * np.sqrt(1_000)  # one in eight lies with the row after it


def test_a_pack_that_was_changed_on_disk_is_named(tmp_path: Path):
    packs = dealt(tmp_path, np.arange(1_000), packs=4)
    with packs.path.open("r+b") as file:
        file.seek(2 * packs.room + 40)
        file.write(b"\xff")
    packs.read(1)
    with pytest.raises(Mistake, match="pack 3 of 4") as caught:
        packs.read(2)
    assert caught.value.code == "packs-damaged"


def test_packs_count_only_when_they_were_finished_and_under_the_same_identity(tmp_path: Path):
    dealt(tmp_path, np.arange(100), packs=4)
    assert Packs.found(tmp_path, "it") is not None
    assert Packs.found(tmp_path, "other") is None
    with (
        pytest.raises(RuntimeError, match="power cut"),
        Dealing(tmp_path, np.dtype([("goal", "<i8")]), packs=4, rows=10, seed=0, identity="it"),
    ):
        raise RuntimeError("power cut")
    assert Packs.found(tmp_path, "it") is None


# Training.


class Line(nn.Module):
    """A line through two numbers, with dropout so that noise counts as well."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.drop = nn.Linear(2, 1), nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(self.drop(x))[:, 0]


def squared(output: Tensor, goal: Tensor) -> Tensor:
    return (output - goal.float()).square().mean()


def training_of(stream: Stream, passes: int = 2, shares: int = 1) -> Training:
    plan = TrainingPlan(batch_size=50, threads=1, learning_rate=1e-3)
    return Training(Line(), plan, epochs=passes * stream.shares * shares, seed=3, shares=shares)


@pytest.fixture
def stream(tmp_path: Path) -> Stream:
    labels = np.random.default_rng(0).normal(size=4_000)
    return Stream(dealt(tmp_path / "packs", (10 * labels).astype(np.int64), packs=4 * PACKS_A_SHARE))


def weights(training: Training) -> list[float]:
    return training.flat.weights.tolist()


def test_training_on_a_stream_is_training_on_each_share_as_if_it_were_all(stream: Stream):
    streamed, plain = training_of(stream), training_of(stream)
    for _ in train_stream(streamed, stream, squared):
        pass
    for place in range(2 * stream.shares):
        parts = stream.empty()
        stream.fill(parts, 3, place)
        next(train(plain, parts[:-1], parts[-1], squared))
    assert streamed.epoch == plain.epoch == 2 * stream.shares
    assert weights(streamed) == weights(plain)


def test_every_pass_visits_every_row_once_and_puts_other_packs_together(stream: Stream):
    seen = []
    for place in range(2 * stream.shares):
        parts = stream.empty()
        stream.fill(parts, 3, place)
        seen.append(parts[0][:, 0].tolist())
    first, second = seen[: stream.shares], seen[stream.shares :]
    for one in (first, second):
        assert sorted(itertools.chain(*one)) == list(range(4_000))
    assert {frozenset(rows) for rows in first}.isdisjoint(frozenset(rows) for rows in second)


def test_neither_the_pace_of_the_disk_nor_that_of_the_training_changes_a_bit(stream: Stream, monkeypatch):
    calm, hurried = training_of(stream), training_of(stream)
    for _ in train_stream(calm, stream, squared):
        time.sleep(0.002)
    fast = Packs.read

    def slow(self: Packs, pack: int) -> np.ndarray:
        time.sleep(0.003 * (pack % 3))
        return fast(self, pack)

    monkeypatch.setattr(Packs, "read", slow)
    for _ in train_stream(hurried, stream, squared):
        pass
    assert weights(calm) == weights(hurried)


@pytest.mark.parametrize("shares", [1, 3])
def test_a_training_that_was_killed_and_resumed_ends_with_the_same_bits(stream: Stream, tmp_path, shares):
    whole, killed = training_of(stream, shares=shares), training_of(stream, shares=shares)
    for _ in train_stream(whole, stream, squared):
        pass
    for epoch in train_stream(killed, stream, squared):
        if epoch.number == 5:
            killed.save(tmp_path / "checkpoint")
            break
    resumed = training_of(stream, shares=shares)
    resumed.resume(tmp_path / "checkpoint")
    for _ in train_stream(resumed, stream, squared):
        pass
    assert resumed.epoch == whole.epoch == 2 * stream.shares * shares
    assert weights(resumed) == weights(whole)


def test_a_pack_that_breaks_in_the_middle_is_told_and_nothing_learnt_is_lost(stream: Stream, tmp_path):
    training, done = training_of(stream), 0
    with pytest.raises(Mistake) as caught:  # noqa: PT012
        for epoch in train_stream(training, stream, squared):
            training.save(tmp_path / "checkpoint")
            done = epoch.number
            if done == 2:
                stream.packs.path.unlink()
    assert caught.value.code == "packs-damaged"
    assert done >= 2
    again = training_of(stream)
    again.resume(tmp_path / "checkpoint")
    assert again.epoch == done


# From a file to a stream.


def encoded(numbers: np.ndarray, codes: np.ndarray) -> list[tuple[float, ...]]:
    """Each row as a tuple of what the net sees of it."""
    return [(*one, *other) for one, other in zip(numbers.tolist(), codes.tolist(), strict=True)]


def streamed_and_held(result) -> tuple[list[tuple[float, ...]], list[tuple[float, ...]]]:
    """All rows in the stream, and the sample's rows that are not learnt from."""
    packs = result.stream.packs
    records = np.concatenate([packs.read(pack) for pack in range(packs.count)])
    learnt = result.parts.open.lines[result.parts.folds[0].train]
    held = result.look.table.take(np.flatnonzero(~np.isin(result.look.table.lines, learnt)))
    inputs = result.problem.encode(held)
    return encoded(records["part0"], records["part1"]), encoded(inputs.numbers.numpy(), inputs.codes.numpy())


def test_no_row_held_out_nor_a_copy_of_one_is_streamed(written, tmp_path: Path):
    twice = pl.concat([rows_of(4_000), rows_of(4_000), rows_of(2_000, seed=1)]).sort("y")
    result = stream_of(written(twice), "y", memory=LEAST, folder=tmp_path / "packs")
    streamed, held = streamed_and_held(result)
    assert held
    assert not set(streamed) & set(held)
    left_out = sum(result.left_out.values())
    assert 10_000 - left_out - len(streamed) < result.stream.packs.count
    assert left_out >= len(held)


def test_common_combinations_are_no_copies(tmp_path: Path):
    random = np.random.default_rng(0)
    few = pl.DataFrame({"a": random.integers(2, size=6_000), "b": random.integers(2, size=6_000)})
    frame = few.with_columns(y=pl.Series(random.normal(size=6_000)))
    frame.write_csv(tmp_path / "rows.csv")
    result = stream_of(tmp_path / "rows.csv", "y", memory=LEAST, folder=tmp_path / "packs")
    assert result.left_out["it is held out, or a copy of a row held out"] < 3_000
    assert result.stream.rows * result.stream.shares > 3_000


def test_rows_of_a_group_that_is_held_out_are_not_streamed(tmp_path: Path):
    frame = rows_of(6_000).with_columns(customer=pl.Series(np.arange(6_000) % 50).cast(pl.String) + "c")
    frame.write_parquet(tmp_path / "rows.parquet")
    result = stream_of(
        tmp_path / "rows.parquet", "y", memory=LEAST, group="customer", folder=tmp_path / "packs"
    )
    streamed, held = streamed_and_held(result)
    inputs = result.problem.encode(read(frame))
    owner = dict(zip(encoded(inputs.numbers.numpy(), inputs.codes.numpy()), frame["customer"], strict=True))
    assert not {owner[row] for row in streamed} & {owner[row] for row in held}


def test_rows_without_an_answer_or_with_a_class_the_sample_lacks_are_counted(tmp_path: Path):
    frame = (
        rows_of(8_000)
        .with_columns(answer=pl.when(pl.col("x") > 0).then(pl.lit("up")).otherwise(pl.lit("down")))
        .drop("y")
    )
    answers = frame["answer"].to_list()
    answers[17] = answers[4_000] = None
    frame = frame.with_columns(answer=pl.Series(answers))
    frame.write_parquet(tmp_path / "rows.parquet")
    result = stream_of(tmp_path / "rows.parquet", "answer", memory=LEAST, folder=tmp_path / "packs")
    assert result.left_out["it has no answer that the sample knows"] == 2
    goals = np.concatenate(
        [result.stream.packs.read(pack)["part2"] for pack in range(result.stream.packs.count)]
    )
    assert set(goals.tolist()) == {0, 1}


def test_pictures_are_streamed_from_a_folder_and_those_undecodable_are_told(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PRECEPTOR_CACHE", str(tmp_path / "cache"))
    random = np.random.default_rng(0)
    for place in range(120):
        name = tmp_path / "photos" / ("dark" if place % 2 else "light") / f"{place}.png"
        name.parent.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 100, size=(12, 12, 3)) + (0 if place % 2 else 150)
        Image.fromarray(pixels.astype(np.uint8)).save(name)
    (tmp_path / "photos" / "dark" / "broken.png").write_bytes(b"no picture")
    result = stream_of(tmp_path / "photos", "class", memory=LEAST, folder=tmp_path / "packs")
    parts = result.stream.empty()
    result.stream.fill(parts, 0, 0)
    pictures, goal = parts[2].float().mean((1, 2, 3)), parts[3]
    assert parts[2].dtype == torch.uint8
    assert ((pictures > 125) == (goal == 1)).all()  # the classes are dark and light
    assert sum(result.look.table.account.left_out.values()) == 1
    assert "broken.png" in result.look.table.account.dropped[0].why


def test_a_second_sitting_finds_the_packs_of_the_first_unless_the_file_is_another(tmp_path: Path):
    path = tmp_path / "rows.csv"
    rows_of(3_000).write_csv(path)

    def dealt_at() -> int:
        stream_of(path, "y", memory=LEAST, folder=tmp_path / "packs")
        return (tmp_path / "packs" / "packs.json").stat().st_mtime_ns

    first = dealt_at()
    assert dealt_at() == first
    rows_of(3_100).write_csv(path)
    assert dealt_at() > first


def test_the_same_file_gives_the_same_packs_to_the_bit(written, tmp_path: Path):
    path = written(rows_of(3_000))
    for name in ("one", "two"):
        stream_of(path, "y", memory=LEAST, folder=tmp_path / name)
    one, two = ((tmp_path / name / "records.bin").read_bytes() for name in ("one", "two"))
    assert one == two


def test_a_temporary_folder_goes_with_the_stream(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PRECEPTOR_CACHE", str(tmp_path))
    path = tmp_path / "rows.csv"
    rows_of(1_000).write_csv(path)
    result = stream_of(path, "y", memory=LEAST)
    folder = result.stream.packs.path.parent
    assert folder.exists()
    del result
    assert not folder.exists()


def test_amounts_of_memory_are_read_as_people_write_them():
    assert bytes_in("500 MB") - bytes_in("400MB") == 100_000_000
    for unclear in ("much", "3 MB", -1):
        with pytest.raises(Mistake, match="no amount of memory"):
            bytes_in(unclear)


def test_what_fits_is_read_whole_and_what_does_not_is_sampled(written, monkeypatch):
    path = written(rows_of(9_000))
    table, source = read_or_sample(path, None, seed=0)
    assert source is None
    assert len(table) == 9_000
    monkeypatch.setattr("preceptor.data.streams.sampling.MOST_DRAWN", 2_000)
    tight = type("Memory", (), {"available": 300_000})
    monkeypatch.setattr("preceptor.data.room.psutil.virtual_memory", lambda: tight)
    with pytest.raises(Mistake, match="memory-unclear"):  # half of so little is too little even to stream
        read_or_sample(path, None, seed=0)
    table, source = read_or_sample(path, LEAST, seed=0)
    assert source is not None
    assert len(table) == 2_000
    assert table.account.read == 9_000
    assert read_or_sample(path, "4 GB", seed=0)[1] is not None


def test_what_lies_in_time_is_refused(tmp_path: Path):
    rows_of(2_000).write_csv(tmp_path / "rows.csv")
    with pytest.raises(Mistake) as caught:
        stream_of(tmp_path / "rows.csv", "y", memory=LEAST, time="x", folder=tmp_path / "packs")
    assert caught.value.code == "stream-ordered"


PEAK = """
import sys, torch
from preceptor.plan import TrainingPlan
from preceptor.intake import stream_of
from preceptor.training.state import Training
from preceptor.training.stream import train_stream

def peak():
    with open("/proc/self/status") as file:
        return int(file.read().partition("VmHWM:")[2].split()[0]) * 1024

class Net(torch.nn.Sequential):
    def forward(self, x, codes):
        return super().forward(x)[:, 0]

before = peak()
stream = stream_of(sys.argv[1], "y", memory=sys.argv[2]).stream
net = Net(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
training = Training(net, TrainingPlan(batch_size=4096, threads=1), epochs=stream.shares, seed=0)
for epoch in train_stream(training, stream, torch.nn.functional.mse_loss):
    pass
print(peak() - before, stream.shares, stream.rows, epoch.loss)
"""


@pytest.mark.slow
@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_ten_times_the_memory_is_trained_on_within_it(tmp_path: Path, form, monkeypatch):
    monkeypatch.setenv("PRECEPTOR_CACHE", str(tmp_path))
    memory, path = 128_000_000, tmp_path / f"rows.{form}"
    write_large(path, 10 * memory)
    assert path.stat().st_size > 10 * memory
    command = [sys.executable, "-c", PEAK, str(path), str(memory)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    peak, shares, _, loss = map(float, told.split())
    assert peak < memory
    assert shares > 10
    assert loss < 0.5


def write_large(path: Path, size: int) -> None:
    """Sorted rows of eight numbers and an answer, of at least so many bytes, a stretch at a time."""
    import pyarrow.parquet

    random, written, writer, step = np.random.default_rng(0), 0, None, 200_000
    with path.open("wb") as file:
        while written < size * 1.05:
            x = random.normal(size=(step, 8))
            y = x[:, 0] + x[:, 1] + written / size
            frame = pl.DataFrame({**{f"x{place}": x[:, place] for place in range(8)}, "y": y}).sort("y")
            if path.suffix == ".csv":
                frame.write_csv(file, include_header=not written)
            else:
                writer = writer or pyarrow.parquet.ParquetWriter(file, frame.to_arrow().schema)
                writer.write_table(frame.to_arrow())
            written = file.tell()
        if writer:
            writer.close()
