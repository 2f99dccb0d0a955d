"""Faults of the loop: each edits a setup in place; `level` says how badly."""

import torch
from torch import Tensor

from benchmarks.doctor.setup import Parts, Rows, Setup
from benchmarks.doctor.wiring_faults import dropped

MOST_STEPS = 1500
TOO_MUCH = (("decay", 0.3), ("dropout", 0.9), ("decay", 3.0))


def rate_times(setup: Setup, level: float) -> None:
    """The learning rate times `level`."""
    setup.learning_rate *= level


def log_of_zero(setup: Setup, level: float) -> None:
    """The logarithm of a probability that has been rounded to zero."""
    binary = setup.task == "binary"

    def loss(output: Tensor, goal: Tensor) -> Tensor:
        if binary:
            right = torch.where(goal > 0.5, output.sigmoid(), 1 - output.sigmoid())
        else:
            right = output.softmax(-1).gather(-1, goal[..., None]).squeeze(-1)
        return -torch.log(right * (right > level)).mean()

    setup.loss = loss


def rate_zero_for_a_while(setup: Setup, level: float) -> None:
    """From a twentieth of the run on, for a share `level` of it, the learning rate is zero."""
    setup.factor = lambda share, step: 0.0 if 0.05 <= share < 0.05 + level else 1.0


def over_regularised(setup: Setup, level: tuple[str, float]) -> None:
    """Weight decay or dropout far too strong."""
    kind, amount = level
    if kind == "dropout":
        dropped(setup, amount)
    else:
        setup.decay = amount


def stops_early(setup: Setup, level: float) -> None:
    """A share `level` of the epochs."""
    setup.epochs = max(1, round(setup.epochs * level))


def tiny_batches(setup: Setup, level: tuple[int, float]) -> None:
    """Batches of one or a few rows, and large steps."""
    size, faster = level
    rows = len(setup.prepare(0).train[0])
    setup.batch = size
    setup.learning_rate *= faster
    setup.epochs = max(1, min(setup.epochs, round(MOST_STEPS * size / rows)))
    if setup.epochs == 1:
        setup.after_split.append(_first(MOST_STEPS * size))


def _first(rows: int):
    def cut(parts: Parts, random: torch.Generator) -> Parts:
        return Parts((parts.train[0][:rows], parts.train[1][:rows]), parts.held, parts.test)

    return cut


def gradients_pile_up(setup: Setup, level: float) -> None:
    """zero_grad is never called."""
    setup.clears_gradients = False


def wrong_mode(setup: Setup, level: str) -> None:
    """Training in evaluation mode, or validation and use in training mode."""
    setup.trains_in_eval = level == "trains in eval"
    setup.validates_in_train = level == "validates in train"


def schedule_per_batch(setup: Setup, level: float) -> None:
    """A factor meant for each epoch is taken at each batch."""
    setup.factor = lambda share, step: level**step


def clipped_to_nothing(setup: Setup, level: float) -> None:
    """Gradients are clipped to a norm that none is ever below."""
    setup.clip = level


def wrong_metric(setup: Setup, level: str) -> None:
    """The metric told to the reader compares with another row's answer, or counts the errors."""
    judge = setup.judge
    if level == "misaligned":
        setup.metric = lambda output, goal: judge(output, goal.roll(len(goal) // 3, 0))[0]
    else:
        setup.metric = lambda output, goal: 1 - judge(output, goal)[0]


def sign_flipped(setup: Setup, level: str) -> None:
    """The loop goes uphill: minus the loss, in the loop or in the criterion itself."""
    if level == "loop":
        setup.sign = -1.0
        return
    loss = setup.loss
    setup.loss = lambda output, goal: -loss(output, goal)


def harmful_augmentation(setup: Setup, level: float) -> None:
    """Noise of `level` standard deviations on every input, in training alone."""

    def noisy(x: Tensor, y: Tensor) -> Rows:
        return x + level * x.std() * torch.randn_like(x), y

    setup.augment = noisy
