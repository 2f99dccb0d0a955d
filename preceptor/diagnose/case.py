"""The case before the doctor: what the user gave, what follows from it, and what has been recorded since.

Every symptom is a function of the case, `symptom(case) -> Finding | None`, in a file of its own. All that is
tried, is tried on the case's `mirror`, a copy of the net that gets its weights when it is looked at: the
user's net is only ever read.

Shapes: B probe rows, N rows. Losses are told as shares of the best constant answer's (`share`): 1 is as good
as always the same answer, 0 is the best there is.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from preceptor.diagnose.check import copy_of, sample, sober, undisturbed
from preceptor.diagnose.extremes import LARGEST, dumb_loss, extremes
from preceptor.diagnose.record import Record, Weights
from preceptor.diagnose.rehearsal import Rehearsal, rehearse
from preceptor.diagnose.side_by_side import SideBySide
from preceptor.diagnose.trace import Trace

Loss = Callable[[Tensor, Tensor], Tensor]
PROBED = 128
"""So many rows at most stand for training and for validation whenever the net is looked at."""
FEW, EXACT, LEAST = 16, 4_000, 0.1
"""So many rows tell whether the best output's loss is zero; where it is not, all do, if their outputs are no
more than this. A constant's loss is not taken below this part of the probe's.
"""


class Stepper(Protocol):
    """Any optimiser; one with `param_groups`, as torch's have, can be looked into and tried on a copy."""

    def step(self, *given: Any) -> Any:
        """Move the weights."""


class Rows(NamedTuple):
    """Inputs, a list of tensors (N, ...) that the net takes in this order, and the goal (N, ...)."""

    inputs: list[Tensor]
    goal: Tensor

    @property
    def number(self) -> int:
        """How many rows there are."""
        return len(self.goal)

    @property
    def numbers(self) -> Tensor:
        """The first input of a floating type (N, ...), or else the first."""
        return next((x for x in self.inputs if x.is_floating_point()), self.inputs[0])

    def take(self, rows: Tensor | slice) -> "Rows":
        """Some of the rows."""
        return Rows([x[rows] for x in self.inputs], self.goal[rows])

    def few(self, most: int = PROBED) -> "Rows":
        """At most so many of them, drawn evenly and always the same."""
        return self if self.number <= most else self.take(sample(self.number, most))


def rows_of(given: tuple[Any, Tensor]) -> Rows:
    """(x, y) or ((x₁, x₂), y) as `Rows`."""
    inputs, goal = given
    return Rows([inputs] if isinstance(inputs, Tensor) else list(inputs), goal)


def representative(probe: Rows, train: Rows | None) -> Rows:
    """The probe, or as many training rows where its answers hardly vary, as those of sorted rows do."""
    if train is None or not probe.number:
        return probe
    few = train.few(probe.number)
    spreads = [rows.goal.double().var(unbiased=False) for rows in (probe, few)]
    return few if float(spreads[0]) < LEAST * float(spreads[1]) else probe


def labels_of(rows: Rows) -> Tensor | None:
    """The class of each row (N,), where the goal is that: whole numbers, or zeros and ones."""
    goal = rows.goal.detach()
    if goal.is_floating_point():
        single = goal.numel() == len(goal) and bool(((goal == 0) | (goal == 1)).all())
        return goal.flatten().long() if single and len(goal) else None
    return goal.long() if goal.ndim == 1 and len(goal) else None


