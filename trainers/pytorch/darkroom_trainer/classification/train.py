"""Trains a classifier: a timm backbone, all of it or a linear head on its features."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import timm
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from darkroom_trainer.augment import augment
from darkroom_trainer.classification.linear_head import fit_linear_head
from darkroom_trainer.contract import Job
from darkroom_trainer.export import Session, assert_equal, export, metadata_of
from darkroom_trainer.fit import Events, Fit, Network
from darkroom_trainer.machine import Machine
from darkroom_trainer.parameters import ClassifierParameters
from darkroom_trainer.reporter import JobFailed
from darkroom_trainer.samples import Samples
from darkroom_trainer.served import Normalise
from darkroom_trainer.trained import SMOKE_SAMPLES, Trained, metrics_file
from darkroom_trainer.weights import load_weights

MEASURED_AT_ONCE = 64


class Classifier(nn.Module):
    """Raw pixels to logits; `served` adds the softmax."""

    def __init__(self, normalise: Normalise, backbone: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.normalise, self.backbone = normalise, backbone
        self.head: nn.Linear = head

    def features(self, pixels: torch.Tensor) -> torch.Tensor:
        """What the head sees of raw pixels, [N, features]."""
        seen: torch.Tensor = self.backbone(self.normalise(pixels))
        return seen

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Logits [N, classes]."""
        logits: torch.Tensor = self.head(self.features(pixels))
        return logits


def build(job: Job, given: ClassifierParameters) -> tuple[Classifier, str]:
    """The network before it is trained, and where its weights come from. Raises JobFailed for a backbone that timm has not."""
    torch.manual_seed(job.seed)
    if not timm.is_model(given.backbone):
        raise JobFailed(f"timm {timm.__version__} has no model {given.backbone}")
    try:
        # a transformer is made for one size; a network of convolutions takes any and knows no such argument
        backbone: Any = timm.create_model(given.backbone, pretrained=False, num_classes=0)
    except (TypeError, ValueError, RuntimeError) as error:
        raise JobFailed(f"timm cannot make {given.backbone}: {error}") from error
    came_from = load_weights(backbone, given.backbone, given.weights)
    taught = backbone.pretrained_cfg
    normalise = Normalise(job.image, taught["mean"], taught["std"], given.side)
    # of the embedding: some networks (MobileNetV3) have a layer between the last map and it
    return Classifier(normalise, backbone, nn.Linear(backbone.head_hidden_size, len(job.classes))), came_from


class Classification:
    """Samples with one label each, as `Fit` asks for them."""

    def __init__(self, job: Job, samples: Samples, given: ClassifierParameters, machine: Machine) -> None:
        self._samples, self._given, self._machine = samples, given, machine
        index = {name: number for number, name in enumerate(job.classes)}
        unknown = next((line.label for line in samples.lines if line.label not in index), None)
        if len(job.classes) < 2 or any(line.label not in index for line in samples.lines):
            said = f"the manifest has the label {unknown}" if len(job.classes) >= 2 else "a classifier needs two classes"
            raise JobFailed(f"{said}; the job's classes are {job.classes}")
        self.labels = torch.tensor([index[line.label] for line in samples.lines if line.label is not None])
        self.places = samples.split("train")
        self.validation = samples.split("validation")
        if not self.places:
            raise JobFailed("there are no training samples")
        self.class_weights = _class_weights(self.labels[self.places], len(job.classes)) if given.class_weights else None

    def batches(self, parts: Sequence[Sequence[int]]) -> Iterator[torch.Tensor]:
        """Pixels of each part, on the device."""
        return self._samples.batches(parts, self._machine.device)

    def loss(self, network: Network, pixels: torch.Tensor, places: Sequence[int], random: torch.Generator) -> torch.Tensor:
        """Cross entropy, labels smoothed and classes weighted as asked."""
        device = self._machine.device
        weights = None if self.class_weights is None else self.class_weights.to(device)
        logits = network(augment(pixels, self._given.augment, random))
        labels = self.labels[list(places)].to(device)
        return cross_entropy(logits.float(), labels, weight=weights, label_smoothing=self._given.label_smoothing)

    def measure(self, network: nn.Module) -> tuple[float | None, dict[str, float]]:
        """Chosen by loss, not accuracy: on a few hundred samples accuracy has ties and jumps."""
        if not self.validation:
            return None, {}
        logits = self.outputs(network, self.validation)
        wanted = self.labels[self.validation]
        loss = float(cross_entropy(logits, wanted))
        return -loss, {"validation.loss": loss, "validation.accuracy": accuracy_of(logits, wanted)}

    def outputs(self, network: nn.Module, places: Sequence[int]) -> torch.Tensor:
        """What a network answers for some samples as they are, one row each."""
        parts = [places[at : at + MEASURED_AT_ONCE] for at in range(0, len(places), MEASURED_AT_ONCE)]
        with torch.inference_mode():
            return torch.cat([network(pixels).float().cpu() for pixels in self.batches(parts)])


def accuracy_of(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """Share of rows whose greatest number stands at the label."""
    return float((logits.argmax(dim=1) == labels).float().mean())


def _class_weights(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Such that every class weighs the same in all, and the mean sample 1."""
    counts = Counter(labels.tolist())
    return torch.tensor([len(labels) / (len(counts) * counts[number]) if counts[number] else 0.0 for number in range(classes)])


def train_classifier(
    job: Job, samples: Samples, given: ClassifierParameters, machine: Machine, events: Events, kept: bytes | None = None
) -> Trained:
    """From samples to the three files. Raises JobFailed, and what `events` raises."""
    network, came_from = build(job, given)
    task = Classification(job, samples, given, machine)
    if given.tune == "head":
        history = fit_linear_head(network, task, machine, events)
    else:
        fit = Fit(network, task, given, job.seed, machine)
        if kept is not None:
            fit.load(kept)
        history = fit.run(events)
    served = nn.Sequential(network, nn.Softmax(dim=1)).cpu().eval()
    shown = task.validation or task.places
    pixels = samples.batch((shown * 2)[:2]).float()
    model = export(served, pixels, ["probabilities"], metadata_of(job))
    answers = _answers(model, samples, shown[:SMOKE_SAMPLES], machine)
    with torch.inference_mode():
        wanted = served(samples.batch(shown[:SMOKE_SAMPLES]).float()).numpy()
    assert_equal([answers], [wanted])
    smoke = [
        {"md5": samples.lines[place].md5, "probabilities": row.tolist()}
        for place, row in zip(task.validation[:SMOKE_SAMPLES], answers, strict=False)
    ]
    counts = {"train": len(task.places), "validation": len(task.validation)}
    best = min(history, key=lambda entry: entry.get("validation.loss", -entry["epoch"]))
    return Trained(model, metrics_file(job, given, machine, came_from, counts, history, best), smoke)


def _answers(model: bytes, samples: Samples, places: Sequence[int], machine: Machine) -> np.ndarray[Any, Any]:
    session = Session(model, machine.threads)
    return np.concatenate([session.run(samples.batch([place]).numpy())[0] for place in places])
