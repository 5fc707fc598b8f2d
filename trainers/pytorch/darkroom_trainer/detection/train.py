"""Trains a detector on any backbone, and exports it in the one form in which detectors are served."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from darkroom_trainer.contract import Job
from darkroom_trainer.detection.answers import Seen, seen_in
from darkroom_trainer.detection.architectures import ARCHITECTURES
from darkroom_trainer.detection.average_precision import Quality, quality_of
from darkroom_trainer.detection.boxes import augment_boxes, targets_of
from darkroom_trainer.detection.detector import Detector
from darkroom_trainer.detection.maps import Backbone
from darkroom_trainer.export import TOLERANCE, Session, export, metadata_of
from darkroom_trainer.fit import Events, Fit
from darkroom_trainer.machine import Machine
from darkroom_trainer.parameters import DetectorParameters
from darkroom_trainer.reporter import JobFailed
from darkroom_trainer.samples import Samples
from darkroom_trainer.trained import SMOKE_SAMPLES, Trained, metrics_file

MEASURED_AT_ONCE = 8
LEAST_MEASURED = 0.05
"""Scores below it are no part of the average precision that chooses the weights: they cost time and change nothing."""
MOST_COMPARED = 50
"""The surest places of a picture that file and network have to agree on."""
Places = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]
"""Boxes [K, 4] and scores [K, classes]."""
MOST_ANSWERED = 300
"""Boxes of a picture that the backend answers with."""


class Detection:
    """Samples with boxes, as `Fit` asks for them."""

    def __init__(self, job: Job, samples: Samples, given: DetectorParameters, machine: Machine, nms_iou: float) -> None:
        self._job, self._samples, self._given, self._machine, self._nms_iou = job, samples, given, machine, nms_iou
        index = {name: number for number, name in enumerate(job.classes)}
        self.targets = [targets_of(line, index, samples.scales(place)) for place, line in enumerate(samples.lines)]
        self.places = samples.split("train")
        self.validation = samples.split("validation")
        if not any(len(self.targets[place]["labels"]) for place in self.places):
            raise JobFailed("no training sample shows an object")

    def batches(self, parts: Sequence[Sequence[int]]) -> Iterator[torch.Tensor]:
        """Pixels of each part, on the device."""
        return self._samples.batches(parts, self._machine.device)

    def loss(self, network: Any, pixels: torch.Tensor, places: Sequence[int], random: torch.Generator) -> torch.Tensor:
        """The architecture's own, of pictures that were changed."""
        device = self._machine.device
        targets = [{key: value.to(device) for key, value in self.targets[place].items()} for place in places]
        changed, moved = augment_boxes(pixels, targets, self._given.augment, random)
        loss: torch.Tensor = network.loss(changed.contiguous(memory_format=torch.channels_last), moved)
        return loss

    def measure(self, network: Any) -> tuple[float | None, dict[str, float]]:
        """Chosen by AP at IoU 0.5, and by AP between equals."""
        if not self.validation:
            return None, {}
        quality = self.quality(network)
        said = {"validation.ap50": quality.ap50, "validation.ap": quality.ap, "validation.f1": quality.f1}
        return (quality.ap50 + 1e-3 * quality.ap or None), said

    def quality(self, network: Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]) -> Quality:
        """Of a network on the validation samples."""
        parts = [self.validation[at : at + MEASURED_AT_ONCE] for at in range(0, len(self.validation), MEASURED_AT_ONCE)]
        seen: list[Seen] = []
        with torch.inference_mode():
            for part, pixels in zip(parts, self.batches(parts), strict=True):
                boxes, scores = (said.float().cpu() for said in network(pixels))
                seen += [self.seen(place, boxes[at], scores[at], LEAST_MEASURED) for at, place in enumerate(part)]
        return quality_of(seen, [self.targets[place] for place in self.validation], len(self._job.classes))

    def seen(self, place: int, boxes: torch.Tensor, scores: torch.Tensor, least: float) -> Seen:
        """What a network sees in one sample, in pixels of the input."""
        return seen_in(boxes, scores, self._samples.filled(place), least, self._nms_iou)

    def answer(self, place: int, boxes: torch.Tensor, scores: torch.Tensor, least: float) -> dict[str, Any]:
        """The same as a line of smoke.json, in pixels of the picture."""
        seen = self.seen(place, boxes, scores, least)
        across, down = self._samples.scales(place)
        objects = [
            {
                "class": self._job.classes[int(label)],
                "score": float(score),
                "x": x1 / across,
                "y": y1 / down,
                "width": (x2 - x1) / across,
                "height": (y2 - y1) / down,
            }
            for (x1, y1, x2, y2), label, score in zip(seen.boxes.tolist(), seen.labels, seen.scores, strict=True)
        ]
        return {"md5": self._samples.lines[place].md5, "boxes": objects[:MOST_ANSWERED]}


