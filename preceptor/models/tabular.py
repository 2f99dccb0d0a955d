"""The net for tables: many MLPs that share nearly all weights and answer as one (TabM).

Gorishniy et al., 2024, "TabM: advancing tabular deep learning with parameter-efficient ensembling".
Every member sees the inputs through scales of its own and ends in an output layer of its own; the
layers between are shared. The members are trained at once, each on its own loss, and averaged.

    net = TabularNet(features=8, cardinalities=(5,), outputs=1, start=torch.zeros(1))
    output = net(numbers, codes)                         # (B, members, outputs)
    loss = stack(target.loss(output[:, m], goal) for m in members).mean()

Shapes: B rows, F numbers, C codes, M members, I embedded inputs, H hidden width, K outputs.
"""

import itertools

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from preceptor.models.embedding import Codes, Waves
from preceptor.models.mlp import dense


class TabularNet(nn.Module):
    """Embeddings, a scale for each member and input, shared dense layers, a head for each member.

    `features` counts the numbers, `cardinalities` the codes of each category, `outputs` what the
    target asks for. `embedding` is the width of a number's embedding (0 or 1: the bare number) and
    the cap of a category's. `start` (K,) is the output before training; the heads' weights start at
    zero, so that the first loss is that of the best constant answer.
    """

    def __init__(
        self,
        features: int,
        cardinalities: tuple[int, ...],
        outputs: int,
        *,
        members: int = 16,
        width: int = 256,
        depth: int = 3,
        dropout: float = 0.1,
        embedding: int = 16,
        start: Tensor | None = None,
        generator: Generator | None = None,
    ):
        super().__init__()
        self.dropout = dropout
        self.numbers = Waves(features, embedding, generator=generator) if embedding > 1 else nn.Identity()
        self.codes = Codes(cardinalities, max(embedding, 1), generator=generator)
        inputs = _embedded(features, cardinalities, embedding)
        signs = torch.empty(members, inputs).uniform_(-1, 1, generator=generator).sign()
        self.scale = nn.Parameter(signs)
        sizes = (inputs, *[width] * depth)
        self.hidden = nn.ModuleList(
            dense(before, after, gain=2**0.5, generator=generator)
            for before, after in itertools.pairwise(sizes)
        )
        self.head = nn.Parameter(torch.zeros(members, sizes[-1], outputs))
        start = torch.zeros(outputs) if start is None else start
        self.bias = nn.Parameter(start.expand(members, outputs).clone())

    @staticmethod
    def parameter_count(
        features: int,
        cardinalities: tuple[int, ...],
        outputs: int,
        *,
        members: int = 16,
        width: int = 256,
        depth: int = 3,
        embedding: int = 16,
    ) -> int:
        """Embeddings + scales + shared layers + heads."""
        inputs = _embedded(features, cardinalities, embedding)
        sizes = (inputs, *[width] * depth)
        shared = sum((before + 1) * after for before, after in itertools.pairwise(sizes))
        numbers = Waves.parameter_count(features, embedding) if embedding > 1 else 0
        codes = Codes.parameter_count(cardinalities, max(embedding, 1))
        return numbers + codes + members * inputs + shared + members * (sizes[-1] + 1) * outputs

    def forward(self, numbers_BF: Tensor, codes_BC: Tensor) -> Tensor:
        """Every member's output for every row, (B, M, K)."""
        x_BI = torch.cat([self.numbers(numbers_BF), self.codes(codes_BC)], dim=1)
        a_BMH = x_BI[:, None, :] * self.scale
        for layer in self.hidden:
            a_BMH = functional.dropout(functional.relu(layer(a_BMH)), self.dropout, self.training)
        return torch.einsum("bmh,mhk->bmk", a_BMH, self.head) + self.bias


def _embedded(features: int, cardinalities: tuple[int, ...], embedding: int) -> int:
    """How many inputs a row has after embedding."""
    numbers = features * max(embedding, 1)
    return numbers + sum(Codes.width(codes, max(embedding, 1)) for codes in cardinalities)
