"""Every fault that is injected: its number in the catalogue, how badly, where, and what counts as right.

`ACCEPTED` was written before any run was looked at. A finding is right when its number is the fault's own,
or stands there: where one cause honestly has two names (a start that is too large is both a bad first
guess and a signal that swells). Top-1 asks whether the doctor's first alarm is right.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from benchmarks.doctor import data_faults, loop_faults, wiring_faults
from benchmarks.doctor.setup import Setup
from preceptor.diagnose.catalogue import CATALOGUE

NUMBER = {fault.code: fault.number for fault in CATALOGUE}

ACCEPTED: dict[str, frozenset[int]] = {
    "rows twice before the split": frozenset({7, 8}),
    "last layer too large": frozenset({13, 14}),
    "start too small or large": frozenset({13, 14}),
    "learning rate too high": frozenset({23, 25}),
    "tower of sigmoids": frozenset({26, 14}),
    "recurrent gain too large": frozenset({27, 14}),
    "saturated tanh": frozenset({29, 14}),
    "learning rate zero for a while": frozenset({30, 41}),
    "tiny batches, large steps": frozenset({38, 23}),
}


@dataclass(frozen=True)
class Fault:
    """What is injected. `constructed`: it counts as a fault whether or not the score suffers (leaks,
    duplicates, schedules, metrics); all others must hurt by the stated test.
    """

    name: str
    number: int
    edit: Callable[[Setup, Any], None]
    levels: tuple[Any, ...]
    applies: Callable[[Setup], bool]
    constructed: bool = False

    @property
    def accepted(self) -> frozenset[int]:
        """The catalogue's numbers that count as right."""
        return ACCEPTED.get(self.name, frozenset({self.number}))

    def into(self, setup: Setup, level: int) -> Setup:
        """A copy of the setup with the fault in it; `level` counts from 0, mild first."""
        faulty = setup.copy()
        self.edit(faulty, self.levels[level])
        return faulty

    @property
    def middle(self) -> int:
        """The level of the smoke set."""
        return len(self.levels) // 2


def tagged(*tags: str) -> Callable[[Setup], bool]:
    """Whether a setup has one of the tags."""
    return lambda setup: bool(setup.tags & set(tags))


def tasks(*names: str) -> Callable[[Setup], bool]:
    """Whether it is one of these tasks."""
    return lambda setup: setup.task in names


def anywhere(setup: Setup) -> bool:
    return True


def floats(setup: Setup) -> bool:
    return "words" not in setup.tags


def rows_with_answers(setup: Setup) -> bool:
    """Rows stand for themselves: neither a stretch of a series nor of a text."""
    return setup.task != "next" and "series" not in setup.tags


def hidden(setup: Setup) -> bool:
    return "linear" not in setup.tags


def picture_or_series(setup: Setup) -> bool:
    return "series" in setup.tags or ("image" in setup.tags and "dense" not in setup.tags)


def plain_table(setup: Setup) -> bool:
    return "table" in setup.tags and setup.scaling.__name__ == "standardise"


def narrowable(setup: Setup) -> bool:
    return hidden(setup) and "attention" not in setup.tags


def future(setup: Setup) -> bool:
    return setup.task == "next"


def sgd(setup: Setup) -> bool:
    return setup.optimiser == "sgd"


def perceptrons(setup: Setup) -> bool:
    return bool(setup.tags & {"table", "dense"}) and hidden(setup)


def moody(setup: Setup) -> bool:
    """Dropout or batch normalisation makes a difference between training and use."""
    return bool(setup.tags & {"dropout", "norm"})


