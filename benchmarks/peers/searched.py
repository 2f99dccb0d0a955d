"""What all searches try: four learning rates with four weight decays, on the same five folds."""

import numpy as np

RATES = (3e-4, 1e-3, 3e-3, 1e-2)
DECAYS = (1e-6, 1e-5, 1e-4, 1e-3)
FOLDS = 5


def folds(rows: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The rows to learn from and those held out, fold by fold."""
    places = np.arange(rows)
    return [(np.setdiff1d(places, held_out), held_out) for held_out in np.array_split(places, FOLDS)]
