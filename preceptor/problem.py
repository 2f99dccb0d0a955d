"""The sentence: inputs (kinds) -> tensor -> model -> tensor -> output (a target kind).

    problem = Problem(inputs, target).fit(training_table)
    x = problem.encode(table)                  # Inputs: numbers (N, F), codes (N, C), and the further
    net(*x.tensors)

Kinds and models never meet elsewhere: a model sees only the shapes of the encodings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from preceptor.data.table import Table
from preceptor.kinds.kind import Kind, Target
from preceptor.shapes import Shape


@dataclass(frozen=True)
class Inputs:
    """Encoded rows: `numbers` (N, F) float32 and `codes` (N, C) int64; F or C may be 0.

    `further` holds one tensor (N, ...) for each picture, text or series among the inputs.
    """

    numbers: Tensor
    codes: Tensor
    further: tuple[Tensor, ...] = ()

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """What a net takes, in this order."""
        return (self.numbers, self.codes, *self.further)

    def take(self, rows: Tensor) -> "Inputs":
        """The given rows, in that order."""
        return Inputs(self.numbers[rows], self.codes[rows], tuple(part[rows] for part in self.further))

    def to(self, device: torch.device) -> "Inputs":
        """The same rows on a device; where they are there already, they are not copied."""
        numbers, codes, *further = (part.to(device) for part in self.tensors)
        return Inputs(numbers, codes, tuple(further))

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True)
class Loan:
    """What an earlier run lends to a column: its fitted kind, its encoder's options and weights."""

    kind: Kind
    options: dict[str, Any]
    weights: dict[str, Tensor]


class Problem:
    """Input kinds and a target kind. `fit` learns the inputs' encodings from training rows only.

    The target is fitted by the caller, once, on all rows outside the seal: its units and its list
    of classes are the same in every fold. Where an earlier run has lent (`loans`, by column), its kind
    stands for the column's own and is not fitted again.
    """

    def __init__(self, inputs: list[Kind], target: Target, loans: Mapping[str, Loan] | None = None):
        self.loans = loans or {}
        self.inputs = [self.loans[one.column].kind if one.column in self.loans else one for one in inputs]
        self.target = target

    def fit(self, table: Table) -> "Problem":
        """Fit every input kind of its own on the rows of `table`."""
        for kind in self.inputs:
            if kind.column not in self.loans:
                kind.fit(table.frame[kind.column])
        return self

    def encode(self, table: Table) -> Inputs:
        """Every row of `table` as tensors, columns in the order of `self.inputs`."""
        parts: dict[str, list[Tensor]] = {
            "numbers": [torch.empty(len(table), 0)],
            "codes": [torch.empty(len(table), 0, dtype=torch.int64)],
        }
        further: list[Tensor] = []
        for kind in self.inputs:
            encoded = kind.encode(table.frame[kind.column])
            parts.get(kind.shape.family, further).append(encoded)
        return Inputs(torch.cat(parts["numbers"], 1), torch.cat(parts["codes"], 1), tuple(further))

    @property
    def features(self) -> int:
        """F, the number of numeric inputs of the model."""
        return sum(kind.shape.sizes[0] for kind in self.inputs if kind.shape.family == "numbers")

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """How many codes each of the C coded inputs has."""
        return tuple(kind.shape.sizes[0] for kind in self.inputs if kind.shape.family == "codes")

    @property
    def further(self) -> list[Kind]:
        """The kinds of the further tensors, in their order."""
        return [kind for kind in self.inputs if not kind.shape.tabular]

    @property
    def shapes(self) -> list[Shape]:
        """The shapes of the further tensors, in their order."""
        return [kind.shape for kind in self.further]

    @property
    def alone(self) -> bool:
        """Whether there are no numbers and codes beside the further tensors."""
        return all(not kind.shape.tabular for kind in self.inputs)

    def state(self) -> dict[str, Any]:
        """Everything needed to encode and decode again, as JSON values."""
        return {
            "inputs": [{"kind": kind.name, **kind.state()} for kind in self.inputs],
            "target": {"kind": self.target.name, **self.target.state()},
        }
