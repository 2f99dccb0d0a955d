"""How large may the steps be? A range test that survives noise, spikes and NaN (Smith, 2017; textbook V6).

    found = find_learning_rate(net, inputs, goal, loss, plan.training)
    found.rate                                           # confirmed by short runs

The learning rate climbs from far too small to far too large while a copy of the net trains. Where the
smoothed loss falls most steeply lies the suggestion; short runs around it decide, since the end of a range
test says little about many steps at one rate.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn

from preceptor.plan import TrainingPlan
from preceptor.probes.trial import Trial
from preceptor.training.loop import Loss

SKIPPED = 5
"""The first points tell of the start, not of the rate."""
SPIKE, HALF_LIFE = 5, 4.0
"""Smoothing takes the median of so many points, and then forgets half of what it saw in so many."""
ENOUGH = 4.0
"""The test ends where the loss has risen above its lowest by so many times less one what it was at first."""
AROUND = (0.1, 1 / 3, 1.0, 3.0)
"""Rates, as multiples of the steepest point's, that short runs compare."""


class RateRange(NamedTuple):
    """What a range test saw. `rate` is the confirmed learning rate; `steepest` the range test's own.

    `points` has the columns rate, loss, smooth; `runs` the columns rate, loss: each short run's last loss.
    """

    rate: float
    steepest: float
    points: pl.DataFrame
    runs: pl.DataFrame


def find_learning_rate(
    net: nn.Module,
    inputs: Sequence[Tensor],
    goal: Tensor,
    loss: Loss,
    plan: TrainingPlan | None = None,
    *,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 120,
    confirm: int = 60,
    seed: int = 0,
) -> RateRange:
    """Try rates from `low` to `high` in `steps` steps, then runs of `confirm` steps near the best.

    A step whose loss is not a number is not taken, and several of them end the test. The net and
    everybody's random numbers stay as they were. ValueError when no loss is finite.
    """
    plan = plan or TrainingPlan()
    ground = (net, inputs, goal, loss, plan, seed)
    with torch.random.fork_rng(), torch.enable_grad():
        torch.manual_seed(seed)
        points = _climbed(Trial(*ground), np.geomspace(low, high, steps))
        steepest = _steepest(points)
        runs = pl.DataFrame(
            [
                (factor * steepest, _last_loss(Trial(*ground), factor * steepest, confirm))
                for factor in AROUND
            ],
            ["rate", "loss"],
            orient="row",
        )
    finite = runs.filter(pl.col("loss").is_finite()).sort("loss")
    return RateRange(finite["rate"][0] if len(finite) else steepest * AROUND[0], steepest, points, runs)


def _climbed(trial: Trial, rates: np.ndarray) -> pl.DataFrame:
    """Rate, loss and smoothed loss of each step until it leads nowhere; those without a number left out."""
    seen: list[tuple[float, float]] = []
    for place, rate in enumerate(rates):
        value = trial.step(float(rate))
        if math.isfinite(value):
            seen.append((float(rate), value))
        if _leads_nowhere([value for _, value in seen], place + 1 - len(seen)):
            break
    if not seen:
        raise ValueError("the loss is not a finite number at any learning rate")
    points = pl.DataFrame(seen, ["rate", "loss"], orient="row")
    return points.with_columns(pl.Series("smooth", _smoothed(points["loss"])))


def _leads_nowhere(losses: list[float], missing: int) -> bool:
    """Whether the latest losses, a lone spike set aside, are far above the lowest, or hardly any are left."""
    if len(losses) < SPIKE or missing > SPIKE:
        return missing > SPIKE
    return float(np.median(losses[-SPIKE:])) - min(losses) > (ENOUGH - 1) * abs(losses[0])


def _smoothed(losses: pl.Series) -> pl.Series:
    """The median of a few neighbours, which sets spikes aside, then a mean that forgets."""
    middle = losses.rolling_median(SPIKE, center=True, min_samples=1)
    return middle.ewm_mean(half_life=HALF_LIFE, adjust=True)


def _steepest(points: pl.DataFrame) -> float:
    """The rate where the smoothed loss falls most for each doubling of the rate, before its lowest."""
    rates, smooth = points["rate"].to_numpy(), points["smooth"].to_numpy()
    lowest = int(np.argmin(smooth))
    if lowest <= SKIPPED + 1:
        return float(rates[lowest]) / 10
    slope = np.gradient(smooth, np.log(rates))[SKIPPED:lowest]
    return float(rates[SKIPPED + int(np.argmin(slope))])


def _last_loss(trial: Trial, rate: float, steps: int) -> float:
    """The median loss of the last quarter of a short run; infinite when it breaks."""
    losses = [trial.step(rate) for _ in range(steps)]
    last = float(np.median(losses[-max(1, steps // 4) :]))
    return last if math.isfinite(last) else math.inf
