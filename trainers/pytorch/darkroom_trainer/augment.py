"""Pictures changed a little before each step, a whole batch at a time, on the device that trains."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch.nn.functional import affine_grid, grid_sample

Augment = Literal["none", "light", "strong"]


@dataclass(frozen=True)
class Strength:
    """Most of each change: shares of the picture, degrees, shares of the light."""

    shift: float
    zoom: float
    turn_degrees: float
    mirror: bool
    light: float


STRENGTHS = {
    # what no picture minds: writing stays writing
    "light": Strength(shift=0.06, zoom=0.1, turn_degrees=5, mirror=False, light=0.15),
    "strong": Strength(shift=0.15, zoom=0.3, turn_degrees=15, mirror=True, light=0.4),
}


def augment(pixels: torch.Tensor, kind: Augment, random: torch.Generator) -> torch.Tensor:
    """A batch [N, channels, height, width] of 0 to 255, each picture changed by its own numbers from `random`."""
    if kind == "none":
        return pixels
    most, count = STRENGTHS[kind], len(pixels)
    height, width = pixels.shape[-2:]

    def between(least: float, greatest: float) -> torch.Tensor:
        return torch.rand(count, generator=random) * (greatest - least) + least

    zoom = torch.exp(between(-most.zoom, most.zoom))
    angle = between(-most.turn_degrees, most.turn_degrees) * (math.pi / 180)
    side = torch.where(between(0, 1) < 0.5, -1.0, 1.0) if most.mirror else torch.ones(count)
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    rows = [
        torch.stack([cos * side, -sin * height / width, between(-2, 2) * most.shift], dim=1),
        torch.stack([sin * side * width / height, cos, between(-2, 2) * most.shift], dim=1),
    ]
    grid = affine_grid(torch.stack(rows, dim=1).to(pixels.device), list(pixels.shape), align_corners=False)
    moved = grid_sample(pixels, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    gain = (1 + between(-most.light, most.light)).to(pixels.device).view(-1, 1, 1, 1)
    offset = (between(-most.light, most.light) * 128).to(pixels.device).view(-1, 1, 1, 1)
    return (moved * gain + offset).clamp(0, 255)
