"""Pictures for a page: small, encoded, laid over with heat, or side by side on one sheet.

    tile(pixels)                          # "data:image/png;base64,..."
    tile(heated(pixels, heat))            # warm where the heat is near 1
    tile(sheet(filters))                  # one picture of many filters

Shapes: a picture is (H, W) or (H, W, C) uint8, C 1, 3 or 4 (with transparency); heat is (H, W) from 0 to 1.
"""

import base64
import io

import numpy as np
from PIL import Image

Array = np.ndarray

SIDE = 96
"""The longest side of a picture on the page, in pixels."""

SMALL = 40
"""Up to so many pixels pictures are kept to the pixel (PNG); larger ones as JPEG, ten times smaller."""

WARM = np.array([[0.62, 0.10, 0.02], [0.93, 0.42, 0.05], [1.0, 0.93, 0.45]])
"""Heat from half to full: dark red, orange, light yellow. It reads on black and on white alike."""


def tile(picture: Array, side: int = SIDE) -> str:
    """The picture as a data URI, its longer side at most `side` pixels."""
    image = Image.fromarray(picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture)
    if max(image.size) > side:
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
    photograph = max(image.size) > SMALL and image.mode != "RGBA"
    kind, options = ("jpeg", {"quality": 82}) if photograph else ("png", {"optimize": True})
    file = io.BytesIO()
    image.save(file, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def upright(encoded_CHW: Array) -> Array:
    """(H, W, C) from the order in which a net takes pictures."""
    return np.ascontiguousarray(encoded_CHW.transpose(1, 2, 0))


def heated(picture: Array, heat: Array) -> Array:
    """(H, W, 3): the picture in soft grey, laid over with warm colours where it was looked at."""
    grey = picture.reshape(*picture.shape[:2], -1).mean(axis=2, keepdims=True) / 255
    base = 0.25 + 0.6 * grey
    places = np.array([0.0, 0.5, 1.0])
    warm = np.stack([np.interp(heat, places, WARM[:, channel]) for channel in range(3)], axis=-1)
    share = (0.9 * heat**1.5)[..., None]
    return (255 * (base * (1 - share) + warm * share)).round().astype(np.uint8)


def sheet(filters: Array, across: int = 16) -> Array:
    """(H, W, 4): filters (F, C, k, k) in rows, gaps between; grey is zero, each by its own size."""
    many, channels, high, wide = filters.shape
    across = min(across, many)
    page = np.zeros((-(-many // across) * (high + 1) - 1, across * (wide + 1) - 1, 4), np.uint8)
    strongest = np.abs(filters).reshape(many, -1).max(axis=1).clip(1e-12)
    shown = (127.5 + 127.5 * filters / strongest[:, None, None, None]).round().astype(np.uint8)
    for place, one in enumerate(shown):
        down, right = (place // across) * (high + 1), (place % across) * (wide + 1)
        cell = page[down : down + high, right : right + wide]
        cell[..., :3] = upright(np.repeat(one, 3 // channels, axis=0))
        cell[..., 3] = 255
    return page
