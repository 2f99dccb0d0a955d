"""The vision transformer: a picture is a text whose words are patches (Dosovitskiy et al., 2021; A6).

The picture is cut into square patches; a dense layer makes a vector of each, a learned vector says where
it lay, and one more word, the *class token*, goes in front. Then Transformer blocks, and what the token
has gathered by the end are the features:

    patches ── dense ── + positions ── block ── ... ── block ── norm ── the token's vector
    token ──────────────┘

    name        width  layers  heads    parameters (RGB, 224 x 224, patches of 16 x 16)
    ViT-Ti/16     192      12      3     5,524,416
    ViT-S/16      384      12      6    21,665,664
    ViT-B/16      768      12     12    85,798,656

    trunk = ViT(channels=3, side=32)
    trunk(torch.randn(8, 3, 32, 32)).shape               # (8, 192)

Nothing tells it that neighbouring pixels belong together: it has to see many pictures, or know
others from before, to reach what a convolution knows from the start.

Shapes: B pictures, C channels, H height, W width, T patches and the token, P·P·C values of a patch,
D features.
"""

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from preceptor.models.mlp import dense
from preceptor.models.transformer import TransformerBlock

ACROSS = 8
"""Patches along the side of a small picture; a large one has more, of 16 x 16 pixels."""
SPREAD = 0.02
"""Spread of the first positions, and of the token."""


class ViT(nn.Module):
    """Patches of `patch` x `patch` pixels (by itself an eighth of `side`, at most 16), `layers` blocks.

    Positions are learnt for pictures of `side` x `side` and interpolated for others; zeros at the right
    and the bottom complete the last patches, so no picture is too small.
    """

    def __init__(
        self,
        channels: int,
        side: int,
        *,
        patch: int | None = None,
        width: int = 192,
        layers: int = 12,
        heads: int = 3,
        dropout: float = 0.0,
        generator: Generator | None = None,
    ):
        super().__init__()
        self.width = width
        self.patch, self.across = _grid(side, patch)
        self.enter = dense(channels * self.patch**2, width, generator=generator)
        self.token = nn.Parameter(torch.empty(width).normal_(0, SPREAD, generator=generator))
        places = torch.empty(1 + self.across**2, width).normal_(0, SPREAD, generator=generator)
        self.positions = nn.Parameter(places)
        self.blocks = nn.ModuleList(
            TransformerBlock(width, heads, 4 * width, dropout, generator) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)

    @staticmethod
    def parameter_count(
        channels: int, side: int, *, patch: int | None = None, width: int = 192, layers: int = 12
    ) -> int:
        """A dense layer from a patch; the token; a position for it and each patch; blocks; a norm."""
        patch, across = _grid(side, patch)
        entry = (channels * patch**2 + 1) * width + width + (1 + across**2) * width
        return entry + layers * TransformerBlock.parameter_count(width, 4 * width) + 2 * width

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Features, (B, D)."""
        height, width = x_BCHW.shape[2:]
        whole_BCHW = functional.pad(x_BCHW, (0, -width % self.patch, 0, -height % self.patch))
        patches_BTP = functional.unfold(whole_BCHW, self.patch, stride=self.patch).transpose(1, 2)
        words_BTD = self.enter(patches_BTP)
        token_B1D = self.token.to(words_BTD.dtype).expand(len(words_BTD), 1, -1)
        rows, columns = (size // self.patch for size in whole_BCHW.shape[2:])
        x_BTD = torch.cat([token_B1D, words_BTD], dim=1) + self._places(rows, columns)
        for block in self.blocks:
            x_BTD = block(x_BTD)
        return self.norm(x_BTD)[:, 0]

    def _places(self, rows: int, columns: int) -> Tensor:
        """The token's position and those of a grid of patches, (1 + rows * columns, D)."""
        if rows == columns == self.across:
            return self.positions
        grid_DRC = self.positions[1:].T.reshape(-1, self.across, self.across)
        other_1DRC = functional.interpolate(grid_DRC[None], (rows, columns), mode="bicubic")
        return torch.cat([self.positions[:1], other_1DRC[0].flatten(1).T])


def _grid(side: int, patch: int | None) -> tuple[int, int]:
    """The side of a patch in pixels, and how many lie along a side of the picture."""
    patch = patch or min(-(-side // ACROSS), 16)
    return patch, -(-side // patch)
