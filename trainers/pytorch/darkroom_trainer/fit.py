"""The steps of a training, the same for every kind of model: rate, precision, averaged weights, early stopping, resuming."""

import copy
import io
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from timm.utils import ModelEmaV3
from torch import nn

from darkroom_trainer.machine import Machine
from darkroom_trainer.parameters import Parameters

CLIP_NORM = 10.0
"""Of the gradient: what diverges for a step does not end a training."""


Network = Callable[[torch.Tensor], Any]
"""A module, by what it answers."""


class Task(Protocol):
    """What a kind of model is trained on, and how it is judged."""

    @property
    def places(self) -> Sequence[int]:
        """Of the samples to train on."""

    def batches(self, parts: Sequence[Sequence[int]]) -> Iterator[torch.Tensor]:
        """Pixels of each part, on the device."""

    def loss(self, network: Network, pixels: torch.Tensor, places: Sequence[int], random: torch.Generator) -> torch.Tensor:
        """Of one batch, augmented by `random`."""

    def measure(self, network: nn.Module) -> tuple[float | None, dict[str, float]]:
        """How good the network is on validation (higher is better; None: nothing tells), and what a person reads of it."""


@dataclass
class Progress:
    """Where a training is: all that a later attempt goes on from, beside the weights."""

    step: int = 0
    loss_sum: float = 0.0
    best_score: float = -math.inf
    best_epoch: int = 0
    best: dict[str, torch.Tensor] | None = None
    history: list[dict[str, float]] = field(default_factory=list)
    ended: bool = False


@dataclass(frozen=True)
class Events:
    """Called between steps; `after_step` may raise, and the training ends."""

    after_step: Callable[[int, int], None]
    after_epoch: Callable[[dict[str, float]], None]
    may_keep: Callable[[Callable[[], bytes]], None] = lambda _: None
    """Takes the whole state, where it is time to keep it."""


