"""Real rows, small enough for seconds: tables, pictures, messages, characters, series.

Each function returns x (N, ...) as it comes, unscaled, and the answers y: class numbers (N,), 0 or 1 as
float (N,), numbers (N, 1), or the next characters (N, T). Most lie in the package or in scikit-learn; the
last four are read from $PRECEPTOR_DATA or ../shared/data.
"""

import collections
import functools
import os
import re
from pathlib import Path

import numpy as np
import polars as pl
import torch
from sklearn import datasets
from torch import Tensor

from preceptor.data import samples

DATA = Path(os.environ.get("PRECEPTOR_DATA", Path(__file__).parents[3] / "shared" / "data"))

Rows = tuple[Tensor, Tensor]
LETTERS = " abcdefghijklmnopqrstuvwxyz0123456789.,!?'&-"


def absent(folder: str) -> bool:
    """Whether the folder of real data that a program reads is not there."""
    return bool(folder) and not (DATA / folder).is_dir()


def _some(x: Tensor, y: Tensor, size: int) -> Rows:
    rows = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))[:size]
    return x[rows], y[rows]


def _table(x: np.ndarray, y: np.ndarray, kind: torch.dtype) -> Rows:
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y).to(kind)


@functools.cache
def digits() -> Rows:
    """8 x 8 digits as 64 numbers from 0 to 16; ten classes."""
    return _table(*datasets.load_digits(return_X_y=True), torch.int64)


@functools.cache
def digit_pictures() -> Rows:
    """The same as pictures (1797, 1, 8, 8)."""
    x, y = digits()
    return x.view(-1, 1, 8, 8), y


@functools.cache
def cancer() -> Rows:
    """30 measurements of cells; 1 when benign."""
    return _table(*datasets.load_breast_cancer(return_X_y=True), torch.float32)


@functools.cache
def wine() -> Rows:
    """13 chemical measurements; three growers."""
    return _table(*datasets.load_wine(return_X_y=True), torch.int64)


@functools.cache
def diabetes() -> Rows:
    """Ten measurements of patients in their own units; how far the illness got in a year."""
    x, y = datasets.load_diabetes(return_X_y=True, scaled=False)
    return _table(x, y[:, None], torch.float32)


def _numbers(frame: pl.DataFrame, target: str) -> tuple[np.ndarray, np.ndarray]:
    inputs = frame.drop(target)
    words = [name for name, kind in inputs.schema.items() if kind == pl.String]
    return inputs.to_dummies(words).to_numpy().astype(np.float32), frame[target].to_numpy()


@functools.cache
def houses() -> Rows:
    """3,000 Californian districts, counts as logarithms, the sea's nearness as 0 and 1; dollars."""
    counts = ["total_rooms", "total_bedrooms", "population", "households"]
    frame = pl.read_csv(samples.sample("houses").path).drop_nulls().with_columns(pl.col(counts).log1p())
    x, y = _numbers(frame, "median_house_value")
    return _some(*_table(x, y[:, None], torch.float32), 3000)


@functools.cache
def penguins() -> Rows:
    """Bills, flippers and weights; three species."""
    frame = pl.read_csv(samples.sample("penguins").path).drop_nulls().drop("island", "sex")
    species = frame["species"].to_list()
    classes = [sorted(set(species)).index(name) for name in species]
    return _table(frame.drop("species").to_numpy(), np.array(classes), torch.int64)


@functools.cache
def fashion() -> Rows:
    """3,000 pictures of clothes, halved to (1, 14, 14), 0 to 255; ten sorts."""
    files = samples.HERE
    x = _idx(files / "fashion-train-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)
    y = _idx(files / "fashion-train-labels-idx1-ubyte.gz", 8)
    small = torch.nn.functional.avg_pool2d(torch.from_numpy(x).float(), 2)[:3000]
    return small, torch.from_numpy(y).long()[:3000]


def _idx(path: Path, header: int) -> np.ndarray:
    import gzip

    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header).copy()


