"""Learning-rate schedules (B5): how large the steps are, as pure functions of progress.

    factor("cosine", progress=0.5, warmup=0.05)     # what to multiply the learning rate by
    plateau = Plateau(); plateau.see(0.31)          # this one alone listens to the validation loss

Progress runs from 0 at the start of training to 1 at its end.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

SHAPES: dict[str, Callable[[float], float]] = {
    "constant": lambda progress: 1.0,
    "step": lambda progress: 0.1 ** math.floor(3 * progress),
    "exponential": lambda progress: 0.01**progress,
    "cosine": lambda progress: 0.5 + 0.5 * math.cos(math.pi * progress),
    "plateau": lambda progress: 1.0,
}
"""Each schedule by name: step goes down tenfold after each third, exponential a hundredfold in all."""


def factor(schedule: str, progress: float, warmup: float = 0.0) -> float:
    """The factor on the learning rate at `progress` in [0, 1).

    It climbs in a straight line from 0 to 1 for the share `warmup` of the training, then follows
    the schedule over the rest.
    """
    if progress < warmup:
        return progress / warmup
    return SHAPES[schedule]((progress - warmup) / (1 - warmup))


@dataclass
class Plateau:
    """Reduce on plateau: when `patience` judgements and one more bring no lower loss, divide by ten.

    The rate that comes out never falls below `floor` (defaults G14).
    """

    factor: float = 0.1
    patience: int = 10
    floor: float = 1e-6
    scale: float = 1.0
    lowest: float = math.inf
    waited: int = 0

    def see(self, loss: float) -> None:
        """Hear the latest validation loss."""
        self.waited = 0 if loss < self.lowest else self.waited + 1
        self.lowest = min(loss, self.lowest)
        if self.waited > self.patience:
            self.scale *= self.factor
            self.waited = 0

    def rate(self, rate: float) -> float:
        """The learning rate now, `rate` being the one at the start."""
        return max(rate * self.scale, min(rate, self.floor))
