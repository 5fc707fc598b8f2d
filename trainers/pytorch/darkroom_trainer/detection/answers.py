"""From a detector's outputs to what it sees, as the backend reads them: class-wise NMS above a threshold."""

from dataclasses import dataclass

import torch
from torchvision.ops import batched_nms

MOST_CANDIDATES = 10_000


@dataclass(frozen=True)
class Seen:
    """Boxes [n, 4] in pixels of the input, classes and scores, the surest first."""

    boxes: torch.Tensor
    labels: torch.Tensor
    scores: torch.Tensor


def seen_in(boxes: torch.Tensor, scores: torch.Tensor, filled: tuple[float, float], least: float, nms_iou: float) -> Seen:
    """What a detector sees in one picture that fills `filled` of the input: boxes [K, 4], scores [K, classes]."""
    width, height = filled
    cut = torch.minimum(boxes.clamp(min=0), torch.tensor([width, height, width, height]))
    places, labels = torch.nonzero((scores >= least) & (cut[:, 2:] > cut[:, :2]).all(dim=1, keepdim=True), as_tuple=True)
    found = scores[places, labels]
    order = found.argsort(descending=True, stable=True)[:MOST_CANDIDATES]
    places, labels, found = places[order], labels[order], found[order]
    kept = batched_nms(cut[places], found, labels, nms_iou) if nms_iou < 1 else torch.arange(len(found))
    return Seen(cut[places[kept]], labels[kept], found[kept])
