"""Healthy trainings, plain ones and look-alikes: what today's rules take for a fault, and is none.

A look-alike counts as healthy only where it does not hurt by the same test by which a fault must hurt.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.doctor import data_faults, wiring_faults
from benchmarks.doctor.faults import anywhere, floats, hidden, moody, rows_with_answers, tagged, tasks
from benchmarks.doctor.loop import train
from benchmarks.doctor.setup import Parts, Random, Rows, Setup


@dataclass(frozen=True)
class Control:
    """A change that does no harm."""

    name: str
    edit: Callable[[Setup], None]
    applies: Callable[[Setup], bool] = anywhere

    def into(self, setup: Setup) -> Setup:
        """A copy of the setup, changed."""
        changed = setup.copy()
        self.edit(changed)
        return changed


def plain(setup: Setup) -> None:
    """Nothing is changed."""


def much_dropout(setup: Setup) -> None:
    """Half of the units rest: validation beats training."""
    wiring_faults.dropped(setup, 0.5)
    setup.epochs = round(1.5 * setup.epochs)


def sparse_units(setup: Setup) -> None:
    """Biases a little below zero: most ReLU outputs are zero, no unit is dead."""
    wiring_faults.dead_start(setup, -0.3)


def warm_restarts(setup: Setup) -> None:
    """The learning rate falls along a cosine and starts again, three times."""
    setup.factor = lambda share, step: 0.5 + 0.5 * math.cos(math.pi * (3 * share % 1))


def cosine_to_zero(setup: Setup) -> None:
    """The learning rate ends at zero with the run."""
    setup.learning_rate *= 1.5
    setup.factor = lambda share, step: 0.5 + 0.5 * math.cos(math.pi * share)


def large_rate_with_norm(setup: Setup) -> None:
    """Batch normalisation bears steps five times as large."""
    setup.learning_rate *= 5


def weighted_imbalance(setup: Setup) -> None:
    """One class has a third of its rows, and three times the weight."""
    data_faults.rare_class(setup, 1 / 3)
    if setup.task == "binary":
        setup.loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(3.0))
    else:
        setup.loss = _weighted


def _weighted(output: Tensor, goal: Tensor) -> Tensor:
    weights = torch.ones(output.shape[-1])
    weights[1] = 3.0
    return functional.cross_entropy(output, goal, weights)


def smoothed_labels(setup: Setup) -> None:
    """Label smoothing keeps the loss from ever reaching zero."""
    setup.loss = nn.CrossEntropyLoss(label_smoothing=0.1)


def far_values(setup: Setup) -> None:
    """A standardised column whose tail reaches beyond ten standard deviations."""

    def stretch(parts: Parts, random: Random) -> Parts:
        def append(x: Tensor) -> Tensor:
            tail = torch.randn(len(x), 1, generator=random) ** 5
            return torch.cat([x, (tail / 30).clamp(-12, 12)], 1)

        return parts.map_inputs(append)

    setup.after_scaling.append(stretch)


def momentum_descent(setup: Setup) -> None:
    """SGD with momentum at 0.05 instead of Adam."""
    setup.optimiser, setup.momentum, setup.learning_rate = "sgd", 0.9, 0.05
    setup.epochs = round(1.5 * setup.epochs)


def slow_and_long(setup: Setup) -> None:
    """A third of the learning rate, three times the epochs."""
    setup.learning_rate /= 3
    setup.epochs *= 3


def frozen_backbone(setup: Setup) -> None:
    """A net that has learnt gets a new last layer, and only that is trained; the user says so."""
    base = setup.copy()

    def lend(seed: int) -> nn.Module:
        return train(base, seed).net

    ready = functools.cache(lend)

    def borrow(net: nn.Module) -> nn.Module:
        net.load_state_dict(ready(torch.initial_seed()).state_dict())
        head = wiring_faults.last_linear(net)
        head.reset_parameters()
        wiring_faults.freeze_body(net)
        return net

    setup.net_edits.append(borrow)
    setup.frozen = _body(setup)
    setup.learning_rate *= 3


def _body(setup: Setup) -> tuple[str, ...]:
    net = setup.build(setup.prepare(0))
    ours = set(wiring_faults.last_linear(net).parameters())
    return tuple(name for name, parameter in net.named_parameters() if parameter not in ours)


def clipped_warmup(setup: Setup) -> None:
    """A warm-up of a tenth of the run, and gradients clipped to one."""
    setup.clip = 1.0
    setup.factor = lambda share, step: min(1.0, 10 * share + 0.02)


def offset_target(setup: Setup) -> None:
    """The target keeps its mean of twenty spreads; the last bias starts there."""

    def lift(parts: Parts, random: Random) -> Parts:
        return Parts(*((x, y + 20) for x, y in (parts.train, parts.held, parts.test)))

    setup.after_scaling.append(lift)
    wiring_faults._edit(setup, lambda net: wiring_faults.last_linear(net).bias.fill_(20.0))


def unshuffled(setup: Setup) -> None:
    """Rows in a random order that never changes."""
    setup.shuffle = False


def constant_columns(setup: Setup) -> None:
    """Two columns of ones among many that tell something."""
    setup.after_scaling.append(
        lambda parts, random: parts.map_inputs(lambda x: torch.cat([x, torch.ones(len(x), 2)], 1))
    )


def few_twins(setup: Setup) -> None:
    """One training row in a hundred stands twice."""
    data_faults.twice_in_training(setup, 0.01)


def small_batches(setup: Setup) -> None:
    """Batches of eight and a smaller rate."""
    setup.batch, setup.learning_rate = 8, setup.learning_rate / 3
    setup.epochs = max(2, setup.epochs // 2)


def mild_decay(setup: Setup) -> None:
    """AdamW with a decay of 0.01."""
    setup.optimiser, setup.decay = "adamw", 0.01
    setup.learning_rate = min(setup.learning_rate, 3e-3)


def accumulated(setup: Setup) -> None:
    """Two bites make one step: gradients are added on purpose."""
    setup.accumulate = 2


def mild_noise(setup: Setup) -> None:
    """Inputs are shaken a little in training."""

    def shaken(x: Tensor, y: Tensor) -> Rows:
        return x + 0.1 * x.std() * torch.randn_like(x), y

    setup.augment = shaken


def few_watched(setup: Setup) -> None:
    """Only thirty rows are watched: the validation loss is noisy."""
    setup.after_split.append(
        lambda parts, random: Parts(parts.train, (parts.held[0][:30], parts.held[1][:30]), parts.test)
    )


def learns_long(setup: Setup) -> None:
    """Twice the epochs: the training loss is next to nothing in the end."""
    setup.epochs *= 2


def wide_net(setup: Setup) -> None:
    """Twice as wide."""
    setup.width = 2.0


def adam(setup: Setup) -> bool:
    return setup.optimiser == "adam" and "norm" not in setup.tags and "attention" not in setup.tags


CONTROLS = [
    Control("plain", plain),
    Control("much dropout", much_dropout, tagged("relu", "tanh")),
    Control("sparse units", sparse_units, tagged("relu")),
    Control("warm restarts", warm_restarts),
    Control("cosine to zero", cosine_to_zero),
    Control("large rate with norm", large_rate_with_norm, tagged("norm")),
    Control("weighted imbalance", weighted_imbalance, tasks("classes", "binary")),
    Control("smoothed labels", smoothed_labels, tasks("classes")),
    Control("far values", far_values, tagged("table")),
    Control("momentum descent", momentum_descent, lambda setup: adam(setup) and "table" in setup.tags),
    Control("slow and long", slow_and_long),
    Control("frozen backbone", frozen_backbone, hidden),
    Control("clipped warm-up", clipped_warmup),
    Control("offset target", offset_target, tasks("number")),
    Control("unshuffled", unshuffled, rows_with_answers),
    Control("constant columns", constant_columns, tagged("table")),
    Control("few twins", few_twins, rows_with_answers),
    Control("small batches", small_batches),
    Control("mild decay", mild_decay, lambda setup: setup.optimiser == "adam"),
    Control("two bites a step", accumulated, lambda setup: not moody(setup)),
    Control("mild noise", mild_noise, floats),
    Control("few watched", few_watched),
    Control("learns long", learns_long),
    Control("wide net", wide_net, hidden),
]
CONTROL = {control.name: control for control in CONTROLS}