d, w, p = data_faults, wiring_faults, loop_faults
# fmt: off
FAULTS = [
    Fault("inputs unscaled", 1, d.unscaled, (0, 30.0, 255.0), floats),
    Fault("inputs scaled twice", 2, d.scaled_twice, (30.0, 255.0, 2000.0), floats),
    Fault("NaN in the inputs", 3, d.not_finite, (0.002, 0.005, 0.02), floats),
    Fault("constant inputs", 4, d.constant, (0.1, 0.4, 0.8), tagged("table")),
    Fault("axes exchanged", 5, d.wrong_axes, (1,), picture_or_series),
    Fault("a rare class", 6, d.rare_class, (0.05, 0.02, 0.01), tasks("classes", "binary")),
    Fault("rows twice before the split", 7, d.twice_before_split, (0.1, 0.3, 0.6), rows_with_answers, True),
    Fault("rows twice in training", 7, d.twice_in_training, (0.1, 0.3, 0.6), rows_with_answers, True),
    Fault("watched rows learnt", 8, d.leaked, (0.1, 0.3, 0.5), anywhere, True),
    Fault("answer among the inputs", 9, d.answer_as_input, (0.3, 0.1, 0.01), tagged("table"), True),
    Fault("equal rows, other answers", 10, d.conflicting, (0.1, 0.3, 0.5), rows_with_answers, True),
    Fault("split along a feature", 11, d.shifted, (1,), rows_with_answers),
    Fault("scaled on all rows", 12, d.scaled_on_all, ("all", "watched"), plain_table, True),
    Fault("last layer too large", 13, w.large_last_layer, (10.0, 30.0, 100.0), anywhere),
    Fault("start too small or large", 14, w.bad_start, (0.1, 0.01, 10.0), hidden),
    Fault("constant start", 15, w.constant_start, (0.05, 0.0), hidden),
    Fault("wrong output activation", 16, w.wrong_output, ("relu", "softmax"), anywhere),
    Fault("loss of another task", 17, w.wrong_loss, ("squared", "absolute"), anywhere),
    Fault("no nonlinearity", 18, w.no_activation, (1,), tagged("relu", "tanh")),
    Fault("input ignored", 20, w.ignored_input, (1,), anywhere),
    Fault("rows of a batch mixed", 21, w.mixed_rows, ("neighbour", "reshape"), anywhere),
    Fault("future seen", 21, w.future_seen, (1,), future, True),
    Fault("body frozen", 22, w.frozen_body, ("frozen", "forgotten"), hidden),
    Fault("learning rate too high", 23, p.rate_times, (10.0, 30.0, 300.0), anywhere),
    Fault("learning rate too low", 24, p.rate_times, (1e-2, 1e-3, 1e-5), anywhere),
    Fault("logarithm of zero", 25, p.log_of_zero, (1e-4, 1e-2, 3e-2), tasks("classes", "binary", "next")),
    Fault("tower of sigmoids", 26, w.sigmoid_tower, (6, 12, 18), perceptrons),
    Fault("recurrent gain too large", 27, w.recurrent_gain, (2.0, 3.0, 6.0), tagged("recurrent")),
    Fault("dead ReLUs", 28, w.dead_start, (-3.0, -5.0, -10.0), tagged("relu")),
    Fault("saturated tanh", 29, w.saturated_start, (5.0, 20.0, 50.0), tagged("tanh")),
    Fault("learning rate zero for a while", 30, p.rate_zero_for_a_while, (0.3, 0.6, 0.9), anywhere),
    Fault("too narrow", 31, w.too_narrow, (0.08, 0.04, 0.01), narrowable),
    Fault("over-regularised", 32, p.over_regularised, p.TOO_MUCH, anywhere),
    Fault("few rows, wide net", 33, d.few_rows, (0.2, 0.1, 0.05), hidden),
    Fault("too few epochs", 34, p.stops_early, (0.3, 0.1, 0.05), anywhere),
    Fault("sorted and not shuffled", 35, d.sorted_unshuffled, (1,), rows_with_answers),
    Fault("wrong labels", 36, d.wrong_labels, (0.1, 0.2, 0.4), rows_with_answers),
    Fault("answers of other rows", 37, d.labels_rolled, (1,), anywhere),
    Fault("tiny batches, large steps", 38, p.tiny_batches, ((4, 5.0), (2, 10.0), (1, 10.0)), anywhere),
    Fault("gradients never cleared", 39, p.gradients_pile_up, (1,), anywhere),
    Fault("wrong mode", 40, p.wrong_mode, ("validates in train", "trains in eval"), moody),
    Fault("schedule by the batch", 41, p.schedule_per_batch, (0.97, 0.9, 0.5), anywhere, True),
    Fault("clipped to nothing", 42, p.clipped_to_nothing, (1e-2, 1e-3, 1e-4), sgd),
    Fault("metric of something else", 43, p.wrong_metric, ("misaligned", "errors"), rows_with_answers, True),
    Fault("sign flipped", 44, p.sign_flipped, ("criterion", "loop"), anywhere),
    Fault("harmful augmentation", 45, p.harmful_augmentation, (1.0, 2.0, 4.0), floats),
    Fault("padding read", 46, w.padding_read, (1,), tagged("padded")),
    Fault("memory cut", 46, w.memory_cut, (1,), tagged("recurrent")),
]
# fmt: on

BY_NAME = {fault.name: fault for fault in FAULTS}


def numbers_of(codes: Iterable[str]) -> list[int]:
    """The catalogue's numbers of the codes, in their order, each once; 0 for a code it does not hold."""
    return list(dict.fromkeys(NUMBER.get(code, 0) for code in codes))
