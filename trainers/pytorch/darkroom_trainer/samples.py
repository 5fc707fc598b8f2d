"""The samples that a manifest lists: fetched once, decoded once where they fit, read by many threads."""

import errno
import math
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch

from darkroom_trainer.contract import ImageShape, Job, Line, max_unreadable
from darkroom_trainer.http import Damaged, Http, HttpError
from darkroom_trainer.pixels import Array, Unreadable, read_pixels
from darkroom_trainer.reporter import JobFailed, Reporter

MAX_MANIFEST_BYTES = 256 << 20
MAX_IMAGE_BYTES = 64 << 20
CONCURRENT_DOWNLOADS = 8
MAX_DECODED_BYTES = 16 << 30
"""Of decoded pictures kept on disk, where the system's cache keeps them in memory as far as there is room."""
DISK_SHARE = 0.5
"""Of the free disk that decoded pictures may take; the files need their own."""
OF_THE_SAMPLE = frozenset({404, 410, 413})
"""Answers of storage that another try does not change: the blob is gone, or too large to be a sample."""
BATCHES_AHEAD = 3


class Samples:
    """Samples of a job that could be read, with their pixels."""

    def __init__(self, shape: ImageShape, count: int, folder: Path) -> None:
        self._shape, self._folder = shape, folder
        dtype = np.dtype(np.float32 if shape.range == "found" else np.uint8)
        bytes_each = shape.channels * shape.height * shape.width * dtype.itemsize
        budget = min(MAX_DECODED_BYTES, int(shutil.disk_usage(folder).free * DISK_SHARE))
        self._slots = min(count, budget // bytes_each)
        size = (max(1, self._slots), shape.channels, shape.height, shape.width)
        self._decoded = np.memmap(_allocated(folder / "decoded", size, dtype), dtype=dtype, mode="r+", shape=size)
        self._scales = np.ones((count, 2), dtype=np.float64)
        self._filled = np.zeros((count, 2), dtype=np.int32)
        self.lines: list[Line] = []
        self._kept: list[int] = []

    def file_of(self, index: int) -> Path:
        """Where the file of the manifest's line lies until it is decoded."""
        return self._folder / str(index)

    def put(self, index: int) -> None:
        """Decodes the file of the manifest's line. Raises Unreadable."""
        file = self.file_of(index)
        pixels = read_pixels(file.read_bytes(), self._shape)
        self._scales[index] = pixels.scale_x, pixels.scale_y
        self._filled[index] = pixels.filled
        if index < self._slots:
            self._decoded[index] = pixels.values
            file.unlink()

    def keep(self, lines: Sequence[Line | None]) -> None:
        """Names the samples that are there, in the manifest's order."""
        self._kept = [index for index, line in enumerate(lines) if line is not None]
        self.lines = [line for line in lines if line is not None]

    def split(self, name: str) -> list[int]:
        """Places of the samples of a split."""
        return [place for place, line in enumerate(self.lines) if line.split == name]

    def read(self, place: int) -> Array:
        """Pixels of one sample, [channels, height, width]."""
        index = self._kept[place]
        if index >= self._slots:
            return read_pixels(self.file_of(index).read_bytes(), self._shape).values
        decoded: Array = self._decoded[index]
        return decoded

    def scales(self, place: int) -> tuple[float, float]:
        """Pixels of the input for one pixel of the picture, across and down."""
        scale_x, scale_y = self._scales[self._kept[place]]
        return float(scale_x), float(scale_y)

    def filled(self, place: int) -> tuple[float, float]:
        """Pixels of the input that the picture fills, across and down."""
        filled = self._filled[self._kept[place]]
        return float(filled[0]), float(filled[1])

    def batch(self, places: Iterable[int]) -> torch.Tensor:
        """Pixels [N, channels, height, width] of some samples."""
        return torch.from_numpy(np.stack([self.read(place) for place in places]))

    def batches(self, parts: Sequence[Sequence[int]], device: torch.device) -> Iterator[torch.Tensor]:
        """Pixels of each part on the device, as floats; the next parts are decoded while one is used."""
        with ThreadPoolExecutor(max_workers=BATCHES_AHEAD) as pool:
            left = iter(parts)
            ahead: deque[Future[torch.Tensor]] = deque()

            def fetch() -> None:
                for part in left:
                    ahead.append(pool.submit(self._pinned if device.type == "cuda" else self.batch, part))
                    return

            for _ in range(BATCHES_AHEAD):
                fetch()
            while ahead:
                batch = ahead.popleft().result()
                fetch()
                yield batch.to(device, non_blocking=True).float()

    def _pinned(self, places: Sequence[int]) -> torch.Tensor:
        return self.batch(places).pin_memory()


def _allocated(file: Path, size: tuple[int, ...], dtype: np.dtype[Any]) -> Path:
    """A file whose room is there for certain: a full disk is an OSError now, and would end the process later."""
    with file.open("wb") as out:
        os.posix_fallocate(out.fileno(), 0, math.prod(size) * dtype.itemsize)
    return file


def read_manifest(job: Job, http: Http) -> list[Line]:
    """The manifest's lines. Raises JobFailed where one is none."""
    text = http.get(job.manifest_url, MAX_MANIFEST_BYTES).decode()
    lines: list[Line] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            lines.append(Line.model_validate_json(line))
        except ValueError as error:
            raise JobFailed(f"line {number} of the manifest: {error}") from error
    return lines


def read_samples(job: Job, lines: list[Line], http: Http, reporter: Reporter, folder: Path) -> Samples:
    """
    Fetches and decodes all samples; those that cannot be read are told and left out. Raises JobFailed when they are more
    than a job may leave out, or the disk is full.
    """
    samples = Samples(job.image, len(lines), folder)
    kept: list[Line | None] = list(lines)
    left_out: list[str] = []

    def take(index: int) -> str | None:
        line = lines[index]
        try:
            http.download(line.url, samples.file_of(index), MAX_IMAGE_BYTES, line.md5)
            samples.put(index)
        except HttpError as error:
            if error.status not in OF_THE_SAMPLE:
                raise
            return f"its address: {error}"
        except (Damaged, Unreadable) as error:
            return str(error)
        return None

    pool = ThreadPoolExecutor(max_workers=CONCURRENT_DOWNLOADS)
    try:
        for index, problem in enumerate(pool.map(take, range(len(lines)))):
            if problem is not None:
                kept[index] = None
                left_out.append(f"{lines[index].md5} ({problem})")
                reporter.leave_out(lines[index].md5, problem)
                if len(left_out) > max_unreadable(len(lines)):
                    raise JobFailed(_too_many(left_out, len(lines)))
            reporter.progress("download", index + 1, len(lines))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise JobFailed(f"the disk of {folder} is full: {len(lines)} samples need more") from error
    finally:
        pool.shutdown(cancel_futures=True)
    samples.keep(kept)
    return samples


def _too_many(left_out: list[str], samples: int) -> str:
    named = ", ".join(left_out[:3])
    return f"{len(left_out)} and maybe more of {samples} samples cannot be read, more than 1 %: {named}"


def work_folder() -> tempfile.TemporaryDirectory[str]:
    """Where a job keeps its files while it runs (TMPDIR)."""
    return tempfile.TemporaryDirectory(prefix="darkroom-")
