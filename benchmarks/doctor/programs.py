"""Sixteen programs: real small rows and a net for them, each a second or two on one thread.

Thresholds, orders of naming and remedies may be chosen by looking at runs of the programs in `SEEN`, never
at those of `HELD_OUT`: these eight were named before the first of them was run.
"""

from collections.abc import Callable

from torch import nn

from benchmarks.doctor import rows
from benchmarks.doctor.nets import Attentive, Bag, Forecaster, Speller, convolutions, perceptron
from benchmarks.doctor.setup import Parts, Setup, as_is, by_time, divide

Build = Callable[[Parts, float], nn.Module]


def _times(width: int, wide: float) -> int:
    return max(1, round(width * wide))


def _dense(hidden: tuple[int, ...], outputs: int, act: type[nn.Module] = nn.ReLU, dropout: float = 0.0) -> Build:
    """A perceptron as wide as the rows; one output without its axis when `outputs` is 0."""

    def build(parts: Parts, wide: float) -> nn.Module:
        flat = [nn.Flatten()] if parts.train[0].dim() > 2 else []
        width = parts.train[0][0].numel()
        end = [nn.Flatten(0)] if not outputs else []
        return nn.Sequential(*flat, *perceptron((width, *(_times(h, wide) for h in hidden), outputs or 1), act, dropout=dropout), *end)

    return build


def _pictures(classes: int, norm: bool) -> Build:
    return lambda parts, wide: convolutions(
        parts.train[0].shape[1:], classes, norm=norm, width=_times(8, wide)
    )


def _series(cell: type[nn.RNNBase], width: int) -> Build:
    return lambda parts, wide: Forecaster(cell, parts.train[0].shape[-1], _times(width, wide))


def _setup(name: str, task: str, read: Callable, net: Build, epochs: int, tags: str, **choices) -> Setup:
    return Setup(name, task, read, net, epochs, tags=frozenset(tags.split()), **choices)


LETTERS = len(rows.LETTERS)

# fmt: off
SEEN = [
    _setup("digits-mlp", "classes", rows.digits, _dense((64, 64), 10), 20, "table relu", scaling=divide(16)),
    _setup(
        "cancer-logistic", "binary", rows.cancer, _dense((), 0), 40, "table linear", optimiser="sgd", learning_rate=0.1
    ),
    _setup(
        "houses-mlp", "number", rows.houses, _dense((64, 64), 1), 15, "table relu",
        optimiser="sgd", learning_rate=0.02, momentum=0.9,
    ),
    _setup("wine-tanh", "classes", rows.wine, _dense((32, 32), 3, nn.Tanh), 60, "table tanh", batch=16),
    _setup(
        "fashion-cnn-norm", "classes", rows.fashion, _pictures(10, norm=True), 6, "image relu norm", scaling=divide(255)
    ),
    _setup(
        "messages-bag", "binary", rows.messages, lambda _, wide: Bag(1500, _times(24, wide)), 8, "words padded relu", scaling=as_is,
        learning_rate=3e-3,
    ),
    _setup(
        "sunspots-gru", "number", rows.sunspots, _series(nn.GRU, 24), 10, "series recurrent",
        split=by_time, learning_rate=3e-3,
    ),
    _setup(
        "letters-transformer", "next", rows.letters, lambda _, wide: Attentive(LETTERS, 32, width=2 * _times(16, wide)), 8,
        "words attention dropout", scaling=as_is, learning_rate=1e-2,
    ),
]

HELD_OUT = [
    _setup(
        "digits-cnn", "classes", rows.digit_pictures, _pictures(10, norm=False), 12, "image relu", scaling=divide(16),
        learning_rate=5e-3,
    ),
    _setup(
        "fashion-tanh", "classes", rows.fashion, _dense((64, 64), 10, nn.Tanh, 0.1), 8, "image tanh dropout dense",
        scaling=divide(255), optimiser="sgd", learning_rate=0.05, momentum=0.9,
    ),
    _setup("diabetes-mlp", "number", rows.diabetes, _dense((32,), 1), 30, "table relu", batch=16),
    _setup("penguins-deep", "classes", rows.penguins, _dense((32,) * 5, 3), 40, "table relu deep", batch=16),
    _setup(
        "adult-mlp", "binary", rows.adult, _dense((64,), 0, dropout=0.2), 10, "table relu dropout", data="adult",
        optimiser="sgd", learning_rate=0.05, momentum=0.9,
    ),
    _setup(
        "reviews-transformer", "binary", rows.reviews, lambda _, wide: Attentive(2000, 24, width=2 * _times(16, wide), pooled=True), 4,
        "words padded attention dropout", scaling=as_is, learning_rate=2e-3, data="rt_polarity",
    ),
    _setup(
        "bikes-rnn", "number", rows.bikes, _series(nn.RNN, 32), 10, "series recurrent",
        split=by_time, learning_rate=3e-3, data="bike_sharing",
    ),
    _setup(
        "plays-gru", "next", rows.plays, lambda _, wide: Speller(LETTERS, _times(48, wide)), 8, "words recurrent",
        scaling=as_is, learning_rate=1e-2, data="tinyshakespeare",
    ),
]
# fmt: on

PROGRAMS = {setup.name: setup for setup in [*SEEN, *HELD_OUT]}
UNSEEN = frozenset(setup.name for setup in HELD_OUT)
