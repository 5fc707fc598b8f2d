"""What every detector is, whatever its architecture."""

from collections.abc import Mapping

import torch
from torch import nn

Target = Mapping[str, torch.Tensor]
"""`boxes` [n, 4] as x1, y1, x2, y2 in pixels of the input, and `labels` [n] as indexes of classes."""
Answer = tuple[torch.Tensor, torch.Tensor]
"""Boxes [N, K, 4] and scores [N, K, classes] from 0 to 1."""

MOST_PLACES = 1000
"""The surest places that a model answers for: more would only be sorted out by NMS."""


class Detector(nn.Module):
    """Raw pixels to boxes and scores, without NMS."""

    nms_iou = 0.6
    """Told to the backend in the file, which leaves out what overlaps something surer by more; 1: nothing."""

    def loss(self, pixels: torch.Tensor, targets: list[Target]) -> torch.Tensor:
        """Of a batch."""
        raise NotImplementedError

    def places(self, pixels: torch.Tensor) -> Answer:
        """All that it can answer for."""
        raise NotImplementedError

    def forward(self, pixels: torch.Tensor) -> Answer:
        """The surest places."""
        boxes, scores = self.places(pixels)
        if boxes.shape[1] <= MOST_PLACES:
            return boxes, scores
        kept = scores.amax(dim=2).topk(MOST_PLACES, dim=1).indices.unsqueeze(2)
        return boxes.gather(1, kept.expand(-1, -1, 4)), scores.gather(1, kept.expand(-1, -1, scores.shape[2]))
