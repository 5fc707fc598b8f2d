"""COCO's average precision, to choose the best weights by: the backend measures a finished model itself, on other samples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torchvision.ops import box_iou

from darkroom_trainer.detection.answers import Seen
from darkroom_trainer.detection.detector import Target

IOUS = torch.linspace(0.5, 0.95, 10, dtype=torch.float64)
RECALLS = np.linspace(0, 1, 101)
MOST_FOR_PICTURE = 100


@dataclass(frozen=True)
class Quality:
    """AP over IoU 0.5 to 0.95, AP at 0.5, and the threshold at which F1 is best (at IoU 0.5)."""

    ap: float
    ap50: float
    f1: float
    threshold: float


def quality_of(seen: Sequence[Seen], wanted: Sequence[Target], classes: int) -> Quality:
    """Of what was seen in pictures and what is there. Classes without an object count in F1 alone; without any, all is 0."""
    curves = []
    everything: list[tuple[np.ndarray, np.ndarray]] = []
    objects = 0
    for label in range(classes):
        scores, right, count = _of_class(seen, wanted, label)
        everything.append((scores, right[:, 0]))
        objects += count
        if count > 0:
            curves.append([_average(right[:, at], count) for at in range(len(IOUS))])
    by_iou = np.mean(curves, axis=0) if curves else np.zeros(len(IOUS))
    f1, threshold = _best_f1(np.concatenate([s for s, _ in everything]), np.concatenate([r for _, r in everything]), objects)
    return Quality(float(by_iou.mean()), float(by_iou[0]), f1, threshold)


def _of_class(seen: Sequence[Seen], wanted: Sequence[Target], label: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Scores [n], the surest first, whether each was right at each IoU [n, 10], and how many objects there are."""
    scores, right, count = [torch.zeros(0)], [torch.zeros(0, len(IOUS), dtype=torch.bool)], 0
    for one, target in zip(seen, wanted, strict=True):
        mine = torch.nonzero(one.labels == label).flatten()[:MOST_FOR_PICTURE]
        there = target["boxes"][target["labels"] == label]
        scores.append(one.scores[mine])
        right.append(_matched(one.boxes[mine], there))
        count += len(there)
    joined = torch.cat(scores)
    order = torch.argsort(joined, descending=True, stable=True)
    return joined[order].numpy(), torch.cat(right)[order].numpy(), count


def _matched(boxes: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
    """Whether each box, the surest first, takes an object that no surer one took: the one that it overlaps most."""
    right = torch.zeros(len(boxes), len(IOUS), dtype=torch.bool)
    if len(there) == 0:
        return right
    overlap = box_iou(boxes.double(), there.double())
    for at, least in enumerate(IOUS):
        free = torch.ones(len(there), dtype=torch.bool)
        for number in range(len(boxes)):
            best = torch.where(free, overlap[number], -1.0).max(dim=0)
            if best.values >= least:
                free[best.indices] = False
                right[number, at] = True
    return right


def _average(right: np.ndarray, count: int) -> float:
    """Mean over 101 recalls of the best precision from each recall on."""
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(right) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(hits / count, RECALLS, side="left")
    return float(np.where(at < len(best), np.append(best, 0)[np.minimum(at, len(best))], 0).mean())


def _best_f1(scores: np.ndarray, right: np.ndarray, objects: int) -> tuple[float, float]:
    """The best F1 and the threshold that gives it, half-way to the next lower score; 0.3 where nothing is right."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + max(1, objects))
    if len(f1) == 0 or f1.max() == 0:
        return 0.0, 0.3
    best = int(f1.argmax())
    ordered = scores[order]
    lower = ordered[best + 1] if best + 1 < len(ordered) else ordered[best]
    return float(f1[best]), float(min(1, max(0, (ordered[best] + lower) / 2)))
