"""A kind of value that the house has never heard of enters by the same doors: one kind, one encoder."""

from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

import preceptor
from preceptor.kinds import registry
from preceptor.kinds.kind import Guess, Kind
from preceptor.kinds.stateful import Stateful
from preceptor.models import mixed
from preceptor.shapes import Shape

SAMPLES, RATE = 64, 8


class Sound(Stateful, Kind):
    """A tone, written as its pitch: "tone 3"."""

    name: ClassVar[str] = "sound"
    lossless: ClassVar[bool] = False

    @classmethod
    def recognise(cls, column: pl.Series, *, as_target: bool = False) -> Guess:
        tones = column.dtype == pl.String and bool(column.str.starts_with("tone ").all())
        return Guess(1.0 if tones and not as_target else 0.0, "tones")

    def fit(self, column: pl.Series) -> "Sound":
        return self

    @property
    def shape(self) -> Shape:
        return Shape("wave", (SAMPLES,))

    def encode(self, column: pl.Series) -> torch.Tensor:
        pitch = column.str.slice(5).cast(pl.Float32).fill_null(0.0).to_numpy()
        return torch.from_numpy(np.sin(np.outer(pitch, np.arange(SAMPLES) / RATE)).astype(np.float32))

    def decode(self, encoded: torch.Tensor) -> pl.Series:
        return pl.Series(self.column, [None] * len(encoded), dtype=pl.String)


class WaveEncoder(nn.Module):
    """What is left of a wave after one convolution."""

    trunks: ClassVar[tuple[str, ...]] = ()
    width = 8

    def __init__(self, sizes: tuple[int, ...], *, generator: Any = None) -> None:
        super().__init__()
        self.filters = nn.Conv1d(1, self.width, 9, stride=2)
        with torch.no_grad():
            self.filters.weight.normal_(0.0, 0.3, generator=generator)

    @staticmethod
    def good_options(sizes: tuple[int, ...], rows: int, minutes: float) -> dict[str, Any]:
        return {}

    @classmethod
    def good_training(cls, rows: int) -> dict[str, Any]:
        return {"learning_rate": 1e-2, "batch_size": 32, "epochs": 10}

    def remember(self, x: torch.Tensor) -> None:
        """Nothing."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.filters(x[:, None])).amax(dim=2)


@pytest.fixture
def plugged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both entry points, as another package's pyproject.toml would declare them."""
    kinds, encoders = registry._declared(), mixed._declared()
    kind = SimpleNamespace(name="sound", value="theirs:Sound", dist=None, load=lambda: Sound)
    encoder = SimpleNamespace(name="wave", load=lambda: WaveEncoder)
    monkeypatch.setattr(registry, "_declared", lambda: {**kinds, "sound": kind})
    monkeypatch.setattr(mixed, "_declared", lambda: {**encoders, "wave": encoder})


def test_sounds_are_learnt_from_examined_and_answered_without_another_line(plugged_in, tmp_path):
    draw = np.random.default_rng(0)
    pitch, loud = draw.integers(1, 9, 300), draw.normal(size=300)
    frame = pl.DataFrame(
        {
            "sound": [f"tone {p}" for p in pitch],
            "loud": loud,
            "high": ["yes" if p > 4 else "no" for p in pitch],
        }
    )
    run = preceptor.fit(frame, target="high", minutes=0.5, out=tmp_path / "run")
    assert run.exam["verdict"] in ("better", "as_good", "worse")
    assert run.exam["score"] > 0.75
    assert run.plan.net.encoders == {"sound": {}}
    answers = run.predict(pl.DataFrame({"sound": ["tone 1", "tone 8"], "loud": [0.0, 0.0]}))
    assert answers["high"].to_list() == ["no", "yes"]