class Fit:
    """One training: `run` to its end, `state` and `load` at any step. All randomness follows from the seed and the step."""

    def __init__(self, network: nn.Module, task: Task, parameters: Parameters, seed: int, machine: Machine) -> None:
        self._task, self._given, self._seed, self._machine = task, parameters, seed, machine
        self._network = network.to(machine.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._steps_each = max(1, len(task.places) // parameters.batch_size)
        self._steps = self._steps_each * parameters.epochs
        decayed = [weight for weight in network.parameters() if weight.requires_grad and weight.ndim > 1]
        plain = [weight for weight in network.parameters() if weight.requires_grad and weight.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": parameters.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        self._optimizer = torch.optim.AdamW(groups, lr=parameters.learning_rate)
        self._scaler = torch.amp.GradScaler(machine.device.type, enabled=machine.precision is torch.float16)
        self._ema = ModelEmaV3(network, decay=parameters.ema, use_warmup=True) if parameters.ema > 0 else None
        self.progress = Progress()

    def run(self, events: Events) -> list[dict[str, float]]:
        """Trains to the end; the network has the best weights then. Returns the history, one entry for each epoch."""
        while not self._is_over():
            self._run_epoch(events)
        if self.progress.best is not None:
            self._network.load_state_dict(self.progress.best)
        self._network.eval()
        return self.progress.history

    def state(self) -> bytes:
        """All that `load` needs."""
        kept = {
            "network": self._network.state_dict(),
            "ema": None if self._ema is None else self._ema.module.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
            "progress": vars(self.progress),
        }
        buffer = io.BytesIO()
        torch.save(kept, buffer)
        return buffer.getvalue()

    def load(self, state: bytes) -> None:
        """Goes on from a state of the same training. Raises what PyTorch raises where it is none."""
        kept = torch.load(io.BytesIO(state), map_location=self._machine.device, weights_only=True)
        self._network.load_state_dict(kept["network"])
        if self._ema is not None:
            self._ema.module.load_state_dict(kept["ema"])
        self._optimizer.load_state_dict(kept["optimizer"])
        self._scaler.load_state_dict(kept["scaler"])
        self.progress = Progress(**kept["progress"])

    def _is_over(self) -> bool:
        return self.progress.ended or self.progress.step >= self._steps

    def _run_epoch(self, events: Events) -> None:
        epoch, first = divmod(self.progress.step, self._steps_each)
        parts = self._parts(epoch)[first:]
        for part, pixels in zip(parts, self._task.batches(parts), strict=True):
            self._network.train()
            self.progress.loss_sum += self._step(part, pixels)
            self.progress.step += 1
            # an epoch is kept after it was judged: a later attempt would not judge it again
            if self.progress.step % self._steps_each != 0:
                events.may_keep(self.state)
            events.after_step(self.progress.step, self._steps)
        self._judge(epoch + 1, events)

    def _judge(self, epoch: int, events: Events) -> None:
        judged = self._network if self._ema is None else self._ema.module
        judged.eval()
        score, metrics = self._task.measure(judged)
        now = self.progress
        entry = {"epoch": float(epoch), "loss": now.loss_sum / self._steps_each, **metrics}
        now.loss_sum = 0.0
        now.history.append(entry)
        # as long as nothing tells, the latest weights are the best: a detector sees nothing in its first epochs
        nothing_tells = score is None and now.best_score == -math.inf
        if nothing_tells or (score is not None and score > now.best_score):
            now.best_score, now.best_epoch = now.best_score if score is None else score, epoch
            now.best = copy.deepcopy(judged.state_dict())
        now.ended = epoch - now.best_epoch >= self._given.patience
        events.may_keep(self.state)
        events.after_epoch(entry)

    def _parts(self, epoch: int) -> list[list[int]]:
        """Batches of an epoch, in an order of its own; what does not come out even waits for another epoch."""
        order = torch.randperm(len(self._task.places), generator=self._random(epoch, 1)).tolist()
        size = min(self._given.batch_size, len(order))
        places = [self._task.places[at] for at in order]
        return [places[at * size : (at + 1) * size] for at in range(self._steps_each)]

    def _step(self, part: Sequence[int], pixels: torch.Tensor) -> float:
        step = self.progress.step
        torch.manual_seed(self._number(step, 2))
        for group in self._optimizer.param_groups:
            group["lr"] = self._given.learning_rate * rate_at(step, self._steps, self._given.warm_up)
        self._optimizer.zero_grad(set_to_none=True)
        batch = pixels.contiguous(memory_format=torch.channels_last)
        with self._mixed():
            loss = self._task.loss(self._network, batch, part, self._random(step, 3))
        self._scaler.scale(loss).backward()
        self._scaler.unscale_(self._optimizer)
        nn.utils.clip_grad_norm_(self._network.parameters(), CLIP_NORM)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        if self._ema is not None:
            self._ema.update(self._network, step=step)
        return float(loss.detach())

    def _mixed(self) -> AbstractContextManager[Any]:
        if self._machine.precision is torch.float32:
            return nullcontext()
        return torch.autocast(self._machine.device.type, dtype=self._machine.precision)

    def _random(self, number: int, stream: int) -> torch.Generator:
        return torch.Generator().manual_seed(self._number(number, stream))

    def _number(self, number: int, stream: int) -> int:
        """A seed of its own for every step and use; the odd factors spread neighbours."""
        return (self._seed * 0x9E3779B97F4A7C15 + number * 0xBF58476D1CE4E5B9 + stream * 0x94D049BB133111EB) % 2**63


def rate_at(step: int, steps: int, warm_up: float) -> float:
    """Share of the learning rate: rises over the share `warm_up` of the steps, then falls as a cosine to a hundredth."""
    rising = max(1, round(steps * warm_up)) if warm_up > 0 else 0
    if step < rising:
        return (step + 1) / rising
    done = (step - rising) / max(1, steps - rising)
    return 0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2
