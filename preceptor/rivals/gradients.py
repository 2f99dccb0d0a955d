"""Hand-made features of pictures: colour histogram and histogram of oriented gradients (textbook C13).

    colours(pictures)                            # (N, 8 C) shares of eight levels of each channel
    oriented_gradients(pictures, cells=7)        # (N, 6, 6, 36), one descriptor a block

Dalal and Triggs, "Histograms of oriented gradients for human detection", 2005: in each cell of pixels the
gradients vote, by their length, for one of nine directions; two by two cells make a block, whose 36 votes
are brought to length 1, cut at 0.2, and brought to length 1 again, so that light and shade matter less.

Shapes: N pictures, C channels, H height, W width, O directions.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

DIRECTIONS, LEVELS = 9, 8

CUT, DARK = 0.2, 1e-2
"""No direction may count for more than a fifth of a block; a block darker than this stays near zero."""

AT_ONCE = 1 << 21
"""Pixels that are worked on at a time."""


def colours(pictures: Tensor) -> Tensor:
    """(N, 8 C) float32: of uint8 pictures (N, C, H, W), the share of pixels in each eighth of a channel."""
    levels = pictures.flatten(2) // (256 // LEVELS)
    return torch.stack([(levels == level).float().mean(2) for level in range(LEVELS)], 2).flatten(1)


def oriented_gradients(pictures: Tensor, cells: int) -> Tensor:
    """(N, h, w, 36) float32 of uint8 pictures (N, C, H, W): about so many cells on the shorter side.

    h and w are one less than the cells along the height and the width.
    """
    size = max(1, min(pictures.shape[2:]) // cells)
    some = max(1, AT_ONCE // pictures[0].numel())
    return torch.cat([_blocks(part.float() / 255, size) for part in torch.split(pictures, some)])


def _blocks(x_NCHW: Tensor, size: int) -> Tensor:
    """Blocks of two by two cells of so many pixels: brought to length 1, cut, and to length 1 again."""
    cells_NOHW = functional.avg_pool2d(_votes(x_NCHW), size, ceil_mode=True)
    if min(cells_NOHW.shape[2:]) < 2:  # too small for a block of cells: the edge stands in for the rest
        short_H, short_W = (max(0, 2 - side) for side in cells_NOHW.shape[2:])
        cells_NOHW = functional.pad(cells_NOHW, (0, short_W, 0, short_H), mode="replicate")
    blocks = cells_NOHW.unfold(2, 2, 1).unfold(3, 2, 1).permute(0, 2, 3, 1, 4, 5).flatten(3)
    return _length_one(_length_one(blocks).clamp_(max=CUT))


def _length_one(blocks: Tensor) -> Tensor:
    return blocks / (blocks.square().sum(-1, keepdim=True) + DARK**2).sqrt()


def _votes(x_NCHW: Tensor) -> Tensor:
    """(N, O, H, W): each pixel's gradient, of its strongest channel, shared by the two nearest directions."""
    padded = functional.pad(x_NCHW, (1, 1, 1, 1), mode="replicate")
    across = padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]
    down = padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]
    length, channel = (across.square() + down.square()).max(1, keepdim=True)
    across, down = across.gather(1, channel), down.gather(1, channel)
    place = torch.atan2(down, across).remainder(math.pi) * (DIRECTIONS / math.pi)
    first = place.floor()
    length, share = length.sqrt(), place - first
    first = first.long() % DIRECTIONS  # a half turn more, rounded up, is the first direction again
    votes = x_NCHW.new_zeros(len(x_NCHW), DIRECTIONS, *x_NCHW.shape[2:])
    votes.scatter_(1, first, length * (1 - share))
    return votes.scatter_(1, (first + 1) % DIRECTIONS, length * share)
