"""Two pictures in one: the goal stays the first's, and yet the net learns what both are.

Mixup (Zhang et al., 2018) blends two pictures with share λ, cutmix (Yun et al., 2019) pastes a window of
one into the other, and both ask for goals blended alike. A loss that is linear in the goal, such as
cross-entropy, has the same mean if the goal is that of one picture drawn with chance λ (Huszár, 2017): and
since either of a pair may be called the first, that is to keep the first's goal and draw its share from the
density 2λ, the root of a uniform number, instead of evenly.

    mixed = blend(x_BCHW, others_BCHW, keys_B, epoch=4)

Shapes: B pictures of a batch, C channels, H height, W width.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from preceptor.augmentation.chance import draws

Mixing = Callable[[Tensor, Tensor, Tensor, int], Tensor]


def blend(x_BCHW: Tensor, others_BCHW: Tensor, keys_B: Tensor, epoch: int) -> Tensor:
    """Each picture shining through another: its share is large more often than small."""
    share_B = draws(keys_B, epoch, 1)[:, 0].sqrt()[:, None, None, None]
    return torch.lerp(others_BCHW.float(), x_BCHW.float(), share_B).round().to(torch.uint8)


def paste(x_BCHW: Tensor, others_BCHW: Tensor, keys_B: Tensor, epoch: int) -> Tensor:
    """Each picture with a window into another: what it keeps of its area is large more often than small."""
    draws_B3, sides = draws(keys_B, epoch, 3), x_BCHW.shape[2:]
    window_B = (1 - draws_B3[:, 0].sqrt()).sqrt()
    within = []
    for side, draw_B in zip(sides, draws_B3[:, 1:].unbind(1), strict=True):
        start_B = draw_B * (1 - window_B) * side
        places = torch.arange(side, device=draw_B.device) + 0.5
        within.append((places >= start_B[:, None]) & (places < (start_B + window_B * side)[:, None]))
    window_BHW = within[0][:, :, None] & within[1][:, None, :]
    return torch.where(window_BHW[:, None], others_BCHW, x_BCHW)


MIXINGS: dict[str, Mixing] = {"mix": blend, "cutmix": paste}
"""Both by name."""
