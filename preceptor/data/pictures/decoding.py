"""One picture: the bytes of a file in, a small uint8 array out, or the reason why not.

    decoded(path.read_bytes(), cap=256).pixels        # (H, W, C) uint8; C = 1 grey, 3 colour

Photos are turned upright as their EXIF says. Transparent parts lie on white. Of 16 bits a channel the
upper 8 are kept; floats from 0 to 1, to 255 or to 65535 fill the whole range, others are stretched. Of
an animation the first frame counts. A picture whose three channels are equal is grey.
"""

import io
import struct
import zlib
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, UnidentifiedImageError

LARGEST = 100_000_000
"""Pixels; a larger picture would take more memory than a table's worth of others together."""

LONGEST = 4
"""The longer side is at most so many times the cap, or a ribbon of a picture would outweigh thousands."""

FORMATS = ("JPEG", "MPO", "PNG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "AVIF", "JPEG2000", "PPM", "PCX", "ICO")
"""Formats that only hold pixels and show themselves by their first bytes; none that runs a program."""

EMPTY, DAMAGED, NO_PICTURE = "empty file", "picture cut off or damaged", "no picture"
TOO_LARGE, VIDEO = f"picture of more than {LARGEST // 1_000_000} million pixels", "video, no picture"
NO_PIXELS = "array that is not (height, width[, 1 or 3]) of uint8"
HEIC = "HEIC photo, a format that is not read: save it as JPEG"

# A decoder that meets damage fails wherever its arithmetic trips: all of these have been seen.
DAMAGE = (
    OSError, EOFError, SyntaxError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError,
    AssertionError, RuntimeError, MemoryError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ASIDE = {_TURNS[code] for code in (5, 6, 7, 8)}
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Picture:
    """`pixels` (H, W, C) uint8 as they are kept, and the `size` (height, width) before they were shrunk."""

    pixels: np.ndarray
    size: tuple[int, int]


class Unreadable(Exception):
    """Bytes that are no picture; `why` in a few words, the same for all of its sort."""

    def __init__(self, why: str):
        self.why = why
        super().__init__(why)


def decoded(content: bytes, cap: int) -> Picture:
    """The picture in an encoded file, its shorter side shrunk to at most `cap` pixels.

    Raises Unreadable with the reason when there is no picture to be had.
    """
    if not content:
        raise Unreadable(EMPTY)
    try:
        with Image.open(io.BytesIO(content), formats=_formats()) as image:
            width, height = image.size
            if width * height > LARGEST:
                raise Unreadable(TOO_LARGE)
            image.draft(None, (cap, cap))  # a JPEG is decoded at half, quarter or eighth size in no time
            turn = _turn(image)
            return Picture(array_of(image, cap, turn), (width, height) if turn in _ASIDE else (height, width))
    except UnidentifiedImageError as error:
        raise Unreadable(foreign(content[:64]) or NO_PICTURE) from error
    except Image.DecompressionBombError as error:
        raise Unreadable(TOO_LARGE) from error
    except DAMAGE as error:
        raise Unreadable(DAMAGED) from error


def array_of(image: Image.Image, cap: int, turn: Image.Transpose | None = None) -> np.ndarray:
    """(H, W, C) uint8 of an opened picture, shrunk, and turned if asked for."""
    small = _shrunk(_flat(image), cap)
    return _without_needless_colour(np.asarray(small if turn is None else small.transpose(turn)))


def is_picture(values: np.ndarray) -> bool:
    """Whether an array has the type and the shape of pixels."""
    return (
        values.dtype == np.uint8
        and values.size > 0
        and (values.ndim == 2 or values.shape[2:] in ((1,), (3,)))
    )


def from_array(values: np.ndarray, cap: int) -> Picture:
    """The picture in pixels (H, W), (H, W, 1) or (H, W, 3) uint8 that come as they are."""
    height, width = values.shape[:2]
    if min(height, width) <= cap and max(height, width) <= LONGEST * cap:
        return Picture(_without_needless_colour(values), (height, width))
    image = Image.fromarray(values.squeeze(2) if values.shape[2:] == (1,) else values)
    return Picture(array_of(image, cap), (height, width))


def _without_needless_colour(values: np.ndarray) -> np.ndarray:
    """(H, W, 3) as (H, W, 1) where the three channels are equal; (H, W) gets its axis of channels."""
    if values.ndim == 2:
        return values[..., None]
    grey = (values[..., :1] == values[..., 1:]).all()
    return values[..., :1] if grey else values


def foreign(head: bytes) -> str:
    """What a file that begins so is instead of a picture, where its first bytes tell; else ''."""
    brand = head[8:12] if head[4:8] == b"ftyp" else b""
    if brand in (b"heic", b"heix", b"heim", b"heis", b"mif1", b"hevc"):
        return HEIC
    film = head.startswith((b"\x1aE\xdf\xa3", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", b"FLV\x01"))
    film |= head[:4] == b"RIFF" and head[8:12] == b"AVI "
    film |= (bool(brand) and brand not in (b"avif", b"avis")) or head[4:8] in (b"moov", b"mdat")
    return VIDEO if film else ""


@cache
def _formats() -> list[str]:
    """Those of the formats that the installed Pillow can read."""
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _turn(image: Image.Image) -> Image.Transpose | None:
    """How to turn the picture upright; a damaged note on it counts as none."""
    try:
        return _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except DAMAGE:
        return None


def _flat(image: Image.Image) -> Image.Image:
    """Grey ("L") or colour ("RGB") at 8 bits, without transparency."""
    if image.mode[0] in "IF":
        return Image.fromarray(_to_bytes(np.asarray(image), image.mode))
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image if image.mode in ("L", "RGB") else image.convert("L" if image.mode == "1" else "RGB")


def _to_bytes(values: np.ndarray, mode: str) -> np.ndarray:
    """(H, W) uint8 of larger whole numbers or floats."""
    values = np.nan_to_num(values.astype(np.float32))
    low, high = float(values.min()), float(values.max())
    tops = (1.0, 255.0, 65535.0) if mode[0] == "F" else (65535.0,)
    top = next((top for top in tops if high <= top), None)
    if low < 0 or top is None:
        values, top = values - low, (high - low) or 1.0
    return (values * (255.0 / top)).round().astype(np.uint8)


def _shrunk(image: Image.Image, cap: int) -> Image.Image:
    width, height = image.size
    scale = min(cap / min(width, height), LONGEST * cap / max(width, height))
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return image.resize(size, Image.Resampling.BOX)
