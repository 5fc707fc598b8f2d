"""What a training leaves behind."""

from dataclasses import dataclass
from typing import Any

import torch

from darkroom_trainer.contract import Job
from darkroom_trainer.machine import Machine
from darkroom_trainer.parameters import Parameters

SMOKE_SAMPLES = 16


@dataclass(frozen=True)
class Trained:
    """The three files of a job."""

    model: bytes
    metrics: dict[str, Any]
    smoke: list[dict[str, Any]]


def metrics_file(
    job: Job,
    given: Parameters,
    machine: Machine,
    weights: str,
    samples: dict[str, int],
    history: list[dict[str, float]],
    best: dict[str, float],
) -> dict[str, Any]:
    """How a training went. No time, no run: equal trainings give equal files."""
    return {
        "trainer": job.trainer.model_dump(by_alias=True),
        "parameters": given.model_dump(by_alias=True),
        "weights": weights,
        "seed": job.seed,
        "datasetVersion": job.dataset_version,
        "samples": samples,
        "precision": str(machine.precision).removeprefix("torch."),
        "pytorch": torch.__version__,
        "final": best,
        "history": history,
    }
