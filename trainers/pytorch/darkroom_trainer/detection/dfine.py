"""D-FINE (arXiv:2410.13842), a DETR under the Apache licence, as the package transformers has it, on any backbone of timm."""

import os
from typing import Any

# a check of shapes that the exporter to ONNX has no operator for
os.environ.setdefault("TRANSFORMERS_DISABLE_TORCH_CHECK", "1")

import torch
from torch import nn
from transformers import DFineConfig, DFineForObjectDetection

from darkroom_trainer.contract import ImageShape
from darkroom_trainer.detection.detector import Answer, Detector, Target
from darkroom_trainer.detection.maps import STRIDES, WHOLE, Backbone

QUERIES = 300
DECODER_LAYERS = 3
"""As the small variants have: more pay on tens of thousands of pictures."""

PLACEHOLDER: dict[str, Any] = {
    "model_type": "hgnet_v2",
    "stem_channels": [3, 8, 8],
    "stage_in_channels": [8, 8, 8, 8],
    "stage_mid_channels": [8, 8, 8, 8],
    "stage_out_channels": [8, 8, 8, 8],
    "hidden_sizes": [8, 8, 8, 8],
    "stage_num_blocks": [1, 1, 1, 1],
    "stage_numb_of_layers": [1, 1, 1, 1],
    "out_features": ["stage2", "stage3", "stage4"],
}
"""The backbone that the package makes before it is exchanged."""


class Maps(nn.Module):
    """A backbone as the package asks for it: maps and masks, of which it uses none."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, pixel_values: torch.Tensor, _: torch.Tensor) -> list[tuple[torch.Tensor, None]]:
        """Maps of raw pixels, the finest first."""
        return [(found, None) for found in self.backbone(pixel_values)]


class DFineDetector(Detector):
    """As many answers as it has queries, each for an object of its own, so that NMS is not needed."""

    nms_iou = 1.0

    def __init__(self, backbone: Backbone, shape: ImageShape, classes: int, width: int) -> None:
        super().__init__()
        whole = [side + -side % WHOLE for side in (shape.width, shape.height)]
        places = sum((whole[0] // stride) * (whole[1] // stride) for stride in STRIDES)
        options: dict[str, Any] = {
            "backbone_config": PLACEHOLDER,
            "freeze_backbone_batch_norms": False,
            "num_labels": classes,
            "num_queries": min(QUERIES, places),
            "d_model": width,
            "encoder_hidden_dim": width,
            "encoder_in_channels": [width] * 3,
            "decoder_in_channels": [width] * 3,
            "encoder_ffn_dim": 4 * width,
            "decoder_ffn_dim": 4 * width,
            "hidden_expansion": 0.5,
            "depth_mult": 0.34,
            "decoder_layers": DECODER_LAYERS,
        }
        self.network: Any = DFineForObjectDetection(DFineConfig(**options))
        self.network.model.backbone = Maps(backbone)
        self.network.model.encoder_input_proj = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, width, kernel_size=1, bias=False), nn.BatchNorm2d(width))
            for channels in backbone.channels
        )
        self.register_buffer("size", torch.tensor([*whole, *whole], dtype=torch.float32), persistent=False)

    size: torch.Tensor

    def loss(self, pixels: torch.Tensor, targets: list[Target]) -> torch.Tensor:
        """Of queries matched to objects: varifocal, L1, GIoU and fine-grained localisation, and those of noisy copies."""
        labels = [{"class_labels": target["labels"], "boxes": self._relative(target["boxes"])} for target in targets]
        loss: torch.Tensor = self.network(pixels, labels=labels).loss
        return loss

    def places(self, pixels: torch.Tensor) -> Answer:
        """A box for each query."""
        said = self.network(pixels)
        boxes = said.pred_boxes.float()
        half = boxes[..., 2:] / 2
        corners = torch.cat([boxes[..., :2] - half, boxes[..., :2] + half], dim=2)
        return corners * self.size, said.logits.float().sigmoid()

    def _relative(self, boxes: torch.Tensor) -> torch.Tensor:
        """Middle and size, as shares of the input as the backbone sees it."""
        return torch.cat([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], dim=1) / self.size
