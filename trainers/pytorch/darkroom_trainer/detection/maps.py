"""Maps of features at several strides, from any backbone of timm that has them."""

from collections import OrderedDict
from typing import Any

import timm
import torch
from timm.layers import freeze_batch_norm_2d
from torch import nn
from torchvision.ops import Conv2dNormActivation, FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from darkroom_trainer.contract import ImageShape
from darkroom_trainer.reporter import JobFailed
from darkroom_trainer.served import Normalise
from darkroom_trainer.weights import load_weights

STRIDES = (8, 16, 32)
WHOLE = STRIDES[-1]
"""Sides of an input are filled up to a multiple of the greatest stride of a backbone."""


class Backbone(nn.Module):
    """Raw pixels to maps of strides 8, 16 and 32. `came_from` says where the weights come from."""

    def __init__(self, shape: ImageShape, name: str, weights: str, *, frozen: bool) -> None:
        super().__init__()
        network: Any
        network, indices = _network(name)
        self.came_from = load_weights(network, name, weights)
        taught = network.pretrained_cfg
        self.channels: list[int] = [network.feature_info.channels()[index] for index in indices]
        self._indices = indices
        self.normalise = Normalise(shape, taught["mean"], taught["std"], multiple=WHOLE)
        # statistics of large batches of photographs are better than those of eight pictures
        self.network = freeze_batch_norm_2d(network) if self.came_from != "none" else network
        if frozen:
            self.network.requires_grad_(requires_grad=False)

    def forward(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """Three maps of raw pixels [N, channels, height, width], the finest first."""
        maps = self.network(self.normalise(pixels))
        return [maps[index] for index in self._indices]


def _network(name: str) -> tuple[nn.Module, list[int]]:
    """A backbone and the places of the wanted maps among its maps."""
    if not timm.is_model(name):
        raise JobFailed(f"timm {timm.__version__} has no model {name}")
    try:
        network: Any = timm.create_model(name, pretrained=False, features_only=True)
        reductions = list(network.feature_info.reduction())
        # of several maps of a stride the last is the deepest
        indices = [len(reductions) - 1 - reductions[::-1].index(stride) for stride in STRIDES]
    except (AttributeError, RuntimeError, TypeError, ValueError) as error:
        raise JobFailed(f"{name} has no maps of strides {STRIDES}, which a detector needs: {error}") from error
    return network, indices


class Pyramid(nn.Module):
    """Five maps of `width` channels, strides 8 to 128: the coarse ones tell the fine ones what they see (arXiv:1612.03144)."""

    strides = (8, 16, 32, 64, 128)

    def __init__(self, backbone: Backbone, width: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.neck = FeaturePyramidNetwork(backbone.channels, width, extra_blocks=LastLevelP6P7(width, width))
        self.out_channels = width

    def forward(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """Maps of raw pixels, the finest first."""
        maps = OrderedDict((str(number), found) for number, found in enumerate(self.backbone(pixels)))
        return list(self.neck(maps).values())


class Extended(nn.Module):
    """The backbone's maps and three coarser ones by separable convolutions, as SSDLite has them (arXiv:1801.04381)."""

    def __init__(self, backbone: Backbone, width: int) -> None:
        super().__init__()
        self.backbone = backbone
        inputs = [backbone.channels[-1], width, width]
        self.extra = nn.ModuleList(_halved(channels, width) for channels in inputs)
        self.channels = [*backbone.channels, width, width, width]

    def forward(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """Maps of raw pixels, the finest first."""
        maps: list[torch.Tensor] = self.backbone(pixels)
        for block in self.extra:
            maps.append(block(maps[-1]))
        return maps


def _halved(channels: int, width: int) -> nn.Sequential:
    between = width // 2
    return nn.Sequential(
        Conv2dNormActivation(channels, between, kernel_size=1, activation_layer=nn.ReLU6),
        Conv2dNormActivation(between, between, kernel_size=3, stride=2, groups=between, activation_layer=nn.ReLU6),
        Conv2dNormActivation(between, width, kernel_size=1, activation_layer=nn.ReLU6),
    )
