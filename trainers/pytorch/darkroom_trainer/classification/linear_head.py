"""A linear head on the features of a frozen backbone, computed once: seconds of training, and hard to beat on few pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from darkroom_trainer.fit import Events
from darkroom_trainer.machine import Machine

if TYPE_CHECKING:
    from darkroom_trainer.classification.train import Classification, Classifier

C = 100.0
"""Inverse of the L2 penalty, in units of the summed loss, on features of unit scale: found by cross-validation on clip art."""
MAX_STEPS = 200
FEATURES_AT_ONCE = 32


def fit_linear_head(network: Classifier, task: Classification, machine: Machine, events: Events) -> list[dict[str, float]]:
    """Fits the head by L-BFGS and puts it into the network. Returns a history of one entry; `events` hear of every batch."""
    network.to(machine.device).eval()
    places = [*task.places, *task.validation]
    features = _features(network, task, places, events)
    count = len(task.places)
    center = features[:count].mean(dim=0)
    scale = features[:count].std().clamp_min(1e-6)
    scaled = (features - center) / scale
    labels = task.labels[places]
    head = fit_logistic(scaled[:count], labels[:count], network.head.out_features, task.class_weights)
    # what was done to the features becomes part of the head
    with torch.no_grad():
        network.head.weight.copy_(head.weight / scale)
        network.head.bias.copy_(head.bias - (head.weight / scale) @ center)
        logits = head(scaled)
    entry = {
        "epoch": 1.0,
        "loss": float(cross_entropy(logits[:count], labels[:count])),
        "train.accuracy": _accuracy(logits[:count], labels[:count]),
    }
    if task.validation:
        entry["validation.loss"] = float(cross_entropy(logits[count:], labels[count:]))
        entry["validation.accuracy"] = _accuracy(logits[count:], labels[count:])
    events.after_epoch(entry)
    return [entry]


def _features(network: Classifier, task: Classification, places: list[int], events: Events) -> torch.Tensor:
    parts = [places[at : at + FEATURES_AT_ONCE] for at in range(0, len(places), FEATURES_AT_ONCE)]
    found = []
    with torch.inference_mode():
        for number, pixels in enumerate(task.batches(parts), start=1):
            found.append(network.features(pixels).float().cpu())
            events.after_step(number, len(parts))
    # outside of inference mode, so that the head can be differentiated
    return torch.cat(found).clone()


def fit_logistic(
    features: torch.Tensor, labels: torch.Tensor, classes: int, class_weights: torch.Tensor | None = None
) -> nn.Linear:
    """Multinomial logistic regression, L2 penalty of 1 / (2 C) on the weights: convex, so where it begins does not matter."""
    head = nn.Linear(features.shape[1], classes)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=MAX_STEPS, line_search_fn="strong_wolfe")

    def closure() -> float:
        optimizer.zero_grad()
        loss = cross_entropy(head(features), labels, weight=class_weights)
        loss = loss + head.weight.square().sum() / (2 * C * len(features))
        loss.backward()
        return float(loss.detach())

    optimizer.step(closure)
    return head


def _accuracy(logits: torch.Tensor, labels: torch.Tensor) -> float:
    return float((logits.argmax(dim=1) == labels).float().mean())
