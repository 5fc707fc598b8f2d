"""Pixels exactly as they are served: docs/preprocessing.md, by libvips, the library that serving decodes with."""

import os
from dataclasses import dataclass
from typing import Any

# one thread for each picture, as in serving: where a row of tiles begins decides the last bit of a resize
os.environ["VIPS_CONCURRENCY"] = "1"

import numpy as np
import pyvips

from darkroom_trainer.contract import ImageShape

pyvips.cache_set_max(0)
pyvips.operation_block_set("VipsForeignLoad", True)
for loader in ("Jpeg", "Png", "Webp", "Tiff"):
    pyvips.operation_block_set(f"VipsForeignLoad{loader}Buffer", False)

Array = np.ndarray[Any, Any]

MAX_PIXELS = 50_000_000
"""As `defaultMaxPixels` of the backend: it takes no larger picture."""

BESIDE_THE_PICTURE = 114
"""What stands beside a picture in a letterbox."""

LEAST_SHRINK = 4
"""A JPEG this much larger than the input, in both directions, may be decoded smaller; a factor of two is left to the resize."""

WHITE = {8: 255, 16: 65_280}
TURNED = frozenset({5, 6, 7, 8})
KEPT_IN_ROWS = frozenset({1, 2})
"""Orientations by EXIF with which rows stay in order, so that a picture can be decoded row by row."""


class Unreadable(Exception):
    """A picture that cannot be decoded, and why."""


@dataclass(frozen=True)
class Pixels:
    """
    `values` are [channels, height, width], 0 to 255; `scale_x` and `scale_y` take the picture's own pixels to those, of which
    it fills `filled`.
    """

    values: Array
    scale_x: float
    scale_y: float
    filled: tuple[int, int]


def read_pixels(data: bytes, shape: ImageShape) -> Pixels:
    """Decodes a picture into the input of a model: uint8, or float32 where `range` is `found`. Raises Unreadable."""
    try:
        return _read(data, shape)
    except pyvips.Error as error:
        raise Unreadable(" ".join(str(error).split())[:300] or "unknown") from error


def filled_size(width: int, height: int, shape: ImageShape) -> tuple[int, int]:
    """Part of the input that a picture of this size fills, from the top left; halves are rounded up."""
    if shape.fit == "stretch":
        return shape.width, shape.height
    scale = min(shape.width / width, shape.height / height)
    return (
        min(shape.width, max(1, int(width * scale + 0.5))),
        min(shape.height, max(1, int(height * scale + 0.5))),
    )


def _open(data: bytes, *, sequential: bool, **options: int) -> pyvips.Image:
    access = "sequential" if sequential else "random"
    image = pyvips.Image.new_from_buffer(data, "", access=access, fail_on="warning", **options)
    if image.width * image.height > MAX_PIXELS:
        raise Unreadable(f"{image.width}x{image.height} are more than {MAX_PIXELS} pixels")
    return image


def _read(data: bytes, shape: ImageShape) -> Pixels:
    header = _open(data, sequential=True)
    orientation = header.get("orientation") if header.get_typeof("orientation") else 1
    width, height = (header.height, header.width) if orientation in TURNED else (header.width, header.height)
    filled = filled_size(width, height, shape)
    sixteen = header.format == "ushort"
    shrink = min(width / shape.width, height / shape.height)
    if shape.shrink_on_load and header.get("vips-loader").startswith("jpegload") and shrink >= LEAST_SHRINK:
        part = 8 if shrink >= 16 else 4 if shrink >= 8 else 2
        stored = (filled[1], filled[0]) if orientation in TURNED else filled
        smaller = _resize(_flatten(_in_srgb(_open(data, sequential=True, shrink=part), sixteen)), stored)
        image = smaller.autorot()
    else:
        upright = _open(data, sequential=orientation in KEPT_IN_ROWS).autorot()
        image = _resize(_flatten(_in_srgb(upright, sixteen)), filled)
    values = _values(image, shape, deep=shape.range == "found" and sixteen)
    return Pixels(_letterboxed(values, shape), filled[0] / width, filled[1] / height, filled)


def _in_srgb(image: pyvips.Image, sixteen: bool) -> pyvips.Image:
    """The profile of an 8-bit picture is applied; values of 16 bits are taken as they are."""
    if sixteen:
        return image
    if image.get_typeof("icc-profile-data"):
        return image.icc_transform("srgb", embedded=True, depth=8, intent="perceptual")
    if image.interpretation == "cmyk":
        return image.icc_transform("srgb", input_profile="cmyk", depth=8, intent="perceptual")
    return image


def _flatten(image: pyvips.Image) -> pyvips.Image:
    if not image.hasalpha():
        return image
    bits = 16 if image.format == "ushort" else 8
    return image.flatten(background=[WHITE[bits]] * (image.bands - 1), max_alpha=2**bits - 1)


def _resize(image: pyvips.Image, size: tuple[int, int]) -> pyvips.Image:
    width, height = size
    if (image.width, image.height) == size:
        return image
    # the factors are inverted twice, as the page says: the last bit decides which of two neighbouring filters is taken
    return image.resize(1 / (image.width / width), vscale=1 / (image.height / height), kernel="lanczos3")


def _values(image: pyvips.Image, shape: ImageShape, *, deep: bool) -> Array:
    space = {(1, False): "b-w", (1, True): "grey16", (3, False): "srgb", (3, True): "rgb16"}[shape.channels, deep]
    seen = image.colourspace(space, source_space=image.interpretation)
    rows: Array = seen.cast("ushort" if deep else "uchar").numpy()
    channels: Array = np.atleast_3d(rows)[:, :, : shape.channels].transpose(2, 0, 1)
    return _stretched(channels) if shape.range == "found" else channels


def _stretched(values: Array) -> Array:
    """The least value becomes 0 and the greatest 255; all are 0 where there is only one."""
    whole = values.astype(np.float64)
    least = whole.min()
    stretched: Array = (whole - least) * 255 / max(1.0, whole.max() - least)
    return stretched.astype(np.float32)


def _letterboxed(values: Array, shape: ImageShape) -> Array:
    channels, height, width = values.shape
    if (height, width) == (shape.height, shape.width):
        return np.ascontiguousarray(values)
    whole = np.full((channels, shape.height, shape.width), BESIDE_THE_PICTURE, dtype=values.dtype)
    whole[:, :height, :width] = values
    return whole
