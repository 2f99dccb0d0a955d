"""ResNeXt: a bottleneck split into many narrow paths (Xie et al., 2017; textbook A4).

    x ─┬─ 1x1 ── relu ── 3x3 in 32 groups ── relu ── 1x1 ── + ─
       └────────────────────── shortcut ────────────────────┘

Thirty-two groups of 4 channels cost about what 64 undivided channels do, and can look for more kinds of
things: besides depth and width a net has a third size, its *cardinality*.

    depth    blocks a stage    groups x channels    features    parameters (RGB)
       50    3  4  6  3             32 x 4             2048       22,979,904
      101    3  4 23  3             32 x 4             2048       42,128,704

    trunk = ResNeXt(channels=3, depth=50, small=True)
    trunk(torch.randn(8, 3, 32, 32)).shape               # (8, 2048)
"""

from functools import partial

from torch import Generator

from preceptor.models.resnet import BLOCKS, Design, ResidualNet, bottleneck, stages


class ResNeXt(ResidualNet):
    """ResNet's bottlenecks (`depth` 50, 101 or 152) with `groups` of `each` channels in the first stage.

    Every later stage doubles the channels of a group. `small` as for ResNet.
    """

    def __init__(
        self,
        channels: int,
        depth: int = 50,
        *,
        groups: int = 32,
        each: int = 4,
        small: bool = False,
        generator: Generator | None = None,
    ):
        super().__init__(_design(channels, depth, groups, each, small), generator)

    @staticmethod
    def parameter_count(
        channels: int, depth: int = 50, *, groups: int = 32, each: int = 4, small: bool = False
    ) -> int:
        """As ResNet's, the 3 x 3 windows seeing only the channels of their group."""
        return _design(channels, depth, groups, each, small).parameter_count()


def _design(channels: int, depth: int, groups: int, each: int, small: bool) -> Design:
    layers = stages(BLOCKS[depth], 64, groups * each, 256, partial(bottleneck, groups=groups))
    return Design(channels, list(layers), small, "projection")
