"""Jobs with tiny pictures on a stand-in for storage."""

import hashlib
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import torch
from blob_server import BlobServer
from PIL import Image

# threads of so small networks wait for each other more than they compute, on a busy machine for minutes
torch.set_num_threads(1)

FOLDER = "/job-reports/stripes/r-1/t-1"


def stripes(number: int) -> bytes:
    """Stripes across where the number is even, along where it is odd: brightness alone does not tell."""
    at = np.arange(16)
    pattern = ((at + number) % 4 < 2)[:, None] if number % 2 else ((at + number) % 4 < 2)[None, :]
    pixels = np.where(np.broadcast_to(pattern, (16, 16))[..., None], 220 - number, 30).repeat(3, axis=2)
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


class PublishedJob:
    """A job document, its manifest and its pictures on the server, and what the job said."""

    def __init__(self, server: BlobServer) -> None:
        self.server = server
        self.lines: list[dict[str, Any]] = []
        self.document: dict[str, Any] = {}

    def add(self, data: bytes, split: str, **shown: Any) -> str:
        md5 = hashlib.md5(data).hexdigest()
        self.server.blobs[f"/datasets/{md5}"] = data
        self.lines.append({"url": f"{self.server.base}/datasets/{md5}?sig=x", "md5": md5, "split": split, **shown})
        return md5

    def publish(self, **change: Any) -> None:
        base = self.server.base
        manifest = "".join(f"{json.dumps(line)}\n" for line in self.lines)
        self.server.blobs["/jobs/manifest.ndjson"] = manifest.encode()
        outputs = {name: f"{base}/jobs/out/{name}?sig=x" for name in ("model.onnx", "metrics.json", "smoke.json")}
        self.document = {
            "run": "r-1",
            "project": "stripes",
            "token": "t-1",
            "attempt": 1,
            "manifestUrl": f"{base}/jobs/manifest.ndjson?sig=x",
            "classes": ["level", "upright"],
            "image": {"width": 32, "height": 32, "channels": 3},
            "trainer": {"name": "pytorch-classifier", "parameters": SMALL},
            "seed": 3,
            "datasetVersion": "v-0001",
            "deadline": (datetime.now(UTC) + timedelta(minutes=30)).isoformat(),
            "heartbeatSeconds": 30,
            "outputs": outputs,
            "reports": {"urlTemplate": f"{base}{FOLDER}/{{sequence}}.json?sig=x", "maximum": 100},
            "cancelRequested": False,
            **change,
        }
        self.server.blobs["/jobs/job.json"] = json.dumps(self.document).encode()

    def cancel(self) -> None:
        self.server.blobs["/jobs/job.json"] = json.dumps({**self.document, "cancelRequested": True}).encode()

    @property
    def reports(self) -> list[dict[str, Any]]:
        return [json.loads(self.server.blobs[path]) for path in sorted(self.server.blobs) if path.startswith(FOLDER)]

    def output(self, name: str) -> bytes:
        return self.server.blobs[f"/jobs/out/{name}"]


SMALL: dict[str, Any] = {"backbone": "test_efficientnet", "epochs": 2, "batchSize": 4}


@pytest.fixture
def server() -> Iterator[BlobServer]:
    with BlobServer() as running:
        yield running


@pytest.fixture
def published(server: BlobServer, monkeypatch: pytest.MonkeyPatch) -> PublishedJob:
    """Twelve samples to train on and four to validate; `publish` again to change the job."""
    monkeypatch.setenv("DARKROOM_JOB_URL", f"{server.base}/jobs/job.json?sig=x")
    monkeypatch.setenv("CONTAINER_APP_JOB_EXECUTION_NAME", "execution-1")
    monkeypatch.setenv("DARKROOM_TRAINER_THREADS", "1")
    ready = PublishedJob(server)
    for number in range(16):
        ready.add(stripes(number), "train" if number < 12 else "validation", label="level" if number % 2 else "upright")
    ready.publish()
    return ready
