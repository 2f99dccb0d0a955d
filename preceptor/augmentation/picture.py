"""Pictures as they might also have been taken: moved, mirrored, turned, recoloured, partly hidden.

    augment = Augmenter((3, 32, 32), ("shift", "flip"), seed=0)
    augment(x_BCHW, rows_B, epoch=4)                     # uint8 in, uint8 out

A training set ten times as large would hold such pictures; making them up from those at hand is the
cheapest regulariser there is (B6). What happens to a picture is a pure function of the seed, the
epoch and the picture's own row: not of the batch it is in, nor of what was drawn before.

Shapes: B rows of a batch, C channels, H height, W width, N training pictures.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from preceptor.augmentation.chance import draws, keys
from preceptor.augmentation.mixing import MIXINGS

SHIFT = 1 / 14
"""The farthest move, as a share of the side: two pixels of 28 or 32."""
TURN, ZOOM = math.radians(12), 0.1
"""The farthest turn, and the largest change of size."""
COLOUR = 0.25
"""How far brightness, contrast and saturation stray from 1."""
HIDDEN = 0.35
"""The side of the hidden square, as a share of the picture's."""


PARTNERS = -1
"""The stream from which partners for mixing are drawn; changes have streams from 0 on."""


class Augmenter:
    """Changes pictures of one shape (C, H, W) by the named `changes`, in the order of CHANGES and MIXINGS.

    `pictures` (N, C, H, W), the training set, is needed for mixings alone, whose partners come from it.
    """

    def __init__(
        self, shape: tuple[int, ...], changes: tuple[str, ...], seed: int, *, pictures: Tensor | None = None
    ) -> None:
        self.shape, self.changes, self.seed, self.pictures = shape, changes, seed, pictures
        self._streams = {name: stream for stream, name in enumerate((*CHANGES, *MIXINGS)) if name in changes}

    def __call__(self, x_BCHW: Tensor, rows_B: Tensor, epoch: int) -> Tensor:
        """The pictures, changed; `rows_B` are their rows in the training set, `epoch` counts from 0."""
        x_BCHW = self._changed(x_BCHW, rows_B, epoch)
        for name in MIXINGS.keys() & self._streams.keys():
            others_BCHW = self._others(rows_B, epoch)
            x_BCHW = MIXINGS[name](x_BCHW, others_BCHW, self._keys(rows_B, name), epoch)
        return x_BCHW

    def _changed(self, x_BCHW: Tensor, rows_B: Tensor, epoch: int) -> Tensor:
        """All but mixed."""
        for name, change in CHANGES.items():
            if name in self._streams:
                x_BCHW = change(x_BCHW, self._keys(rows_B, name), epoch)
        return x_BCHW

    def _others(self, rows_B: Tensor, epoch: int) -> Tensor:
        """The pictures to mix with, themselves changed; any of the training set, now and then the same."""
        if self.pictures is None:
            raise ValueError("mixing pictures takes the training set to draw partners from")
        draws_B = draws(keys(rows_B, self.seed, PARTNERS), epoch, 1)[:, 0]
        others_B = (draws_B.double() * len(self.pictures)).long()
        return self._changed(self.pictures[others_B], others_B, epoch)

    def _keys(self, rows_B: Tensor, name: str) -> Tensor:
        return keys(rows_B, self.seed, self._streams[name])


def shift(x_BCHW: Tensor, keys_B: Tensor, epoch: int) -> Tensor:
    """Move by up to SHIFT of the side; what comes in at the edge is the picture's own mirror image."""
    draws_B2, sides = draws(keys_B, epoch, 2), x_BCHW.shape[2:]
    places = []
    for side, draw_B in zip(sides, draws_B2.unbind(1), strict=True):
        farthest = round(SHIFT * side)
        move_B = (draw_B * (2 * farthest + 1)).long() - farthest
        places.append(_reflected(torch.arange(side, device=draw_B.device) + move_B[:, None], side))
    return _gathered(x_BCHW, *places)


