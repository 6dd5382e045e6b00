"""Fit a `StreamSet`: cumulative logistic loss, classes weighed equally, epochs chosen on held-out source."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from models.data.samples import Samples
from models.networks.stream_set import StreamSet
from models.tasks.ordinal import class_probabilities
from models.training.selection import hold_out
from models.training.task import TaskSpec

EPOCHS = 120
PATIENCE = 30
BATCH = 128
LEARNING_RATE = 5e-3
WEIGHT_DECAY = 1e-2
NOISE = 0.3  # standard deviations of a feature: two windows of the same people differ by about this


@dataclass(frozen=True, slots=True)
class Curve:
    """Loss by epoch."""

    training: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A fitted network, how it got there, and the temperature of its probabilities."""

    network: StreamSet
    spec: TaskSpec
    curve: Curve
    temperature: float = 1.0

    def logits(self, samples: Samples) -> npt.NDArray[np.float64]:
        """Cumulative logits ``[window, classes - 1]`` with the network's own head."""
        return logits_of(self.network, samples)

    def probabilities(self, samples: Samples) -> npt.NDArray[np.float64]:
        """Class probabilities ``[window, class]``."""
        return class_probabilities(self.logits(samples), self.temperature)


def logits_of(network: StreamSet, samples: Samples) -> npt.NDArray[np.float64]:
    """Cumulative logits of a network in evaluation mode, ``[window, classes - 1]``."""
    network.eval()
    with torch.no_grad():
        features, mask = torch.from_numpy(samples.features), torch.from_numpy(samples.mask).float()
        _, logits = network(features, mask, *network.head())
    return np.asarray(logits.numpy(), np.float64)


def fit(
    samples: Samples, spec: TaskSpec, seed: int, *, progress: Callable[[float], None] = lambda _share: None
) -> Fitted:
    """A network fitted on all of `samples`; the number of epochs comes from a part held out first."""
    training, validation = hold_out(samples)
    curve = Curve()
    if len(training) and len(validation):
        _run(
            training,
            spec,
            seed,
            EPOCHS,
            curve=curve,
            validation=validation,
            progress=lambda share: progress(share / 2),
        )
    best = int(np.argmin(curve.validation)) + 1 if curve.validation else EPOCHS
    network = _run(samples, spec, seed, best, progress=lambda share: progress(0.5 + share / 2))
    return Fitted(network, spec, curve)


def _run(
    samples: Samples,
    spec: TaskSpec,
    seed: int,
    epochs: int,
    *,
    curve: Curve | None = None,
    validation: Samples | None = None,
    progress: Callable[[float], None],
) -> StreamSet:
    curve = curve or Curve()
    torch.manual_seed(seed)
    features, mask = torch.from_numpy(samples.features), torch.from_numpy(samples.mask).float()
    labels = torch.from_numpy(spec.labels(samples))
    network = StreamSet(spec.columns, len(spec.classes))
    network.standardise(features, mask)
    scaled = network.scaled(features)
    weights = _balance(labels, len(spec.classes))
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    for epoch in range(epochs):
        network.train()
        losses = []
        for rows in torch.randperm(len(labels)).split(BATCH):  # type: ignore[no-untyped-call]
            noisy = scaled[rows] + NOISE * torch.randn_like(scaled[rows])
            loss = _loss(network, noisy, _fewer(mask[rows]), labels[rows], weights)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(loss.item())
        curve.training.append(float(np.mean(losses)))
        if validation is not None:
            curve.validation.append(_validation_loss(network, validation, spec, weights))
            if epoch - int(np.argmin(curve.validation)) >= PATIENCE:
                break
        progress((epoch + 1) / epochs)
    network.eval()
    return network


def _balance(labels: torch.Tensor, classes: int) -> torch.Tensor:
    count = torch.bincount(labels, minlength=classes).float()
    return torch.where(count > 0, len(labels) / (classes * count.clamp_min(1)), torch.zeros(classes))


def _fewer(mask: torch.Tensor) -> torch.Tensor:
    """Hide some streams, never all: other NICs have other numbers of antennas."""
    kept = mask * (torch.rand_like(mask) > 0.7 * torch.rand(len(mask), 1)).float()
    return torch.where(kept.sum(dim=1, keepdim=True) > 0, kept, mask)


def _loss(
    network: StreamSet, scaled: torch.Tensor, mask: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    weight, bias = network.head()
    logits = network.embed(scaled, mask) @ weight + bias
    above = (labels[:, None] > torch.arange(logits.shape[1])).float()
    each = binary_cross_entropy_with_logits(logits, above, reduction="none").mean(dim=1)
    return (each * weights[labels]).mean()


def _validation_loss(network: StreamSet, samples: Samples, spec: TaskSpec, weights: torch.Tensor) -> float:
    network.eval()
    features, mask = torch.from_numpy(samples.features), torch.from_numpy(samples.mask).float()
    labels = torch.from_numpy(spec.labels(samples))
    with torch.no_grad():
        return float(_loss(network, network.scaled(features), mask, labels, weights))