def _words(texts: list[str], length: int, vocabulary: int) -> Tensor:
    """Numbers of the words from 2 on, 1 for rare ones, 0 where the text has ended."""
    split = [re.findall(r"[a-z']+|[0-9]+|[!?£$]", text.lower())[:length] for text in texts]
    counts = collections.Counter(word for words in split for word in words)
    number = {word: place + 2 for place, (word, _) in enumerate(counts.most_common(vocabulary - 2))}
    ids = torch.zeros(len(texts), length, dtype=torch.int64)
    for row, words in enumerate(split):
        ids[row, : len(words)] = torch.tensor([number.get(word, 1) for word in words])
    return ids


@functools.cache
def messages() -> Rows:
    """2,500 text messages as 32 word numbers; 1 when unwanted. Messages sent twice stand once."""
    frame = pl.read_csv(samples.sample("spam").path).unique("text", maintain_order=True)[:2500]
    y = torch.tensor((frame["type"] == "spam").to_list()).float()
    x = _words(frame["text"].to_list(), 32, 1500)
    kept = _first_of_each(x)
    return x[kept], y[kept]


def _first_of_each(x: Tensor) -> Tensor:
    first: dict[tuple[float, ...], int] = {}
    for row, values in enumerate(x.tolist()):
        first.setdefault(tuple(values), row)
    return torch.tensor(list(first.values()))


def _characters(text: str, size: int, length: int = 32) -> Rows:
    kept = re.sub(r"\s+", " ", re.sub(f"[^{re.escape(LETTERS)}]", " ", text.lower()))
    ids = torch.tensor([LETTERS.index(letter) for letter in kept[: size * (length + 1)]])
    windows = ids[: len(ids) // (length + 1) * (length + 1)].view(-1, length + 1)
    windows = windows[_first_of_each(windows)]
    return windows[:, :-1].contiguous(), windows[:, 1:].contiguous()


@functools.cache
def letters() -> Rows:
    """1,500 stretches of 32 characters of text messages; at each place the next character."""
    texts = pl.read_csv(samples.sample("spam").path).unique("text", maintain_order=True)["text"]
    return _characters(" ".join(texts), 1500)


def _windows(series: np.ndarray, length: int) -> Rows:
    values = torch.tensor(np.asarray(series, dtype=np.float32))
    windows = values.unfold(0, length + 1, 1)
    return windows[:, :-1, None].contiguous(), windows[:, -1:].contiguous()


@functools.cache
def sunspots() -> Rows:
    """36 months of sunspots (N, 36, 1); the next month. In order of time."""
    series = pl.read_csv(samples.sample("sunspots").path)["sunspots"].to_numpy()
    return _windows(series[-1500:], 36)


@functools.cache
def bikes() -> Rows:
    """24 hours of lent bicycles; the next hour. In order of time."""
    return _windows(pl.read_csv(DATA / "bike_sharing" / "hour.csv")["cnt"].to_numpy()[:2400], 24)


@functools.cache
def adult() -> Rows:
    """3,000 people of the census of 1994, words as 0 and 1; 1 when they earn more than 50,000 dollars."""
    frame = pl.read_csv(DATA / "adult" / "adult-train.csv", has_header=False)
    frame = frame.with_columns(pl.col(pl.String).str.strip_chars()).drop("column_3", "column_13")
    counts = [f"column_{place}" for place in (0, 2, 4, 10, 11, 12)]
    frame = frame.with_columns(pl.col(counts).cast(pl.Float32)).unique(maintain_order=True)
    x, y = _numbers(frame, "column_14")
    return _some(*_table(x, y == ">50K", torch.float32), 3000)


@functools.cache
def reviews() -> Rows:
    """4,000 sentences on films as 24 word numbers; 1 when they like it."""
    both = [
        (DATA / "rt_polarity" / f"rt-polarity.{end}").read_text("latin-1").split("\n")[:2000]
        for end in ("neg", "pos")
    ]
    x = _words([*both[0], *both[1]], 24, 2000)
    y = torch.cat([torch.zeros(2000), torch.ones(2000)])
    kept = _first_of_each(x)
    return x[kept], y[kept]


@functools.cache
def plays() -> Rows:
    """1,500 stretches of 32 characters of Shakespeare; at each place the next character."""
    return _characters((DATA / "tinyshakespeare" / "input.txt").read_text("utf-8"), 1500)
