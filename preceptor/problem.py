"""The sentence: inputs (kinds) -> tensor -> model -> tensor -> output (a target kind).

    problem = Problem(inputs, target).fit(training_table)
    x = problem.encode(table)                  # Inputs(numbers (N, F), codes (N, C))

Kinds and models never meet elsewhere: a model sees only how many numbers and which code sizes.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from preceptor.data.table import Table
from preceptor.kinds.kind import Kind, Target


class Inputs(NamedTuple):
    """Encoded rows: `numbers` (N, F) float32 and `codes` (N, C) int64; F or C may be 0."""

    numbers: Tensor
    codes: Tensor

    def take(self, rows: Tensor) -> "Inputs":
        """The given rows, in that order."""
        return Inputs(self.numbers[rows], self.codes[rows])


class Problem:
    """Input kinds and a target kind. `fit` learns the inputs' encodings from training rows only.

    The target is fitted by the caller, once, on all rows outside the seal: its units and its list
    of classes are the same in every fold.
    """

    def __init__(self, inputs: list[Kind], target: Target):
        self.inputs = inputs
        self.target = target

    def fit(self, table: Table) -> "Problem":
        """Fit every input kind on the rows of `table`."""
        for kind in self.inputs:
            kind.fit(table.frame[kind.column])
        return self

    def encode(self, table: Table) -> Inputs:
        """Every row of `table` as tensors, columns in the order of `self.inputs`."""
        numbers, codes = [torch.empty(len(table), 0)], [torch.empty(len(table), 0, dtype=torch.int64)]
        for kind in self.inputs:
            (numbers if kind.cardinality is None else codes).append(kind.encode(table.frame[kind.column]))
        return Inputs(torch.cat(numbers, dim=1), torch.cat(codes, dim=1))

    @property
    def features(self) -> int:
        """F, the number of numeric inputs of the model."""
        return sum(kind.width for kind in self.inputs if kind.cardinality is None)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """How many codes each of the C coded inputs has."""
        return tuple(kind.cardinality for kind in self.inputs if kind.cardinality is not None)

    def state(self) -> dict[str, Any]:
        """Everything needed to encode and decode again, as JSON values."""
        return {
            "inputs": [{"kind": kind.name, **kind.state()} for kind in self.inputs],
            "target": {"kind": self.target.name, **self.target.state()},
        }
