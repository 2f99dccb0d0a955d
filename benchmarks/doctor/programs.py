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


def _dense(hidden: tuple[int, ...], outputs: int, act: type[nn.Module] = nn.ReLU, drop: float = 0.0) -> Build:
    """A perceptron as wide as the rows; one output without its axis when `outputs` is 0."""

    def build(parts: Parts, wide: float) -> nn.Module:
        flat = [nn.Flatten()] if parts.train[0].dim() > 2 else []
        sizes = (parts.train[0][0].numel(), *(_times(width, wide) for width in hidden), outputs or 1)
        end = [nn.Flatten(0)] if not outputs else []
        return nn.Sequential(*flat, *perceptron(sizes, act, dropout=drop), *end)

    return build


def _pictures(classes: int, norm: bool) -> Build:
    return lambda parts, wide: convolutions(
        parts.train[0].shape[1:], classes, norm=norm, width=_times(8, wide)
    )


def _series(cell: type[nn.RNNBase], width: int) -> Build:
    return lambda parts, wide: Forecaster(cell, parts.train[0].shape[-1], _times(width, wide))


def _bag(words: int) -> Build:
    return lambda parts, wide: Bag(words, _times(24, wide))


def _attentive(words: int, length: int, pooled: bool) -> Build:
    return lambda parts, wide: Attentive(words, length, width=2 * _times(16, wide), pooled=pooled)


def _speller(words: int) -> Build:
    return lambda parts, wide: Speller(words, _times(48, wide))


def _setup(name: str, task: str, read: Callable, net: Build, epochs: int, tags: str, **choices) -> Setup:
    return Setup(name, task, read, net, epochs, tags=frozenset(tags.split()), **choices)


LETTERS = len(rows.LETTERS)
DESCENT = {"optimiser": "sgd", "momentum": 0.9}
PIXELS = divide(255)

# fmt: off
SEEN = [
    _setup("digits-mlp", "classes", rows.digits, _dense((64, 64), 10), 20, "table relu", scaling=divide(16)),
    _setup("cancer-logistic", "binary", rows.cancer, _dense((), 0), 40, "table linear",
           optimiser="sgd", learning_rate=0.1),
    _setup("houses-mlp", "number", rows.houses, _dense((64, 64), 1), 15, "table relu",
           learning_rate=0.005, **DESCENT),
    _setup("wine-tanh", "classes", rows.wine, _dense((32, 32), 3, nn.Tanh), 60, "table tanh", batch=16),
    _setup("fashion-cnn-norm", "classes", rows.fashion, _pictures(10, norm=True), 6, "image relu norm",
           scaling=PIXELS),
    _setup("messages-bag", "binary", rows.messages, _bag(1500), 8, "words padded relu",
           scaling=as_is, learning_rate=3e-3),
    _setup("sunspots-gru", "number", rows.sunspots, _series(nn.GRU, 24), 10, "series recurrent",
           split=by_time, learning_rate=3e-3),
    _setup("letters-transformer", "next", rows.letters, _attentive(LETTERS, 32, pooled=False), 8,
           "words attention dropout", scaling=as_is, learning_rate=1e-2),
]

HELD_OUT = [
    _setup("digits-cnn", "classes", rows.digit_pictures, _pictures(10, norm=False), 12, "image relu",
           scaling=divide(16), learning_rate=5e-3),
    _setup("fashion-tanh", "classes", rows.fashion, _dense((64, 64), 10, nn.Tanh, 0.1), 8,
           "image tanh dropout dense", scaling=PIXELS, learning_rate=0.05, **DESCENT),
    _setup("diabetes-mlp", "number", rows.diabetes, _dense((32,), 1), 30, "table relu", batch=16),
    _setup("penguins-deep", "classes", rows.penguins, _dense((32,) * 5, 3), 40, "table relu deep", batch=16),
    _setup("adult-mlp", "binary", rows.adult, _dense((64,), 0, drop=0.2), 10, "table relu dropout",
           data="adult", learning_rate=0.05, **DESCENT),
    _setup("reviews-transformer", "binary", rows.reviews, _attentive(2000, 24, pooled=True), 4,
           "words padded attention dropout", scaling=as_is, learning_rate=2e-3, data="rt_polarity"),
    _setup("bikes-rnn", "number", rows.bikes, _series(nn.RNN, 32), 10, "series recurrent",
           split=by_time, learning_rate=3e-3, data="bike_sharing"),
    _setup("plays-gru", "next", rows.plays, _speller(LETTERS), 8, "words recurrent",
           scaling=as_is, learning_rate=1e-2, data="tinyshakespeare"),
]
# fmt: on

PROGRAMS = {setup.name: setup for setup in [*SEEN, *HELD_OUT]}
UNSEEN = frozenset(setup.name for setup in HELD_OUT)
