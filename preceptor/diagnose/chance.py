"""The net is no better than chance on rows that it has not seen (diagnosis 37).

    min L_validation > 0.98 of the baseline, no longer falling, and no rival that shows more was to be had

Either the inputs say nothing about the answer, or answers and rows have come apart (a file sorted
twice, labels rolled by one). It is not the net's fault when the rivals fail as well.
Source: TheDeepChecker; with a rival as the second key.
"""

from preceptor.diagnose.curve import BARELY, Curve
from preceptor.finding import Finding

EPOCHS = 3


def chance(curve: Curve) -> Finding | None:
    """A validation loss that never comes below the dumb predictor's."""
    early = len(curve.epoch) < EPOCHS or curve.fall > 1e-3
    if curve.lowest <= 1 - BARELY or curve.harmed or early:
        return None
    by_heart = float(curve.train.min()) < 0.5
    return Finding(
        "no-better-than-chance",
        "warning",
        f"On unseen rows the net's best loss is {curve.lowest:.2f} times that of always answering the same"
        + (", though it learns the training rows by heart." if by_heart else "."),
        evidence={
            "best_validation": curve.lowest,
            "best_train": float(curve.train.min()),
            "rival": curve.rival,
        },
        remedy="See whether each answer still belongs to its row; then look for inputs that know more.",
    )
