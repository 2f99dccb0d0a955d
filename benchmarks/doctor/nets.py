"""The nets of the bench, as a stranger would write them: plain torch.nn, nothing of preceptor's.

N rows, T steps, F inputs a step, V different tokens, D width.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


def perceptron(
    sizes: Sequence[int], act: type[nn.Module] = nn.ReLU, *, dropout: float = 0.0
) -> nn.Sequential:
    """Linear layers of these sizes with `act`, and dropout if asked for, between them."""
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), act(), *([nn.Dropout(dropout)] if dropout else [])]
    end = -2 if dropout else -1
    return nn.Sequential(*layers[:end])


def convolutions(shape: Sequence[int], classes: int, *, norm: bool, width: int = 8) -> nn.Sequential:
    """Two convolutions with pooling and a linear layer, for pictures of `shape` (channels, height, width)."""

    def block(before: int, after: int) -> list[nn.Module]:
        normed = [nn.BatchNorm2d(after)] if norm else []
        return [nn.Conv2d(before, after, 3, padding=1), *normed, nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)]

    body = nn.Sequential(*block(shape[0], width), *block(width, 2 * width), nn.Flatten())
    with torch.no_grad():
        inputs = body.eval()(torch.zeros(1, *shape)).shape[1]
    return nn.Sequential(*body.train(), nn.Linear(inputs, classes))


class Bag(nn.Module):
    """The mean of the words' embeddings, then a small perceptron: (N, T) int -> (N,)."""

    def __init__(self, words: int, width: int, *, masked: bool = True):
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        self.head = perceptron((width, max(width, 1), 1))
        self.masked = masked

    def forward(self, x: Tensor) -> Tensor:
        vectors = self.embedding(x)
        mask = (x > 0).float() if self.masked else torch.ones_like(x, dtype=torch.float32)
        mean = (vectors * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        return self.head(mean).squeeze(-1)


class Forecaster(nn.Module):
    """A recurrent layer and a linear one on its last state: (N, T, F) -> (N, 1).

    `remembers=False` cuts the way back in time after one step; `batch_first=False` takes rows for steps.
    """

    def __init__(self, cell: type[nn.RNNBase], inputs: int, width: int, *, remembers: bool = True):
        super().__init__()
        self.cell = cell(inputs, width, batch_first=True)
        self.head = nn.Linear(width, 1)
        self.remembers = remembers

    def forward(self, x: Tensor) -> Tensor:
        if self.remembers:
            return self.head(self.cell(x)[0][:, -1])
        with torch.no_grad():
            state = self.cell(x[:, :-1])[1]
        return self.head(self.cell(x[:, -1:], state)[0][:, -1])


class Speller(nn.Module):
    """Embedding, GRU, and at each place a guess of the next character: (N, T) int -> (N, T, V)."""

    def __init__(self, letters: int, width: int):
        super().__init__()
        self.embedding = nn.Embedding(letters, 24)
        self.cell = nn.GRU(24, width, batch_first=True)
        self.head = nn.Linear(width, letters)
        self.remembers = True

    def forward(self, x: Tensor) -> Tensor:
        vectors = self.embedding(x)
        if self.remembers:
            return self.head(self.cell(vectors)[0])
        states, state = [], None
        for step in vectors.split(1, dim=1):
            out, state = self.cell(step, state)
            state = state.detach()
            states.append(out)
        return self.head(torch.cat(states, 1))


class Attentive(nn.Module):
    """A small transformer encoder: (N, T) int -> (N, T, V), or (N,) when `tokens` are pooled.

    `causal` hides the future from each place, `masked` hides the padding (number 0).
    """

    def __init__(self, words: int, length: int, *, width: int = 32, layers: int = 1, pooled: bool = False):
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        self.place = nn.Parameter(0.02 * torch.randn(length, width))
        layer = nn.TransformerEncoderLayer(
            width, 2, 2 * width, dropout=0.1, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Linear(width, 1 if pooled else words)
        self.causal, self.masked, self.pooled = not pooled, pooled, pooled

    def forward(self, x: Tensor) -> Tensor:
        future = nn.Transformer.generate_square_subsequent_mask(x.shape[1]) if self.causal else None
        padding = torch.zeros(x.shape).masked_fill(x == 0, -1e9) if self.masked else None
        states = self.encoder(self.embedding(x) + self.place, mask=future, src_key_padding_mask=padding)
        if not self.pooled:
            return self.head(states)
        mask = (x > 0).float() if self.masked else torch.ones_like(x, dtype=torch.float32)
        mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        return self.head(mean).squeeze(-1)