def flip(x_BCHW: Tensor, keys_B: Tensor, epoch: int) -> Tensor:
    """Mirror left and right: half of the pictures in one epoch, the other half in the next (Jordan, 2024)."""
    mirrored_B = (draws(keys_B, 0, 1)[:, 0] < 0.5) ^ bool(epoch % 2)
    return torch.where(mirrored_B[:, None, None, None], x_BCHW.flip(3), x_BCHW)


def turn(x_BCHW: Tensor, keys_B: Tensor, epoch: int) -> Tensor:
    """Turn by up to TURN and change the size by up to ZOOM, about the middle of the picture."""
    draws_B2 = 2 * draws(keys_B, epoch, 2) - 1
    angle_B, size_B = TURN * draws_B2[:, 0], torch.exp(ZOOM * draws_B2[:, 1])
    cos_B, sin_B, none_B = size_B * angle_B.cos(), size_B * angle_B.sin(), torch.zeros_like(size_B)
    maps_B23 = torch.stack([cos_B, -sin_B, none_B, sin_B, cos_B, none_B], dim=1).view(-1, 2, 3)
    grid_BHW2 = functional.affine_grid(maps_B23, list(x_BCHW.shape), align_corners=False)
    turned_BCHW = functional.grid_sample(
        x_BCHW.float(), grid_BHW2, padding_mode="reflection", align_corners=False
    )
    return _pixels(turned_BCHW)


def colour(x_BCHW: Tensor, keys_B: Tensor, epoch: int) -> Tensor:
    """Change brightness, contrast and saturation, each by a factor within COLOUR of 1."""
    factors_B3 = 1 + COLOUR * (2 * draws(keys_B, epoch, 3) - 1)
    bright_B, contrast_B, rich_B = factors_B3.view(-1, 3, 1, 1, 1).unbind(1)
    x_BCHW = x_BCHW.float() * bright_B
    x_BCHW = torch.lerp(x_BCHW.mean((1, 2, 3), keepdim=True), x_BCHW, contrast_B)
    return _pixels(torch.lerp(x_BCHW.mean(1, keepdim=True), x_BCHW, rich_B))


def hide(x_BCHW: Tensor, keys_B: Tensor, epoch: int) -> Tensor:
    """Cover a square anywhere with the picture's mean colour (cut-out, DeVries & Taylor, 2017)."""
    draws_B2, sides = draws(keys_B, epoch, 2), x_BCHW.shape[2:]
    inside = []
    for side, draw_B in zip(sides, draws_B2.unbind(1), strict=True):
        inside.append(
            (torch.arange(side, device=draw_B.device) - (draw_B * side).long()[:, None]).abs()
            < HIDDEN * side / 2
        )
    hidden_BHW = inside[0][:, :, None] & inside[1][:, None, :]
    return torch.where(hidden_BHW[:, None], _pixels(x_BCHW.float().mean((2, 3), keepdim=True)), x_BCHW)


CHANGES: dict[str, Callable[[Tensor, Tensor, int], Tensor]] = {
    "shift": shift,
    "flip": flip,
    "turn": turn,
    "colour": colour,
    "hide": hide,
}
"""Every change by name, in the order in which they are made."""


def _reflected(places: Tensor, side: int) -> Tensor:
    """Places beyond either edge, mirrored at it: -1 is 1."""
    last = max(side - 1, 1)
    return (last - (places.remainder(2 * last) - last).abs()).clamp_max(side - 1)


def _gathered(x_BCHW: Tensor, rows_BH: Tensor, columns_BW: Tensor) -> Tensor:
    """Each picture's pixels at its own rows and columns."""
    b, c, h, w = x_BCHW.shape
    places_BHW = rows_BH[:, :, None] * w + columns_BW[:, None, :]
    flat_BCP = places_BHW.view(b, 1, h * w).expand(b, c, h * w)
    return x_BCHW.reshape(b, c, h * w).gather(2, flat_BCP).view(b, c, h, w)


def _pixels(x: Tensor) -> Tensor:
    """Floats as pixels again."""
    return x.round().clamp(0, 255).to(torch.uint8)
