"""What contestants learn: arrays, sizes of the net, batch size and epochs, in a folder for every process.

    Task(x, y, (8, 64, 64, 1), batch=256, epochs=20).save(folder)
    task = Task.load(folder)

Needs numpy alone, so that it can be read in any environment. Shapes: N rows, D columns, K outputs.
"""

import gzip
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

DATA = Path(os.environ.get("PRECEPTOR_DATA", Path(__file__).parents[2] / "shared" / "data"))
RATE = 1e-3
"""The learning rate of Adam, everywhere."""


@dataclass(frozen=True)
class Task:
    """Rows `x` (N, D) or (N, 1, 28, 28) float32; `y` (N, 1) float32 numbers or (N,) int64 classes.

    `sizes` are the widths of an MLP's layers from inputs to outputs, or the channels of a convolutional net
    and its outputs. Who is asked for `quality`, a loss on `validation` rows, stops as soon as it is reached.
    """

    x: np.ndarray
    y: np.ndarray
    sizes: tuple[int, ...]
    batch: int
    epochs: int
    validation: tuple[np.ndarray, np.ndarray] | None = None
    quality: float = 0.0

    @property
    def regression(self) -> bool:
        return self.y.dtype.kind == "f"

    @property
    def pictures(self) -> bool:
        return self.x.ndim == 4

    @property
    def steps(self) -> int:
        return self.epochs * -(-len(self.x) // self.batch)

    def brief(self, share: int = 8) -> "Task":
        """About so small a part of the work, to warm up with."""
        epochs = max(1, self.epochs // share)
        rows = len(self.x) * self.epochs // (share * epochs)
        return replace(self, x=self.x[:rows], y=self.y[:rows], epochs=epochs)

    def loss(self, outputs: np.ndarray, y: np.ndarray) -> float:
        """Mean squared error of outputs (N, 1), or cross-entropy of logits or log-probabilities (N, K)."""
        outputs = outputs.astype(np.float64)
        if self.regression:
            return float(np.square(outputs.reshape(y.shape) - y).mean())
        outputs -= outputs.max(axis=1, keepdims=True)
        chosen = np.take_along_axis(outputs, y[:, None], axis=1)[:, 0]
        return float((np.log(np.exp(outputs).sum(axis=1)) - chosen).mean())

    def good_enough(self, predict: Callable[[np.ndarray], np.ndarray]) -> bool:
        """Whether the quality asked for is reached; never, where none is."""
        return (
            self.validation is not None
            and self.loss(predict(self.validation[0]), self.validation[1]) <= self.quality
        )

    def save(self, folder: Path) -> Path:
        """Write into a new folder, and return it."""
        folder.mkdir(parents=True)
        arrays = {"x": self.x, "y": self.y}
        if self.validation:
            arrays |= dict(zip(("validation_x", "validation_y"), self.validation, strict=True))
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array)
        facts = {name: getattr(self, name) for name in ("sizes", "batch", "epochs", "quality")}
        (folder / "task.json").write_text(json.dumps(facts))
        return folder

    @classmethod
    def load(cls, folder: Path) -> "Task":
        """The task; its arrays share their pages with all other processes that read them."""
        facts = json.loads((folder / "task.json").read_text())
        arrays = {path.stem: np.load(path, mmap_mode="c") for path in folder.glob("*.npy")}
        facts["sizes"] = tuple(facts["sizes"])
        held_out = (arrays["validation_x"], arrays["validation_y"]) if "validation_x" in arrays else None
        return cls(arrays["x"], arrays["y"], validation=held_out, **facts)


def numbers(rows: int = 20_640) -> tuple[np.ndarray, np.ndarray]:
    """As many rows as the Californian houses, of eight numbers and one to predict."""
    random = np.random.default_rng(0)
    x = random.standard_normal((rows, 8), dtype=np.float32)
    y = np.sin(x[:, 0] * x[:, 1]) + np.abs(x[:, 2]) + 0.3 * random.standard_normal(rows)
    return x, y[:, None].astype(np.float32)


def pictures(rows: int = 60_000) -> tuple[np.ndarray, np.ndarray]:
    """Training pictures of Fashion-MNIST (N, 1, 28, 28) and classes; noise where the data are not at hand."""
    folder = DATA / "fashion_mnist"
    if not folder.is_dir():
        random = np.random.default_rng(0)
        y = random.integers(0, 10, rows)
        return random.random((rows, 1, 28, 28), dtype=np.float32) * (1 + y[:, None, None, None] % 3), y
    x = idx(folder / "train-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)[:rows]
    y = idx(folder / "train-labels-idx1-ubyte.gz", 8)[:rows]
    return x.astype(np.float32) / 255, y.astype(np.int64)


def idx(path: Path, head: int) -> np.ndarray:
    """The bytes of an idx file after its head."""
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=head)
