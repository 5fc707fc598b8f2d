"""Detectors by the names of their architectures: those of torchvision, on any backbone."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from torchvision.models.detection.fcos import FCOS, FCOSHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.retinanet import RetinaNet, RetinaNetHead
from torchvision.models.detection.ssd import SSD
from torchvision.models.detection.ssdlite import SSDLiteHead
from torchvision.ops import box_iou

from darkroom_trainer.contract import ImageShape
from darkroom_trainer.detection.detector import Answer, Detector, Target
from darkroom_trainer.detection.maps import Backbone, Extended, Pyramid


class OneStage(Detector):
    """What SSD, RetinaNet and FCOS share: maps, a head, and boxes that stand at fixed places."""

    anchors: torch.Tensor

    def __init__(self, maps: nn.Module, model: Any, shape: ImageShape) -> None:
        super().__init__()
        self.maps, self.head = maps, model.head
        # its modules are those above; it lends its way to match and to reckon losses
        self._rules = [model]
        maps.eval()
        with torch.inference_mode():
            found = maps(torch.zeros(1, shape.channels, shape.height, shape.width))
        self._counts = [map_.shape[-2] * map_.shape[-1] for map_ in found]
        height, width = (found[0].shape[-2] * 8, found[0].shape[-1] * 8)
        images = ImageList(torch.zeros(1, 3, height, width), [(height, width)])
        self.register_buffer("anchors", model.anchor_generator(images, found)[0].clone(), persistent=False)

    @property
    def rules(self) -> Any:
        """The detector of torchvision."""
        return self._rules[0]

    def outputs(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """What the head says of every anchor, as 32-bit floats."""
        return {name: said.float() for name, said in self.head(self.maps(pixels)).items()}

    def sum_of(self, losses: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """All parts of a loss."""
        return torch.stack(list(losses.values())).sum()


class RetinaNetDetector(OneStage):
    """RetinaNet (arXiv:1708.02002)."""

    def loss(self, pixels: torch.Tensor, targets: list[Target]) -> torch.Tensor:
        """Focal loss, and L1 of the boxes."""
        return self.sum_of(self.rules.compute_loss(targets, self.outputs(pixels), [self.anchors] * len(targets)))

    def places(self, pixels: torch.Tensor) -> Answer:
        """A box for each anchor."""
        said = self.outputs(pixels)
        return decoded(said["bbox_regression"], self.anchors), said["cls_logits"].sigmoid()


class FcosDetector(OneStage):
    """FCOS (arXiv:1904.01355): no anchors but the cells of the maps."""

    def loss(self, pixels: torch.Tensor, targets: list[Target]) -> torch.Tensor:
        """Focal loss, GIoU of the boxes, and how central a place is."""
        anchors = [self.anchors] * len(targets)
        return self.sum_of(self.rules.compute_loss(targets, self.outputs(pixels), anchors, self._counts))

    def places(self, pixels: torch.Tensor) -> Answer:
        """A box for each cell: distances of its four sides, in units of the stride."""
        said = self.outputs(pixels)
        center = (self.anchors[:, :2] + self.anchors[:, 2:]) / 2
        distances = said["bbox_regression"] * (self.anchors[:, 2:] - self.anchors[:, :2]).repeat(1, 2)
        boxes = torch.cat([center - distances[..., :2], center + distances[..., 2:]], dim=2)
        return boxes, (said["cls_logits"].sigmoid() * said["bbox_ctrness"].sigmoid()).sqrt()


class SsdDetector(OneStage):
    """SSDLite (arXiv:1801.04381, arXiv:1512.02325); its class 0 is the background."""

    def loss(self, pixels: torch.Tensor, targets: list[Target]) -> torch.Tensor:
        """Cross entropy with hard negatives, and smooth L1 of the boxes."""
        shifted = [{"boxes": target["boxes"], "labels": target["labels"] + 1} for target in targets]
        matched = [self._matched(target["boxes"]) for target in shifted]
        anchors = [self.anchors] * len(targets)
        return self.sum_of(self.rules.compute_loss(shifted, self.outputs(pixels), anchors, matched))

    def _matched(self, boxes: torch.Tensor) -> torch.Tensor:
        if len(boxes) == 0:
            return torch.full((len(self.anchors),), -1, dtype=torch.int64, device=self.anchors.device)
        matched: torch.Tensor = self.rules.proposal_matcher(box_iou(boxes, self.anchors))
        return matched

    def places(self, pixels: torch.Tensor) -> Answer:
        """A box for each default box."""
        said = self.outputs(pixels)
        boxes = decoded(said["bbox_regression"], self.anchors, variances=(10.0, 5.0))
        return boxes, said["cls_logits"].softmax(dim=2)[..., 1:]


def decoded(deltas: torch.Tensor, anchors: torch.Tensor, variances: tuple[float, float] = (1.0, 1.0)) -> torch.Tensor:
    """Boxes from shifts and logarithms of scales against anchors (arXiv:1311.2524, appendix C), as torchvision's BoxCoder."""
    size = anchors[:, 2:] - anchors[:, :2]
    center = anchors[:, :2] + size / 2
    # a scale above is no object; torchvision's bound, so that exp does not overflow
    most = 4.135
    middle = deltas[..., :2] / variances[0] * size + center
    half = (deltas[..., 2:] / variances[1]).clamp(max=most).exp() * size / 2
    return torch.cat([middle - half, middle + half], dim=2)


def _retinanet(backbone: Backbone, shape: ImageShape, classes: int, width: int) -> Detector:
    maps = Pyramid(backbone, width)
    # three sizes for each map, an octave in all, four cells wide
    sizes = tuple(tuple(round(stride * 4 * 2 ** (third / 3)) for third in range(3)) for stride in maps.strides)
    generator = AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes))
    head = RetinaNetHead(width, generator.num_anchors_per_location()[0], classes, norm_layer=_group_norm)
    return RetinaNetDetector(maps, RetinaNet(maps, classes, anchor_generator=generator, head=head), shape)


def _fcos(backbone: Backbone, shape: ImageShape, classes: int, width: int) -> Detector:
    maps = Pyramid(backbone, width)
    generator = AnchorGenerator(tuple((stride,) for stride in maps.strides), ((1.0,),) * len(maps.strides))
    head = FCOSHead(width, 1, classes)
    return FcosDetector(maps, FCOS(maps, classes, anchor_generator=generator, head=head), shape)


def _ssdlite(backbone: Backbone, shape: ImageShape, classes: int, width: int) -> Detector:
    maps = Extended(backbone, width)
    generator = DefaultBoxGenerator([[2, 3]] * len(maps.channels), min_ratio=0.08, max_ratio=0.9)
    head = SSDLiteHead(maps.channels, generator.num_anchors_per_location(), classes + 1, nn.BatchNorm2d)
    size = (shape.width, shape.height)
    return SsdDetector(maps, SSD(maps, generator, size, classes + 1, head=head), shape)


def _group_norm(channels: int) -> nn.Module:
    return nn.GroupNorm(32, channels)


ARCHITECTURES: dict[str, Callable[[Backbone, ImageShape, int, int], Detector]] = {
    "fcos": _fcos,
    "retinanet": _retinanet,
    "ssdlite": _ssdlite,
}
