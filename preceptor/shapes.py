"""The shape of an encoding: where a kind and a model meet without knowing each other.

    Shape("numbers", (3,))             (N, 3) float32
    Shape("codes", (12,))              (N, 1) int64 in 0..11, where 0 is unseen or missing
    Shape("picture", (3, 32, 32))      (N, 3, 32, 32) uint8: channels, height, width
    Shape("tokens", (64, 8_000))       (N, 64) int32 in 0..7999, where 0 is padding
    Shape("steps", (96, 7))            (N, 96, 7) float32, where NaN is absent; padded in front

Numbers and codes go into the tabular net as they are. Each further family has an encoder, found by the
family's name among the entry points of the group "preceptor.encoders".
"""

from dataclasses import dataclass

TABULAR = ("numbers", "codes")


@dataclass(frozen=True)
class Shape:
    """The family of an encoding, and its sizes without the number of rows."""

    family: str
    sizes: tuple[int, ...]

    @property
    def tabular(self) -> bool:
        """Whether it is a few numbers or a code, as in any table."""
        return self.family in TABULAR
