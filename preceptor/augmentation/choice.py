"""Which changes of its pictures a training set can bear, and how they look.

    changes = changes_for(x_NCHW)                        # ("shift", "flip")
    strip(Augmenter((3, 32, 32), changes, seed=0), x_NCHW, times=5)

Shapes: N training pictures, S of them shown, T times, C channels, H height, W width, D pixels of a picture.
"""

import torch
from torch import Generator, Tensor

from preceptor.augmentation.picture import Augmenter

COMPARED = 3_000
ALIKE = 0.56
"""Chance alone leaves a set without left and right below this share, in 3,000 pictures and with room."""
SHOWN = 4


def changes_for(x_NCHW: Tensor) -> tuple[str, ...]:
    """Shifts always; flips where left and right mean nothing."""
    return ("shift", "flip") if left_is_right(x_NCHW) else ("shift",)


def left_is_right(x_NCHW: Tensor) -> bool:
    """Whether mirrored pictures look like pictures of the same set.

    If mirroring changes nothing, a picture and its mirror image are equally likely to be the nearer one
    to the pictures of another half of the set: a sign test that needs no classes. It finds 0.50 in photos of
    things and animals, 0.80 in shoes that all point to the left, 0.85 to 0.95 in digits. Sets of
    a few dozen pictures are too small to tell; they are decided by the same rule.
    """
    chosen = torch.randperm(len(x_NCHW), generator=Generator().manual_seed(0))[:COMPARED]
    half = len(chosen) // 2
    if not half:
        return False
    asked_SCHW, others_SD = x_NCHW[chosen[:half]].float(), x_NCHW[chosen[half:]].float().flatten(1)
    plain_S = torch.cdist(asked_SCHW.flatten(1), others_SD).amin(1)
    mirrored_S = torch.cdist(asked_SCHW.flip(3).flatten(1), others_SD).amin(1)
    farther, nearer = (mirrored_S > plain_S).sum(), (mirrored_S < plain_S).sum()
    return bool(farther <= ALIKE * (farther + nearer))


def strip(augment: Augmenter, x_NCHW: Tensor, *, times: int = 5) -> Tensor:
    """A few pictures as they are and as the first epochs see them, (S, 1 + T, C, H, W) uint8."""
    rows_S = torch.linspace(0, len(x_NCHW) - 1, min(SHOWN, len(x_NCHW))).long()
    x_SCHW = x_NCHW[rows_S]
    return torch.stack([x_SCHW, *(augment(x_SCHW, rows_S, epoch) for epoch in range(times))], dim=1)
