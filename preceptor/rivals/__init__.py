"""The dumb and the classical predictors that a net must beat to earn its place (textbook C1-C10).

for recipe in rivals_for("number", rows=16_512):
    Rival(recipe, "number", outputs=1).fit(inputs, truth, seed=0).predict(inputs)
"""

import math
import time

import numpy as np
import torch

from preceptor.problem import Inputs
from preceptor.rivals.book import RECIPES, rivals_for
from preceptor.rivals.recipes import MOST_CATEGORIES, Recipe
from preceptor.rivals.rival import Rival

__all__ = ["RECIPES", "Recipe", "Rival", "affordable_rows", "rivals_for"]


# One-hot rows are written out in full: 4 bytes a cell, and a copy or two.
MOST_CELLS = 150_000_000


def affordable_rows(
    recipe: Recipe,
    task: str,
    outputs: int,
    inputs: Inputs,
    truth: np.ndarray,
    seconds: float,
    most_cells: int = MOST_CELLS,
) -> int:
    """How many of the rows the rival can learn from, and answer a quarter as many, in so many seconds.

    Measured on growing samples and drawn out along their power law; 0 when a thousand rows do not fit.
    Nor more than `most_cells` hold once categories are written out one-hot.
    """

    def measured(size: int) -> float:
        few, began = torch.from_numpy(order[:size]), time.perf_counter()
        rival = Rival(recipe, task, outputs).fit(inputs.take(few), truth[few], seed=0)
        rival.predict(inputs.take(few[: 1 + size // 4]))
        return time.perf_counter() - began

    as_they_are = recipe.sees_codes or recipe.reads is not None
    most = len(truth) if as_they_are else min(len(truth), most_cells // _width(inputs))
    order = np.random.default_rng(0).permutation(len(truth))
    tiny, small, large = min(most, 100), min(most, 1_000), min(most, 4_000)
    if measured(tiny) > seconds and measured(tiny) > seconds:  # twice: the first fit of a kind also imports
        return 0
    first = measured(small)
    if first > seconds or first * (most / small) ** 2 <= seconds:
        return most if first <= seconds else 0
    second = measured(large)
    power = min(max(math.log(second / first) / math.log(large / small), 1.0), 2.0)
    return max(small, min(most, int(large * (seconds / second) ** (1 / power))))


def _width(inputs: Inputs) -> int:
    """The columns of a one-hot row."""
    sizes = inputs.codes.max(dim=0).values + 1 if len(inputs.codes) else torch.zeros(0)
    return max(1, inputs.numbers.shape[1] + int(sizes.clamp(max=MOST_CATEGORIES).sum()))
