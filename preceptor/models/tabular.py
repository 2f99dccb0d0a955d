"""The net for tables: it looks up neighbours, and many MLPs that share nearly all weights answer as one.

Three ideas, each measured in LOG.md. *Embeddings* let it draw sharp lines (embedding.py). *Neighbours*
let it ask what became of rows like this one (neighbours.py). *Members* (TabM, Gorishniy et al., 2024):
every member sees the inputs through scales of its own and ends in an output layer of its own, the
layers between are shared; all are trained at once, each on its own loss, and averaged.

    net = TabularNet(features=8, cardinalities=(5,), outputs=1, memory=len(goal))
    net.remember(numbers, codes, goal)                   # the training rows, once, before training
    output = net(numbers, codes)                         # (B, members, outputs)

Shapes: B rows, N training rows, S remembered rows, F numbers, C codes, E columns beside them, M members,
I embedded inputs, H hidden width, K outputs.
"""

import itertools
from typing import Any, Self

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from preceptor.models.embedding import CodeEmbedding, NumberEmbedding
from preceptor.models.mlp import dense
from preceptor.models.neighbours import Neighbours, Recalled

SEEN_AT_ONCE = 3000
"""How many remembered rows a mini-batch is compared with while training."""


class TabularNet(nn.Module):
    """Embeddings, neighbours, a scale for each member and input, shared dense layers, a head a member.

    `features` counts the numbers, `cardinalities` the codes of each category, `outputs` what the
    target asks for. `embedding` is the width of a number's embedding (0 or 1: the bare number) and the
    cap of a category's; `neighbours` the width of the points between which distance is measured, and
    `memory` how many training rows are kept to look among (either 0: none). `beside` counts columns that
    join the embedded ones as they are, such as encoders' vectors. `start` (K,) is the output before
    training: the heads start at zero, so the first loss is that of the best constant answer.
    """

    constants = ("numbers_kept", "codes_kept", "mixers")
    numbers_kept: Tensor
    codes_kept: Tensor
    mixers: Tensor

    def __init__(
        self,
        features: int,
        cardinalities: tuple[int, ...],
        outputs: int,
        *,
        members: int = 8,
        width: int = 128,
        depth: int = 2,
        dropout: float = 0.1,
        embedding: int = 16,
        neighbours: int = 32,
        memory: int = 0,
        beside: int = 0,
        start: Tensor | None = None,
        generator: Generator | None = None,
    ):
        super().__init__()
        self.dropout = dropout
        self.numbers = _waves(features, embedding, generator)
        self.codes = CodeEmbedding(cardinalities, max(embedding, 1), generator=generator)
        inputs = _embedded(features, cardinalities, embedding)
        look = (inputs, neighbours, memory, outputs, generator)
        self.neighbours = Neighbours(*look) if memory and neighbours else None
        self._make_memory(features, len(cardinalities), memory if neighbours else 0)
        inputs += beside + (self.neighbours.width if self.neighbours else 0)
        self.scale = nn.Parameter(torch.empty(members, inputs).uniform_(-1, 1, generator=generator).sign())
        self.hidden = _layers((inputs, *[width] * depth), generator)
        self.head = nn.Parameter(torch.zeros(members, width if depth else inputs, outputs))
        self.bias = nn.Parameter((torch.zeros(outputs) if start is None else start).repeat(members, 1))

    @staticmethod
    def parameter_count(
        features: int,
        cardinalities: tuple[int, ...],
        outputs: int,
        *,
        members: int = 8,
        width: int = 128,
        depth: int = 2,
        embedding: int = 16,
        neighbours: int = 32,
        memory: int = 0,
        beside: int = 0,
    ) -> int:
        """Embeddings + the neighbours' projection + scales + shared layers + heads."""
        count = CodeEmbedding.parameter_count(cardinalities, max(embedding, 1))
        count += NumberEmbedding.parameter_count(features, embedding) if embedding > 1 else 0
        inputs = _embedded(features, cardinalities, embedding)
        if neighbours and memory:
            count += Neighbours.parameter_count(inputs, neighbours)
            inputs += 2 * outputs + neighbours
        inputs += beside
        sizes = (inputs, *[width] * depth)
        shared = sum((before + 1) * after for before, after in itertools.pairwise(sizes))
        return count + members * inputs + shared + members * (sizes[-1] + 1) * outputs

    def _make_memory(self, features: int, codes: int, memory: int) -> None:
        """Empty memory; `settled` is what is known of it once the net learns no more.

        `mixers` turn a row's bits into its key; drawn once, they need no seed.
        """
        self.settled: Recalled | None = None
        self.register_buffer("numbers_kept", torch.zeros(memory, features))
        self.register_buffer("codes_kept", torch.zeros(memory, codes, dtype=torch.int64))
        draw = Generator().manual_seed(0)
        self.register_buffer("mixers", torch.randint(-(2**62), 2**62, (features + codes,), generator=draw))

    @torch.no_grad()
    def remember(self, numbers_NF: Tensor, codes_NC: Tensor, goal: Tensor) -> None:
        """Look at the training rows once, before training; `goal` as the target kind encodes it.

        When there are more rows than `memory`, evenly spaced ones are kept.
        """
        if self.numbers:
            self.numbers.remember(numbers_NF)
        if self.neighbours:
            kept = torch.linspace(0, len(goal) - 1, len(self.numbers_kept)).round().long()
            self.numbers_kept.copy_(numbers_NF[kept])
            self.codes_kept.copy_(codes_NC[kept])
            self.neighbours.remember(goal[kept], self._keys(self.numbers_kept, self.codes_kept))

    def _keys(self, numbers_BF: Tensor, codes_BC: Tensor) -> Tensor:
        """A number (B,) for each row's exact inputs, the same in any batch."""
        bits = (numbers_BF + 0.0).contiguous().view(torch.int32).long()
        return (torch.cat([bits, codes_BC], dim=1) * self.mixers).sum(dim=1)

    def _embed(self, numbers_BF: Tensor, codes_BC: Tensor) -> Tensor:
        """(B, I)"""
        numbers = self.numbers(numbers_BF) if self.numbers else numbers_BF
        return torch.cat([numbers, self.codes(codes_BC)], dim=1)

    def _look_up(self, x_BI: Tensor, keys_B: Tensor) -> Tensor:
        """What became of the rows nearest to each: among a random part of the memory while training."""
        assert self.neighbours is not None
        found: Tensor = self.neighbours(x_BI, self.settled or self._recalled(), keys_B)
        return found

    def _recalled(self) -> Recalled:
        """The memory, or while training a random part of it, under the weights of this moment."""
        assert self.neighbours is not None
        draw, most = (torch.randperm, SEEN_AT_ONCE) if self.training else (torch.arange, None)
        seen_S = draw(len(self.numbers_kept), device=self.numbers_kept.device)[:most]
        x_SI = self._embed(self.numbers_kept[seen_S], self.codes_kept[seen_S])
        return self.neighbours.recalled(x_SI, seen_S)

    @torch.no_grad()
    def settle(self) -> None:
        """The weights change no more: what the memory comes to is computed now, not for each answer.

        Training or moving the net ends it.
        """
        self.eval()
        self.settled = self._recalled() if self.neighbours else None

    def train(self, mode: bool = True) -> Self:
        """As `nn.Module.train`; weights that learn again are settled no more."""
        self.settled = None
        return super().train(mode)

    def _apply(self, *change: Any, **options: Any) -> Self:
        self.settled = None
        return super()._apply(*change, **options)  # type: ignore[no-untyped-call]

    def forward(self, numbers_BF: Tensor, codes_BC: Tensor, beside_BE: Tensor | None = None) -> Tensor:
        """Every member's output for every row, (B, M, K)."""
        x_BI = self._embed(numbers_BF, codes_BC)
        if beside_BE is not None:
            x_BI = torch.cat([x_BI, beside_BE], dim=1)
        if self.neighbours:
            x_BI = torch.cat([x_BI, self._look_up(x_BI, self._keys(numbers_BF, codes_BC))], dim=1)
        a_BMH = x_BI[:, None, :] * self.scale
        for layer in self.hidden:
            a_BMH = functional.dropout(functional.relu(layer(a_BMH)), self.dropout, self.training)
        return torch.einsum("bmh,mhk->bmk", a_BMH, self.head) + self.bias


def _waves(features: int, embedding: int, generator: Generator | None) -> NumberEmbedding | None:
    """What embeds the numbers; None where they are taken as they are, or there are none."""
    return NumberEmbedding(features, embedding, generator=generator) if embedding > 1 and features else None


def _layers(sizes: tuple[int, ...], generator: Generator | None) -> nn.ModuleList:
    """A dense layer between each two neighbouring sizes, for rectifiers."""
    pairs = itertools.pairwise(sizes)
    return nn.ModuleList(dense(*pair, gain=2**0.5, generator=generator) for pair in pairs)


def _embedded(features: int, cardinalities: tuple[int, ...], embedding: int) -> int:
    """How many inputs a row has after embedding."""
    return features * max(embedding, 1) + CodeEmbedding.width(cardinalities, max(embedding, 1))
