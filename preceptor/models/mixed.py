"""The net for rows that hold pictures, words or series, alone or beside numbers and categories.

Every such input has an encoder that turns it into a vector; the vectors join the embedded numbers and
categories, and the tabular net's layers answer from all of them together.

    encoders = {"photo": {"family": "picture", "sizes": (3, 32, 32), "trunk": "lenet"}}
    net = MixedNet(encoders, features=8, cardinalities=(5,), outputs=1)
    net.remember(numbers, codes, photos, goal)           # the training rows, once, before training
    net(numbers, codes, photos)                          # (B, members, outputs)

An encoder is found by the family of shapes it reads, among the entry points of the group
"preceptor.encoders", preceptor's own among them: a new kind of input needs its kind and one encoder.

Shapes: B rows, N training rows, F numbers, C codes, E width of all vectors, M members, K outputs.
"""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Self

import torch
from torch import Generator, Tensor, nn

from preceptor.errors import Mistake
from preceptor.models.tabular import TabularNet

Options = Mapping[str, Any]


class MixedNet(nn.Module):
    """An encoder for each further input, and a tabular net over what they say.

    `encoders` maps each further column to its shape's `family` and `sizes` and the encoder's own options;
    with `frozen` it does not learn any more.
    `head` are the tabular net's other arguments. One that reads nothing but a single picture, text or series
    wants no layers of its own: `members=1, depth=0` makes it a linear classifier on the encoder's vector.
    """

    def __init__(
        self,
        encoders: Mapping[str, Options],
        features: int,
        cardinalities: tuple[int, ...],
        outputs: int,
        *,
        generator: Generator | None = None,
        **head: Any,
    ):
        super().__init__()
        made = [_made(options, generator) for options in encoders.values()]
        self.encoders: Any = nn.ModuleList(made)
        self._frozen = [
            module for module, one in zip(made, encoders.values(), strict=True) if one.get("frozen")
        ]
        for module in self._frozen:
            module.requires_grad_(False)
        head |= {"beside": sum(encoder.width for encoder in made), "neighbours": 0}
        self.head = TabularNet(features, cardinalities, outputs, generator=generator, **head)

    @staticmethod
    def parameter_count(
        encoders: Mapping[str, Options],
        features: int,
        cardinalities: tuple[int, ...],
        outputs: int,
        **head: Any,
    ) -> int:
        """The encoders' and the tabular net's."""
        count, beside = 0, 0
        for options in encoders.values():
            family, sizes, own = _parted(options)
            count += encoder_for(family).parameter_count(sizes, **own)
            beside += _made(options, None).width
        counted = {**head, "beside": beside, "neighbours": 0}
        return count + TabularNet.parameter_count(features, cardinalities, outputs, **counted)

    def train(self, mode: bool = True) -> Self:
        """As ever, but a frozen encoder goes on as it was when it was lent."""
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self

    @torch.no_grad()
    def remember(self, numbers_NF: Tensor, codes_NC: Tensor, *rest: Tensor) -> None:
        """Let every part look at the training rows once, before training; the goal comes last."""
        *further, goal = rest
        for encoder, x in zip(self.encoders, further, strict=True):
            encoder.remember(x)
        self.head.remember(numbers_NF, codes_NC, goal)

    def vectors(self, *further: Tensor) -> Tensor:
        """What the encoders say of each row, side by side, (B, E) float32."""
        said = [encoder(x).float() for encoder, x in zip(self.encoders, further, strict=True)]
        return torch.cat(said, dim=1)

    def forward(self, numbers_BF: Tensor, codes_BC: Tensor, *further: Tensor) -> Tensor:
        """Every member's output for every row, (B, M, K)."""
        output: Tensor = self.head(numbers_BF, codes_BC, self.vectors(*further))
        return output


def encoder_for(family: str) -> Any:
    """The encoder class that reads shapes of this family. Raises Mistake where there is none."""
    known = _declared()
    if family not in known:
        raise Mistake(
            "encoder-unknown",
            f"There is no encoder for inputs of the family {family!r}.",
            why="There are encoders for: " + ", ".join(sorted(known)) + ".",
            todo="Leave the column out with --ignore, or declare an encoder for it.",
        )
    return known[family].load()


@cache
def _declared() -> dict[str, Any]:
    return {entry.name: entry for entry in entry_points(group="preceptor.encoders")}


def _parted(options: Options) -> tuple[str, tuple[int, ...], dict[str, Any]]:
    own = {name: value for name, value in options.items() if name not in ("family", "sizes", "frozen")}
    return options["family"], tuple(options["sizes"]), own


def _made(options: Options, generator: Generator | None) -> Any:
    family, sizes, own = _parted(options)
    return encoder_for(family)(sizes, generator=generator, **own)