def build(job: Job, given: DetectorParameters) -> tuple[Detector, str]:
    """The network before it is trained, and where the weights of its backbone come from. Raises JobFailed."""
    torch.manual_seed(job.seed)
    backbone = Backbone(job.image, given.backbone, given.weights, frozen=given.tune == "head")
    return ARCHITECTURES[given.architecture](backbone, job.image, len(job.classes), given.width), backbone.came_from


def train_detector(
    job: Job, samples: Samples, given: DetectorParameters, machine: Machine, events: Events, kept: bytes | None = None
) -> Trained:
    """From samples to the three files. Raises JobFailed, and what `events` raises."""
    if not job.classes:
        raise JobFailed("a detector needs a class")
    network, came_from = build(job, given)
    task = Detection(job, samples, given, machine, network.nms_iou)
    fit = Fit(network, task, given, job.seed, machine)
    if kept is not None:
        fit.load(kept)
    history = fit.run(events)
    served = network.cpu().eval()
    threshold = task.quality(served).threshold if task.validation else 0.3
    shown = (task.validation or task.places)[:SMOKE_SAMPLES]
    metadata = {**metadata_of(job), "nms_iou": str(network.nms_iou), "score_threshold": f"{threshold:.4f}"}
    model = export(served, samples.batch([shown[0], shown[-1]]).float(), ["boxes", "scores"], metadata)
    answers = _answers(served, model, samples, shown, machine)
    smoke = [
        task.answer(place, *answer, float(metadata["score_threshold"])) for place, answer in zip(shown, answers, strict=True)
    ]
    counts = {"train": len(task.places), "validation": len(task.validation)}
    best = history[fit.progress.best_epoch - 1]
    return Trained(model, metrics_file(job, given, machine, came_from, counts, history, best), smoke if task.validation else [])


def _answers(
    served: Detector, model: bytes, samples: Samples, places: Sequence[int], machine: Machine
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """What the file answers for some samples, each compared with what the network does."""
    session = Session(model, machine.threads)
    answers = []
    for place in places:
        pixels = samples.batch([place]).float()
        boxes, scores = session.run(pixels.numpy())
        with torch.inference_mode():
            wanted = [said.numpy() for said in served(pixels)]
        assert_same_places((boxes[0], scores[0]), (wanted[0][0], wanted[1][0]))
        answers.append((torch.from_numpy(boxes[0]), torch.from_numpy(scores[0])))
    return answers


def assert_same_places(made: Places, wanted: Places) -> None:
    """
    Raises JobFailed where one of the surest places of a file is none of the network's, or the other way round. Their order,
    and which of the least sure ones there are, says rounding.
    """
    for some, others in ((made, wanted), (wanted, made)):
        surest = np.argsort(-some[1].max(axis=1), kind="stable")[:MOST_COMPARED]
        (boxes, scores), (all_boxes, all_scores) = (some[0][surest], some[1][surest]), others
        off_boxes = np.abs(boxes[:, None] - all_boxes) / np.maximum(1, np.abs(boxes[:, None]))
        off = np.maximum(off_boxes.max(axis=2), np.abs(scores[:, None] - all_scores).max(axis=2)).min(axis=1)
        if not off.max(initial=0) <= TOLERANCE:
            raise JobFailed(f"a place of the exported model differs by {off.max()} from the trained one")
