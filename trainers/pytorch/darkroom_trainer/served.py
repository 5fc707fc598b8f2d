"""What is around a network in the file that is served: raw pixels in, normalisation and size inside."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.functional import interpolate, pad

from darkroom_trainer.contract import ImageShape


def side_of(shape: ImageShape, side: int) -> tuple[int, int]:
    """Height and width that pictures are brought to inside the model, the longer side being `side`; 0: as they come."""
    scale = side / max(shape.height, shape.width) if side else 1.0
    return max(1, round(shape.height * scale)), max(1, round(shape.width * scale))


class Normalise(nn.Module):
    """
    Pixels 0 to 255 [N, 1 or 3, height, width] as a backbone was taught to see them: three channels, the longer side `side`,
    and filled up at the right and the bottom to a `multiple`.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self, shape: ImageShape, mean: Sequence[float], std: Sequence[float], side: int = 0, multiple: int = 1
    ) -> None:
        super().__init__()
        self._grey = shape.channels == 1
        self._size = side_of(shape, side)
        self._resized = self._size != (shape.height, shape.width)
        self._missing = (0, -self._size[1] % multiple, 0, -self._size[0] % multiple)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1) * 255, persistent=False)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """[N, 3, height, width]."""
        colours = torch.cat([pixels, pixels, pixels], dim=1) if self._grey else pixels
        if self._resized:
            colours = interpolate(colours, size=self._size, mode="bilinear", align_corners=False)
        normal = (colours - self.mean) / self.std
        return pad(normal, self._missing) if any(self._missing) else normal
