"""What a net's loss is measured by: the best constant answer, and the best rival."""

from collections.abc import Mapping

from preceptor.contest import Candidate, Fold
from preceptor.net import ensemble_loss, judging_metric, starting_output


def constant_loss(fold: Fold) -> float:
    """The validation loss of the best constant answer."""
    target, rows = fold.problem.target, len(fold.goal_held_out)
    output = starting_output(target, fold.truth).expand(rows, 1, -1)
    return float(ensemble_loss(target, 0.0)(output, fold.goal_held_out))


def rival_loss(fold: Fold, candidates: Mapping[str, Candidate], constant: float) -> float | None:
    """The best rival's validation loss in the net's units; None where its scores are no probabilities."""
    metric, task = judging_metric(fold.problem.target), fold.problem.target.task
    marks = {
        name: metric.function(fold.truth_held_out, candidate.scores[fold.rows_held_out], None)
        for name, candidate in candidates.items()
        if name != "net"
    }
    if task == "number":
        return constant * (min(marks.values()) / marks["dumb"]) ** 2 if marks["dumb"] else None
    return min(marks.values()) if metric.name == "log_loss" else None
