"""Yardsticks of forecasts: errors over all steps ahead and all series asked for.

    metrics = forecast_metrics(spreads)                  # (K,) the spread of each answer before the seal
    metrics["mse_standardised"].function(truth, scores, None)

Standardised errors are counted in spreads: 1 is what the mean of all times would err. They are the scale of
the public benchmarks (Zhou et al. 2021, "Informer"), and the only one that suits series of several units.

Shapes: N forecasts, K = steps x series; truth and scores are (N, K) in the series' own units.
"""

import numpy as np

from preceptor.metrics.averages import mean, root
from preceptor.metrics.metric import Metric, averaged

Array = np.ndarray


def forecast_metrics(spreads: Array, several: bool) -> dict[str, Metric]:
    """RMSE first where one series is asked for; where they are `several`, whose units differ, spreads."""

    def squared(truth: Array, scores: Array) -> Array:
        return np.square((scores - truth) / spreads).mean(axis=1, keepdims=True)

    def absolute(truth: Array, scores: Array) -> Array:
        return np.abs((scores - truth) / spreads).mean(axis=1, keepdims=True)

    def spread(truth: Array, scores: Array) -> Array:
        """Squared error, and squared distance from each answer's own mean (N, 2)."""
        apart = np.square((truth - truth.mean(axis=0)) / spreads).mean(axis=1, keepdims=True)
        return np.hstack([squared(truth, scores), apart])

    in_spreads = [
        averaged("mse_standardised", "squared error in spreads",
                 "is off by {score} squared spreads", squared, mean),
        averaged("mae_standardised", "average error in spreads", "is off by {score} spreads on average",
                 absolute, mean),
        averaged("r2", "variation explained (R²)", "explains {score} of the variation", spread, _explained,
                 higher=True),
    ]  # fmt: skip
    return {metric.name: metric for metric in (in_spreads if several else [*_in_units(), *in_spreads])}


def _in_units() -> list[Metric]:
    return [
        averaged(
            "rmse", "typical error (RMSE)", "is typically off by {score}", _squared, root, unit="target"
        ),
        averaged(
            "mae", "average error (MAE)", "is off by {score} on average", _absolute, mean, unit="target"
        ),
    ]


def _squared(truth: Array, scores: Array) -> Array:
    return np.square(scores - truth).mean(axis=1, keepdims=True)


def _absolute(truth: Array, scores: Array) -> Array:
    return np.abs(scores - truth).mean(axis=1, keepdims=True)


def _explained(means: Array) -> Array:
    """1 - error / variation; of series that do not vary 1 for perfect forecasts, else 0."""
    error, apart = np.moveaxis(means, -1, 0)
    still = apart <= 1e-300
    return np.where(still, error == 0, 1 - error / np.where(still, 1, apart))
