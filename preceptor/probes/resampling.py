"""Would more data help? Is the net too stiff, or too nervous? Answered by training on parts of the rows.

    curve = learning_curve(teach, rows=len(goal), mark=mark)
    parts = bias_variance(teach, rows=len(goal), answer=answer, truth=truth)

`teach(samples)` trains one fresh net on each sample of row numbers and gives them back; since only rows
and seeds differ, they can train together. Textbook P6, P7.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from scipy.optimize import nnls

Teach = Callable[[Sequence[np.ndarray]], Sequence[Any]]

SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
POWERS = np.linspace(0.05, 2.0, 40)
"""Exponents c tried for error = a + b·n^-c; learning curves follow such laws (Hestness et al., 2017)."""
WORTHWHILE = 0.05
"""More data helps when twice as many rows would take this share off the error."""


class LearningCurve(NamedTuple):
    """`points` has the columns rows, draw, error; `doubled` is the error expected from twice the rows.

    `floor` is where the fitted law levels off, `helps` whether doubling is worthwhile.
    """

    points: pl.DataFrame
    now: float
    doubled: float
    floor: float
    helps: bool


def learning_curve(
    teach: Teach,
    *,
    rows: int,
    mark: Callable[[Any], float],
    shares: Sequence[float] = SHARES,
    draws: int = 3,
    seed: int = 0,
) -> LearningCurve:
    """Train on growing random shares of `rows` rows, each `draws` times, and fit a power law.

    `mark(net)` is an error on rows that nobody learns from, smaller is better. ValueError with fewer than
    three sizes.
    """
    sizes = sorted({max(2, round(share * rows)) for share in shares})
    if len(sizes) < 3:
        raise ValueError(f"{rows} rows are too few for three sizes")
    random = np.random.default_rng(seed)
    samples = [random.permutation(rows)[:size] for size in sizes for _ in range(draws)]
    errors = [mark(net) for net in teach(samples)]
    told = {"rows": np.repeat(sizes, draws), "draw": np.tile(np.arange(draws), len(sizes)), "error": errors}
    points = pl.DataFrame(told)
    means = points.group_by("rows").agg(pl.col("error").median()).sort("rows")
    law = _power_law(means["rows"].to_numpy(), means["error"].to_numpy())
    now, doubled = law(rows), law(2 * rows)
    return LearningCurve(points, now, doubled, law(np.inf), now - doubled > WORTHWHILE * now)


def _power_law(rows: np.ndarray, errors: np.ndarray) -> Callable[[float], float]:
    """a + b·n^-c with a, b >= 0, relative errors squared; c by trying."""
    fits = []
    for power in POWERS:
        columns = np.stack([np.ones(len(rows)), (rows / rows[-1]) ** -power], axis=1)
        weights, rest = nnls(columns / errors[:, None], np.ones(len(rows)))
        fits.append((rest, power, *weights))
    _, power, floor, slope = min(fits)
    return lambda n: float(floor + slope * (n / rows[-1]) ** -power)


class BiasVariance(NamedTuple):
    """Expected squared error = `bias` (squared, with the noise that no net can know) + `variance`.

    Of probabilities it is the Brier score's decomposition. `advice` says which one to lower, and how.
    """

    bias: float
    variance: float
    advice: str

    @property
    def error(self) -> float:
        """The expected squared error of one net."""
        return self.bias + self.variance


def bias_variance(
    teach: Teach,
    *,
    rows: int,
    answer: Callable[[Any], np.ndarray],
    truth: np.ndarray,
    resamples: int = 8,
    seed: int = 0,
) -> BiasVariance:
    """Train on bootstrap resamples of the rows and see how far the nets differ from truth and each other.

    `answer(net)` gives (N,) numbers or (N, K) probabilities for rows held out; `truth` has the same shape,
    classes one-hot (Geman, Bienenstock & Doursat, 1992). The variance is the unbiased one.
    """
    random = np.random.default_rng(seed)
    samples = [random.integers(0, rows, rows) for _ in range(resamples)]
    answers = np.stack([answer(net) for net in teach(samples)])
    variance = answers.var(axis=0, ddof=1)
    bias = (answers.mean(axis=0) - truth) ** 2 - variance / resamples
    parts = [float(part.reshape(len(truth), -1).sum(axis=1).mean()) for part in (bias, variance)]
    return BiasVariance(max(parts[0], 0.0), parts[1], _advice(*parts))


def _advice(bias: float, variance: float) -> str:
    """What the textbook would try next."""
    if variance > bias / 2:
        return (
            "Much of the error is that nets taught on other rows answer otherwise: try more rows, more "
            "dropout or weight decay, or a larger ensemble."
        )
    if bias > 4 * variance:
        return (
            "All nets err alike: try a larger net, longer training, or inputs that say more. "
            "What then remains is noise."
        )
    return "Neither stiffness nor nervousness stands out."
