"""A network as the ONNX file that is served, checked against the network."""

import json
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from darkroom_trainer.contract import Job
from darkroom_trainer.reporter import JobFailed

OPSET = 18
MAX_MODEL_BYTES = 200 << 20
"""What the backend takes (docs/models.md)."""
TOLERANCE = 1e-3
"""Largest difference between file and network, as a share of values above 1: they fold and sum in other orders."""


def metadata_of(job: Job) -> dict[str, str]:
    """What a reader of the file alone needs to know. No time, no run: equal trainings give equal files."""
    image = job.image.model_dump(by_alias=True, exclude={"range"}, exclude_defaults=True)
    taken = {**image, "layout": "NCHW", "range": [0, 255], "scaledFrom": job.image.range}
    return {
        "darkroom.classes": json.dumps(job.classes),
        "darkroom.datasetVersion": job.dataset_version,
        "darkroom.input": json.dumps(taken),
        "darkroom.trainer": job.trainer.name,
    }


def export(network: nn.Module, pixels: torch.Tensor, outputs: Sequence[str], metadata: Mapping[str, str]) -> bytes:
    """
    The file of a network in evaluation, on a processor, traced with two or more pictures. Raises JobFailed where it cannot
    be written, is too large, or answers these pictures otherwise.
    """
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(folder) / "model.onnx"
        shapes = ({0: torch.export.Dim("N")},)
        torch.onnx.export(
            network, (pixels,), file, input_names=["input"], output_names=list(outputs), opset_version=OPSET,
            dynamic_shapes=shapes, external_data=False, optimize=True, dynamo=True, verbose=False,
        )  # fmt: skip
        model = onnx.load(file)
    return _finished(model, metadata)


def _finished(model: onnx.ModelProto, metadata: Mapping[str, str]) -> bytes:
    # where the code stood that made each node is of no use to a reader, and differs between machines
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in [*model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer]:
        del value.metadata_props[:]
    del model.metadata_props[:], model.graph.metadata_props[:]
    for key, text in sorted(metadata.items()):
        model.metadata_props.add(key=key, value=text)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString(deterministic=True)
    if len(data) > MAX_MODEL_BYTES:
        raise JobFailed(f"the model has {len(data)} bytes and may have {MAX_MODEL_BYTES}: choose a smaller network")
    return data


class Session:
    """A finished file, as it is served."""

    def __init__(self, data: bytes, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    @property
    def metadata(self) -> dict[str, str]:
        """What the file says of itself."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    def run(self, pixels: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
        """The outputs, in the file's order."""
        return [np.asarray(output) for output in self._session.run(None, {"input": pixels.astype(np.float32)})]


def assert_equal(made: Sequence[np.ndarray[Any, Any]], wanted: Sequence[np.ndarray[Any, Any]]) -> None:
    """Raises JobFailed where a file's outputs are not the network's."""
    for number, (a, b) in enumerate(zip(made, wanted, strict=True)):
        worst = float(np.max(np.abs(a - b) / np.maximum(1, np.abs(b)), initial=0))
        if a.shape != b.shape or not worst <= TOLERANCE:
            raise JobFailed(f"output {number} of the exported model differs by {worst} from the trained one")
