"""What a job computes on."""

import os
from dataclasses import dataclass
from typing import Any, Literal

import torch

from darkroom_trainer.reporter import JobFailed


@dataclass(frozen=True)
class Machine:
    """A device, and the precision of the steps on it."""

    device: torch.device
    precision: torch.dtype
    threads: int

    def told(self) -> dict[str, Any]:
        """In the words of the first report."""
        accelerator = {"accelerator": torch.cuda.get_device_name(self.device)} if self.device.type == "cuda" else {}
        return {"executionProvider": f"pytorch-{self.device.type}", "threads": self.threads, **accelerator}


def choose_machine(precision: Literal["auto", "float32", "float16", "bfloat16"]) -> Machine:
    """
    The GPU where there is one (DARKROOM_EXECUTION_PROVIDER: auto, cpu or cuda) and the threads of DARKROOM_TRAINER_THREADS,
    two at most by default. Raises JobFailed where that cannot be had.
    """
    wanted = os.environ.get("DARKROOM_EXECUTION_PROVIDER", "auto")
    if wanted not in {"auto", "cpu", "cuda"}:
        raise JobFailed(f"DARKROOM_EXECUTION_PROVIDER is {wanted} and has to be auto, cpu or cuda")
    if wanted == "cuda" and not torch.cuda.is_available():
        raise JobFailed("DARKROOM_EXECUTION_PROVIDER is cuda, and PyTorch finds no GPU that it can use")
    device = torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")
    threads = int(os.environ.get("DARKROOM_TRAINER_THREADS", min(2, os.cpu_count() or 1)))
    torch.set_num_threads(threads)
    return Machine(device, _precision_on(device, precision), threads)


def _precision_on(device: torch.device, asked: str) -> torch.dtype:
    if asked == "auto":
        if device.type == "cpu":
            return torch.float32
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if asked == "float16" and device.type == "cpu":
        raise JobFailed("precision float16 needs a GPU; a processor takes float32 or bfloat16")
    return {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}[asked]


def be_deterministic() -> None:
    """
    The same job gives the same weights on machines of one type. Operators without a deterministic form (on a GPU the
    backward pass of some resizes and gathers) warn and go on.
    """
    # cuBLAS is deterministic with a workspace of its own: https://docs.nvidia.com/cuda/cublas/#results-reproducibility
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
