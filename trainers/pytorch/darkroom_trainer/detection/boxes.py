"""Boxes as a training sees them: in pixels of the input, changed with their picture."""

import math
from collections.abc import Sequence

import torch
from torch.nn.functional import affine_grid, grid_sample

from darkroom_trainer.augment import STRENGTHS, Augment
from darkroom_trainer.contract import Line
from darkroom_trainer.detection.detector import Target
from darkroom_trainer.pixels import BESIDE_THE_PICTURE
from darkroom_trainer.reporter import JobFailed

LEAST_SHARE_SEEN = 0.3
"""Of an object that a change moves over the edge: what shows less of it shows it no more."""
LEAST_SIDE = 1.0
"""Pixels of the input: less is nothing to see."""
ZOOM_OF_BOXES = 4.0
"""Objects come in more sizes than pictures: they are zoomed by so many times what pictures are."""


def targets_of(line: Line, classes: dict[str, int], scales: tuple[float, float]) -> Target:
    """A sample's objects in pixels of the input; crowds are none. Raises JobFailed for an unknown class."""
    boxes = line.boxes
    if boxes is None:
        raise JobFailed(f"the sample {line.md5} of the manifest has no boxes")
    unknown = next((box.label for box in boxes if box.label not in classes), None)
    if unknown is not None:
        raise JobFailed(f"the manifest has a box of the class {unknown}, which is no class of the job")
    objects = [box for box in boxes if not box.crowd]
    corners = [[box.x, box.y, box.x + box.width, box.y + box.height] for box in objects]
    scale = torch.tensor([scales[0], scales[1]] * 2)
    return {
        "boxes": torch.tensor(corners, dtype=torch.float32).view(-1, 4) * scale,
        "labels": torch.tensor([classes[box.label] for box in objects], dtype=torch.int64),
    }


def augment_boxes(
    pixels: torch.Tensor, targets: Sequence[Target], kind: Augment, random: torch.Generator
) -> tuple[torch.Tensor, list[Target]]:
    """A batch of 0 to 255 and its objects, each picture zoomed, moved, mirrored and lit by its own numbers from `random`."""
    if kind == "none":
        return pixels, list(targets)
    most, count = STRENGTHS[kind], len(pixels)

    def between(least: float, greatest: float) -> torch.Tensor:
        return torch.rand(count, generator=random) * (greatest - least) + least

    reach = most.zoom * ZOOM_OF_BOXES
    # place in the old picture = zoom * place in the new one + shift, both from -1 to 1
    zoom = torch.exp(between(-reach, min(reach, math.log(2))))
    across = zoom * torch.where(between(0, 1) < 0.5, -1.0, 1.0) if most.mirror else zoom
    shift_x, shift_y = between(-1, 1) * (1 - zoom).abs(), between(-1, 1) * (1 - zoom).abs()
    none = torch.zeros(count)
    rows = [torch.stack([across, none, shift_x], dim=1), torch.stack([none, zoom, shift_y], dim=1)]
    grid = affine_grid(torch.stack(rows, dim=1).to(pixels.device), list(pixels.shape), align_corners=False)
    # what comes in from outside is what stands beside a picture
    moved = grid_sample(pixels - BESIDE_THE_PICTURE, grid, mode="bilinear", align_corners=False) + BESIDE_THE_PICTURE
    gain = (1 + between(-most.light, most.light)).to(pixels.device).view(-1, 1, 1, 1)
    height, width = pixels.shape[-2:]
    changed = [
        moved_target(target, (float(across[at]), float(zoom[at])), (float(shift_x[at]), float(shift_y[at])), (width, height))
        for at, target in enumerate(targets)
    ]
    return (moved * gain).clamp(0, 255), changed


def moved_target(target: Target, zoom: tuple[float, float], shift: tuple[float, float], size: tuple[int, int]) -> Target:
    """Objects after a change, cut at the edges, without those of which too little is left."""
    middle = torch.tensor([size[0], size[1]] * 2, device=target["boxes"].device) / 2
    factor = torch.tensor([*zoom, *zoom], device=middle.device)
    offset = torch.tensor([*shift, *shift], device=middle.device)
    places = ((target["boxes"] / middle - 1 - offset) / factor + 1) * middle
    whole = torch.cat([torch.minimum(places[:, :2], places[:, 2:]), torch.maximum(places[:, :2], places[:, 2:])], dim=1)
    seen = whole.clamp(min=0).minimum(middle * 2)
    sides, sides_whole = seen[:, 2:] - seen[:, :2], whole[:, 2:] - whole[:, :2]
    share = sides.prod(dim=1) / sides_whole.prod(dim=1).clamp_min(1e-6)
    kept = (share >= LEAST_SHARE_SEEN) & (sides.min(dim=1).values >= LEAST_SIDE)
    return {"boxes": seen[kept], "labels": target["labels"][kept]}
