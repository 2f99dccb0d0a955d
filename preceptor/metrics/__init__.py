"""The yardsticks: what a score is, over true values and a model's scores (textbook B8).

    metrics = regression_metrics()                       # the first one is the default
    metrics["rmse"].function(truth, scores, None)

Most yardsticks are a function of averages over rows: RMSE is the root of the mean squared error, F1 a
ratio of three counts. They are written down as that, `parts` (N, S) per row and `whole` of their S
means, so that the same two lines serve a plain score, a weighted one and a thousand resamples at
once. The two that rank all rows against each other (ROC AUC, average precision) stand alone.

Shapes: N rows, K classes or tags, S statistics a row. Truth is (N,) floats, (N,) class numbers or
(N, K) 0/1; scores are (N,) in the target's units or (N, K) probabilities, float64.
"""

from preceptor.metrics import averages as a
from preceptor.metrics import ranking as r
from preceptor.metrics.forecasts import forecast_metrics
from preceptor.metrics.metric import Metric, averaged, ranking, share

__all__ = [
    "Metric",
    "forecast_metrics",
    "many_class_metrics",
    "regression_metrics",
    "tag_metrics",
    "two_class_metrics",
]


def regression_metrics(unit: str = "") -> dict[str, Metric]:
    """RMSE, MAE and R² of numbers; `unit` ("dollars") is what the sentences say after the score."""
    off = f"{{score}} {unit}".strip()
    rmse, mae = f"is typically off by {off}", f"is off by {off} on average"
    return _by_name(
        averaged("rmse", "typical error (RMSE)", rmse, a.squared, a.root, unit="target"),
        averaged("mae", "average error (MAE)", mae, a.absolute, a.mean, unit="target"),
        averaged("r2", "variation explained (R²)", "explains {score} of the variation",
                 a.spread, a.r_squared, higher=True),
    )  # fmt: skip


def two_class_metrics() -> dict[str, Metric]:
    """ROC AUC first; class 1 is the one looked for, a row counts as class 1 above one half."""
    return _by_name(
        ranking("roc_auc", "ranking (ROC AUC)", "ranks a random pair the right way round {score} of the time",
                r.roc_auc, r.roc_auc_influence, r.pairs_to_fail_on),
        _accuracy(),
        share("f1", "F1", "finds positives with an F1 of {score}", a.hits, a.f1, a.actual_and_called),
        share("precision", "precision", "is right about {score} of what it finds",
              a.hits, a.precision, a.called),
        share("recall", "recall", "finds {score} of the positive rows", a.hits, a.recall, a.actual),
        ranking("average_precision", "average precision",
                "finds positives with an average precision of {score}",
                r.average_precision, r.average_precision_influence, a.actual),
        _log_loss(),
        averaged("brier", "squared error of the probabilities (Brier)",
                 "gives probabilities with a squared error of {score}", a.brier, a.mean),
    )  # fmt: skip


def many_class_metrics() -> dict[str, Metric]:
    """Accuracy first; the macro metrics weigh every class alike, however rare."""
    return _by_name(
        _accuracy(),
        share("macro_f1", "F1, every class alike", "reaches an F1 of {score}, every class counted alike",
              a.class_hits, a.macro_f1, a.class_trials),
        share("macro_recall", "accuracy, every class alike (macro recall)",
              "finds {score} of the rows of a class, every class counted alike",
              a.class_hits, a.macro_recall, a.class_trials),
        _log_loss(),
    )  # fmt: skip


def tag_metrics() -> dict[str, Metric]:
    """Macro F1 over the tags first; a tag is given above one half."""
    return _by_name(
        share("macro_f1", "F1, every tag alike", "gives tags with an F1 of {score}, every tag counted alike",
              a.tag_hits, a.macro_f1, a.tag_trials),
        share("hamming_accuracy", "tags decided rightly", "decides {score} of all tags rightly",
              a.tags_right, a.mean, a.rows),
        share("micro_f1", "F1, every decision alike", "gives tags with an F1 of {score}",
              a.tag_hits, a.micro_f1, a.tags_actual_and_called),
    )  # fmt: skip


def _by_name(*metrics: Metric) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


def _accuracy() -> Metric:
    return share("accuracy", "accuracy", "is right {score} of the time", a.right, a.mean, a.rows)


def _log_loss() -> Metric:
    return averaged(
        "log_loss", "log loss", "gives probabilities with a log loss of {score}", a.surprise, a.mean
    )
