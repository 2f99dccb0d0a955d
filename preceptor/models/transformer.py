"""The Transformer encoder: every step looks at every other (textbook A6; Vaswani et al., 2017).

    block = TransformerBlock(64, 4, 256)
    block(torch.randn(8, 20, 64)).shape                  # (8, 20, 64)
    trunk = Transformer(features=32)
    trunk(x_BTF, present_BT).shape                       # (8, 64)

One head of *attention* compares queries with keys and mixes values: softmax(Q Kᵀ / √d) V. A block adds
what attention found, then what a small MLP makes of it; each branch sees its input normalised first
("pre-norm", Xiong et al., 2020), and starts quiet, so that a deep stack begins as the identity.

Laws: absent steps change no present one's answer, wherever they stand; causal, a step never sees a later
one; without positions, the order of steps would make no difference.

Shapes: B rows, T steps, F features, D width, H heads, d = D / H width of a head, E answer's width (= D).
"""

from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from preceptor.models.bag import mean_present
from preceptor.models.mlp import dense

QUIET = 0.1
"""Gain of the last layer of each branch."""
LONGEST_WAVE = 10_000


class Attention(nn.Module):
    """Multi-head attention: each head has queries, keys and values of its own; a dense layer joins them."""

    def __init__(self, width: int, heads: int, *, generator: Generator | None = None):
        super().__init__()
        if width % heads:
            raise ValueError(f"{heads} heads cannot share a width of {width} evenly")
        self.heads = heads
        self.ask = dense(width, 3 * width, generator=generator)
        self.join = dense(width, width, gain=QUIET, generator=generator)

    @staticmethod
    def parameter_count(width: int) -> int:
        """Queries, keys, values and the joining layer, whatever the number of heads."""
        return 4 * width * (width + 1)

    def forward(self, x_BTD: Tensor, sees_BTT: Tensor | None = None) -> Tensor:
        """(B, T, D). `sees_BTT` says which other step (last axis) each step may look at; None: all."""
        q_BHTd, k_BHTd, v_BHTd = self.ask(x_BTD).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mask_B1TT = None if sees_BTT is None else sees_BTT[:, None]
        mixed_BHTd = functional.scaled_dot_product_attention(q_BHTd, k_BHTd, v_BHTd, mask_B1TT)
        return self.join(mixed_BHTd.transpose(1, 2).flatten(2))


class TransformerBlock(nn.Module):
    """x += attention(norm(x)), then x += MLP(norm(x)); `hidden` is the width inside the MLP.

    `dropout` falls on what each branch adds.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        hidden: int,
        dropout: float = 0.0,
        generator: Generator | None = None,
    ):
        super().__init__()
        self.dropout = dropout
        self.before_attention = nn.LayerNorm(width)
        self.attention = Attention(width, heads, generator=generator)
        self.before_mlp = nn.LayerNorm(width)
        self.widen = dense(width, hidden, gain=2**0.5, generator=generator)
        self.narrow = dense(hidden, width, gain=QUIET, generator=generator)

    @staticmethod
    def parameter_count(width: int, hidden: int) -> int:
        """Attention 4D(D + 1), MLP 2D·hidden + hidden + D, two norms of scale and shift 4D."""
        return Attention.parameter_count(width) + 2 * width * hidden + hidden + width + 4 * width

    def forward(self, x_BTD: Tensor, present_BT: Tensor | None = None, causal: bool = False) -> Tensor:
        """(B, T, D). Steps where `present_BT` is False are looked at by none; None: all are there.

        `causal`: a step looks at itself and earlier ones only.
        """
        sees_BTT = visible(x_BTD, present_BT, causal)
        x_BTD = x_BTD + self._dropped(self.attention(self.before_attention(x_BTD), sees_BTT))
        wide_BTH = functional.gelu(self.widen(self.before_mlp(x_BTD)))
        return x_BTD + self._dropped(self.narrow(wide_BTH))

    def _dropped(self, branch_BTD: Tensor) -> Tensor:
        return functional.dropout(branch_BTD, self.dropout, self.training)


def visible(x_BTD: Tensor, present_BT: Tensor | None, causal: bool) -> Tensor | None:
    """Which step (last axis) each step may look at, (B, T, T) bool; None when that is every one.

    Every step sees itself, absent ones too: an empty softmax would not be a number.
    """
    if present_BT is None and not causal:
        return None
    rows, steps = x_BTD.shape[:2]
    every_TT = torch.ones(steps, steps, dtype=torch.bool, device=x_BTD.device)
    sees_BTT = every_TT.expand(rows, -1, -1)
    if present_BT is not None:
        sees_BTT = present_BT[:, None, :] | torch.eye(steps, dtype=torch.bool, device=x_BTD.device)
    return sees_BTT & every_TT.tril() if causal else sees_BTT


class Transformer(nn.Module):
    """A dense layer to the width, positions, a stack of blocks, and the mean of the present steps."""

    def __init__(
        self,
        features: int,
        *,
        width: int = 64,
        layers: int = 2,
        heads: int = 4,
        dropout: float = 0.1,
        generator: Generator | None = None,
    ):
        super().__init__()
        self.width = width
        self.enter = dense(features, width, generator=generator)
        self.blocks = nn.ModuleList(
            TransformerBlock(width, heads, 4 * width, dropout, generator) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)

    @staticmethod
    def parameter_count(features: int, *, width: int = 64, layers: int = 2, **_: Any) -> int:
        """(F + 1)·D to enter, 12D² + 13D a block, 2D for the last norm."""
        blocks = layers * TransformerBlock.parameter_count(width, 4 * width)
        return (features + 1) * width + blocks + 2 * width

    def forward(self, x_BTF: Tensor, present_BT: Tensor) -> Tensor:
        """(B, E); zeros for a row without a present step."""
        x_BTD = self.enter(x_BTF) + positions(present_BT, self.width)
        for block in self.blocks:
            x_BTD = block(x_BTD, present_BT)
        return mean_present(self.norm(x_BTD), present_BT)


def positions(present_BT: Tensor, width: int) -> Tensor:
    """Sines and cosines of each step's number among the present ones, (B, T, D): no parameters.

    Wavelengths rise from 2π to 10,000 · 2π. Absent steps are not counted, so padding moves nobody.
    """
    steps = present_BT.shape[1]
    waves = torch.arange(0, width, 2, device=present_BT.device) / width
    angles_TW = torch.arange(steps, device=present_BT.device)[:, None] / LONGEST_WAVE**waves
    table_TD = torch.stack([angles_TW.sin(), angles_TW.cos()], dim=-1).flatten(1)[:, :width]
    return table_TD[(present_BT.cumsum(dim=1) - 1).clamp(min=0)]
