"""The kind image: pictures, as an input, all brought to one square.

    image = Image("photo").fit(training["photo"])
    image.encode(table["photo"])                      # (N, C, S, S) uint8

Small pictures that are all of one square size stay as they are. Others are shrunk (each new pixel the
mean of those it covers) or enlarged until they fit into a square; what the square has beyond them, above
and below or left and right, is the training pictures' mean colour. So nothing is cut away, and nothing is
stretched.

Shapes: N pictures, C channels (1 grey, 3 colour), S pixels a side.
"""

from typing import ClassVar, Self

import numpy as np
import polars as pl
import torch
from PIL import Image as Pillow
from torch import Tensor

from preceptor.data.pictures import pixels
from preceptor.kinds.kind import Guess, Kind
from preceptor.kinds.stateful import Stateful
from preceptor.kinds.values import sample
from preceptor.shapes import Shape

SIDES, NATIVE = (32, 48, 64, 96, 128), range(8, 65)
"""The squares to choose from, and the sizes at which equal square pictures stay as they are."""

WORK = 64_000_000
"""Pixels of all training pictures: as many as a network on two cores sees often enough in minutes."""

LEARNT_FROM = 2_000
"""How many pictures, evenly spaced, the size and the mean colour are learnt from."""

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as Pillow's own "L"


class Image(Stateful, Kind):
    """Squares of `side` pixels, grey when all training pictures are; a missing picture is all mean colour.

    `limit` is the longest side that may be chosen. Colour met later by a grey kind becomes its luminance,
    grey met by a colour kind three equal channels. Pixels cannot be had back as files: decoding gives null.
    """

    name: ClassVar[str] = "image"
    deep: ClassVar[bool] = True
    lossless: ClassVar[bool] = False

    def __init__(self, column: str, limit: int = SIDES[-1]):
        super().__init__(column)
        self.limit = limit
        self.side = SIDES[0]
        self.mean: list[int] = [128]

    @classmethod
    def recognise(cls, column: pl.Series, *, as_target: bool = False) -> Guess:
        """Sure of columns that hold pictures; never of a target."""
        if column.dtype != pl.Binary:
            return Guess(0.0, "the values are no pictures")
        if as_target:
            return Guess(0.0, "pictures cannot be asked for yet, only used as an input")
        return Guess(1.0, "pictures")

    def fit(self, column: pl.Series) -> Self:
        """Learn the channels, the side and the mean colour."""
        some = pixels(sample(_keys(column), LEARNT_FROM))
        sizes = np.array([values.shape for values in some], dtype=np.int64).reshape(-1, 3)
        channels = int(sizes[:, 2].max(initial=1))
        self.side = self._side(sizes[:, :2], len(column) - column.null_count())
        means = [np.broadcast_to(_mean_colour(values), channels) for values in some]
        self.mean = np.mean(means, axis=0).round().astype(int).tolist() if means else [128]
        return self

    @property
    def shape(self) -> Shape:
        """(C, S, S) uint8."""
        return Shape("picture", (len(self.mean), self.side, self.side))

    def encode(self, column: pl.Series) -> Tensor:
        """(N, C, S, S) uint8."""
        encoded = np.empty((len(column), self.side, self.side, len(self.mean)), np.uint8)
        encoded[:] = self.mean
        for square, values in zip(encoded, pixels(_keys(column)), strict=True):
            if values.size:
                self._place(self._channelled(values), square)
        return torch.from_numpy(encoded).permute(0, 3, 1, 2).contiguous()

    def decode(self, encoded: Tensor) -> pl.Series:
        """Null for every row: the picture as it was in its file is not kept."""
        return pl.Series(self.column, [None], dtype=pl.Binary).new_from_index(0, len(encoded))

    def _side(self, sizes: np.ndarray, count: int) -> int:
        """By the sizes (N, 2) of training pictures and their number: see `SIDES`, `NATIVE` and `WORK`.

        The longest square that no picture of median size would have to be enlarged to, and that is not
        too much work; never less than the smallest of them.
        """
        if not len(sizes):
            return SIDES[0]
        first = int(sizes[0, 0])
        if (sizes == first).all() and first in NATIVE:
            return min(first, self.limit)
        longer = float(np.median(sizes.max(axis=1)))
        fitting = [side for side in SIDES if side <= min(longer, self.limit) and side**2 * count <= WORK]
        return max(fitting, default=min(SIDES[0], self.limit))

    def _channelled(self, values: np.ndarray) -> np.ndarray:
        """(H, W, C) of this kind's channels."""
        if values.shape[2] == 3 and len(self.mean) == 1:
            return (values @ _LUMA).round().astype(np.uint8)[..., None]
        return values

    def _place(self, values: np.ndarray, square: np.ndarray) -> None:
        """Write a picture (H, W, C or 1) into the middle of a square (S, S, C) of mean colour."""
        if values.shape[:2] != square.shape[:2]:
            values = self._resized(values)
        height, width = values.shape[:2]
        top, left = (self.side - height) // 2, (self.side - width) // 2
        square[top : top + height, left : left + width] = values

    def _resized(self, values: np.ndarray) -> np.ndarray:
        """The whole picture with its longer side of S pixels."""
        height, width = values.shape[:2]
        scale = self.side / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        way = Pillow.Resampling.BOX if scale < 1 else Pillow.Resampling.BILINEAR
        resized = Pillow.fromarray(values.squeeze(2) if values.shape[2] == 1 else values).resize(size, way)
        return np.asarray(resized).reshape(size[1], size[0], -1)


def _mean_colour(values: np.ndarray) -> np.ndarray:
    """(C,) by pixels evenly spaced, at least 32 a side where there are so many."""
    every = max(1, min(values.shape[:2]) // 32)
    return np.asarray(values[::every, ::every].mean(axis=(0, 1)))


def _keys(column: pl.Series) -> pl.Series:
    """The column as keys of pictures; what is of another type counts as missing."""
    if column.dtype == pl.Binary:
        return column
    return pl.Series(column.name, [None], dtype=pl.Binary).new_from_index(0, len(column))
