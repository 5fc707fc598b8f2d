"""The steps of a training."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch
from torch import nn

from darkroom_trainer.fit import Events, Fit, rate_at
from darkroom_trainer.machine import Machine
from darkroom_trainer.parameters import Parameters

CPU = Machine(torch.device("cpu"), torch.float32, 1)


class Interrupted(Exception):
    pass


class Sums:
    """Whether the numbers of a picture are more than half in all: a task with dropout, noise and 20 samples."""

    def __init__(self, scores: Sequence[float | None] | None = None) -> None:
        random = torch.Generator().manual_seed(1)
        self.pixels = torch.rand(20, 1, 4, 4, generator=random)
        self.labels = (self.pixels.mean(dim=(1, 2, 3)) > 0.5).float()
        self.places = list(range(20))
        self.scores = None if scores is None else iter(scores)

    def batches(self, parts: Sequence[Sequence[int]]) -> Iterator[torch.Tensor]:
        return (self.pixels[list(part)] for part in parts)

    def loss(self, network: Any, pixels: torch.Tensor, places: Sequence[int], random: torch.Generator) -> torch.Tensor:
        noisy = pixels + torch.randn(pixels.shape, generator=random) * 0.01
        return nn.functional.binary_cross_entropy_with_logits(network(noisy).flatten(), self.labels[list(places)])

    def measure(self, network: Any) -> tuple[float | None, dict[str, float]]:
        with torch.inference_mode():
            loss = float(nn.functional.binary_cross_entropy_with_logits(network(self.pixels).flatten(), self.labels))
        return -loss if self.scores is None else next(self.scores), {"validation.loss": loss}


def network() -> nn.Module:
    torch.manual_seed(4)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3), nn.Linear(16, 1))


def parameters(**change: Any) -> Parameters:
    return Parameters(**{"epochs": 6, "batch_size": 6, "learning_rate": 0.02, **change})


def quiet(**change: Any) -> Events:
    return Events(**{"after_step": lambda *_: None, "after_epoch": lambda _: None, **change})


@pytest.mark.parametrize("stop_at", [1, 3, 8, 17])
def test_a_training_that_was_interrupted_ends_as_one_that_was_not(stop_at: int) -> None:
    whole = network()
    history = Fit(whole, Sums(), parameters(), 7, CPU).run(quiet())
    kept: list[bytes] = []

    def stop(done: int, _: int) -> None:
        if done == stop_at:
            raise Interrupted

    first = Fit(network(), Sums(), parameters(), 7, CPU)
    kept.append(first.state())
    with pytest.raises(Interrupted):
        first.run(quiet(after_step=stop, may_keep=lambda state: kept.append(state())))
    second_network = network()
    for weight in second_network.parameters():
        nn.init.zeros_(weight)
    second = Fit(second_network, Sums(), parameters(), 7, CPU)
    second.load(kept[-1])
    assert second.progress.step >= stop_at - 1
    assert second.run(quiet()) == history
    for key, value in whole.state_dict().items():
        torch.testing.assert_close(second_network.state_dict()[key], value, rtol=0, atol=0)


def test_another_seed_gives_another_training() -> None:
    first = Fit(network(), Sums(), parameters(), 7, CPU).run(quiet())
    assert Fit(network(), Sums(), parameters(), 7, CPU).run(quiet()) == first
    assert Fit(network(), Sums(), parameters(), 8, CPU).run(quiet()) != first


def test_a_training_learns() -> None:
    history = Fit(network(), Sums(), parameters(epochs=60, ema=0.9, patience=60), 7, CPU).run(quiet())
    assert history[-1]["validation.loss"] < history[0]["validation.loss"] / 2


def test_a_training_ends_when_it_gets_no_better_and_has_the_best_weights() -> None:
    taught = network()
    fit = Fit(taught, Sums([0.1, 0.5, 0.2, 0.4]), parameters(patience=2, epochs=10), 7, CPU)
    history = fit.run(quiet())
    assert len(history) == 4
    assert fit.progress.best_epoch == 2
    assert fit.progress.best is not None
    torch.testing.assert_close(taught.state_dict(), fit.progress.best)


@pytest.mark.parametrize(
    ("scores", "best", "epochs"),
    [
        # no validation: the last weights, after all epochs
        ([None] * 6, 6, 6),
        # patience begins where something was seen for the first time
        ([None, None, None, 0.1, None, None], 4, 6),
        ([None, None, 0.2, 0.1, 0.1, 0.1], 3, 5),
    ],
)
def test_a_training_of_which_nothing_tells_how_good_it_is_goes_on(scores: list[float | None], best: int, epochs: int) -> None:
    fit = Fit(network(), Sums(scores), parameters(patience=2, epochs=6), 7, CPU)
    assert len(fit.run(quiet())) == epochs
    assert fit.progress.best_epoch == best


def test_without_averages_the_weights_themselves_are_judged() -> None:
    taught = network()
    fit = Fit(taught, Sums(), parameters(ema=0, epochs=1), 7, CPU)
    entry = fit.run(quiet())[0]
    assert entry == {"epoch": 1, "loss": entry["loss"], **Sums().measure(taught)[1]}


def test_the_rate_rises_and_falls() -> None:
    rates = [rate_at(step, 100, 0.1) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] == 1
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0.01 <= rates[-1] < 0.02
    assert rate_at(0, 100, 0) == 1