@dataclass
class Case:
    """What the doctor knows. `train` falls back on the probe; `steps` is how many are planned."""

    net: nn.Module
    loss: Loss
    probe: Rows
    optimiser: Any = None
    given_train: Rows | None = None
    validation: Rows | None = None
    steps: int | None = None
    frozen: Sequence[str] = ()
    record: Record = field(default_factory=Record)
    _known: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sides = SideBySide(self.loss)
        self.loss = sides.loss
        with undisturbed():
            self.mirror = copy_of(self.net)
        self.mirror.register_forward_hook(sides.hook)
        self.live: Weights = [*self.net.parameters(), *self.net.buffers()]
        self._mirrored = [*self.mirror.parameters(), *self.mirror.buffers()]
        self.start = self.kept()

    def kept(self) -> Weights:
        """A copy of the net's weights as they are now."""
        return [tensor.detach().clone() for tensor in self.live]

    @property
    def train(self) -> Rows:
        """The training rows, or the probe where none were given."""
        return self.given_train or self.probe

    @torch.no_grad()
    def reflect(self, *, first: bool = False, weights: Weights | None = None) -> nn.Module:
        """The mirror, in evaluation mode, with the net's weights of now, those of `first`, or others."""
        for mine, given in zip(self._mirrored, weights or (self.start if first else self.live), strict=True):
            mine.copy_(given)
        self.mirror.zero_grad(set_to_none=True)
        self.mirror.eval()
        for module in self.mirror.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.num_batches_tracked == 0:
                module.train()  # without statistics of its own it is only itself with those of the batch
        return self.mirror

    def copy(self, *, first: bool = True) -> nn.Module:
        """A copy of the net as it was when the watch began, or is now, to be trained and thrown away."""
        return copy_of(self.reflect(first=first))

    @cached_property
    def output(self) -> Tensor:
        """What the untrained net says to the probe (B, ...), dropout at rest."""
        with undisturbed(), torch.no_grad():
            return self.answer(self.reflect(first=True), self.probe)

    def answer(self, net: nn.Module, rows: Rows) -> Tensor:
        """The net's output for these rows."""
        output: Tensor = net(*rows.inputs)
        return output

    @cached_property
    def dumb(self) -> float:
        """The loss of the best constant output on the probe."""
        return self.dumb_on(self.probe)

    @cached_property
    def dumb_held_out(self) -> float:
        """The loss of the best constant output on a few validation rows."""
        return self.dumb_on(self.validation.few()) if self.validation else self.dumb

    def dumb_on(self, rows: Rows) -> float:
        """The loss of the best constant output on these rows."""
        return self.by_row(dumb_loss(rows.goal, self.loss, self.output), rows.number)

    @cached_property
    def floor(self) -> float:
        """The loss of the best output at all, where it can be found; a smoothed label's is above zero."""
        few = self.probe.few(FEW)
        if few.goal.numel() and len(few.goal) * self.output[0].numel() > LARGEST:
            return 0.0
        best, constant = extremes(few.goal, self.loss, self.output)
        if not best:
            return 0.0
        if self.probe.number * self.output[0].numel() <= EXACT:
            exact = extremes(self.probe.goal, self.loss, self.output).best
            return self.by_row(exact, self.probe.number)
        return self.dumb - self.by_row(constant - best, few.number)

    def share(self, loss: float, constant: float | None = None) -> float:
        """A loss as a share of the way from the best output's to a constant one's, the probe's or another.

        Where the best is not zero it is other on other rows, and as far from their constant as the probe's.
        """
        whole = self.dumb - self.floor
        if constant is not None and self.floor:
            return 1 - (constant - loss) / max(whole, 1e-12)
        apart = whole if constant is None else max(constant, LEAST * whole)
        return (loss - self.floor) / max(apart, 1e-12)

    @torch.no_grad()
    def loss_of(self, output: Tensor, goal: Tensor) -> float:
        """The user's loss as a number; a row's share of it, where it is a sum over rows."""
        return self.by_row(float(self.loss(output, goal)), len(goal))

    def by_row(self, value: float, rows: int) -> float:
        """A loss of so many rows, made comparable with that of more or fewer."""
        return value / max(rows, 1) if self.summed else value

    @cached_property
    def summed(self) -> bool:
        """Whether the loss is a sum over rows (`reduction="sum"`): two halves' losses make the whole's."""
        goal, half = self.probe.goal, self.probe.number // 2
        if not half:
            return False
        with torch.no_grad():
            whole = float(self.loss(self.output, goal))
            halves = float(self.loss(self.output[:half], goal[:half]))
            halves += float(self.loss(self.output[half:], goal[half:]))
        return abs(halves - whole) < abs(halves / 2 - whole)

    @cached_property
    def classes(self) -> int | None:
        """How many classes there are; None where the goal is not one class a row."""
        labels = labels_of(self.train)
        return None if labels is None else max(2, int(labels.max()) + 1)

    @property
    def classifies(self) -> bool:
        """Whether each row has one class, and the net an output for each class or one for both."""
        outputs = self.output[0].numel()
        return self.classes is not None and (
            outputs >= 2
            if self.train.goal.ndim == 1 and not self.train.goal.is_floating_point()
            else outputs == 1
        )

    def right(self, output: Tensor, goal: Tensor) -> Tensor:
        """Which rows (B,) are answered with the right class."""
        if output[0].numel() == 1:
            half = 0.5 if self.last in ("sigmoid",) else 0.0
            return (output.flatten() > half) == (goal.flatten() > 0.5)
        return output.reshape(len(output), -1).argmax(1) == goal

    @cached_property
    def trace(self) -> Trace:
        """What the untrained net computes for the probe."""
        net, trace = self.reflect(first=True), Trace()
        with undisturbed(), torch.no_grad(), trace.of(net):
            self.traced = self.answer(net, self.probe)
        return trace

    @property
    def last(self) -> str:
        """The activation that makes the net's output, or empty."""
        return self.trace.last(self.traced)

    def once(self, key: str, ask: Callable[[], Any]) -> Any:
        """What `ask()` says, asked once for this key: what several symptoms share is computed once."""
        if key not in self._known:
            self._known[key] = ask()
        return self._known[key]

    @cached_property
    def rehearsal(self) -> Rehearsal:
        """A copy of the untrained net, dropout at rest, after a few steps on a handful of rows."""
        return rehearse(sober(self.copy()), self.train.inputs, self.train.goal, self.loss)

    def rate(self) -> float:
        """The highest of them; asked at each step, so that one group is not made a list of."""
        groups: Sequence[dict[str, Any]] = getattr(self.optimiser, "param_groups", [])
        rate = groups[0]["lr"] if len(groups) == 1 else max(self.rates(), default=0.0)
        return rate if type(rate) is float else float(rate)

    def rates(self) -> list[float]:
        """The learning rates of the optimiser's groups, where it tells them."""
        groups: Iterable[dict[str, Any]] = getattr(self.optimiser, "param_groups", ())
        return [float(group["lr"]) for group in groups]
