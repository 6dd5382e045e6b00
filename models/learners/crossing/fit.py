"""Training of one answer a bin: cross entropy over bins, epochs and threshold from domains held out."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from models.data.samples import Samples
from models.learners.base import Curve, Found, Share
from models.learners.crossing.marks import best_threshold
from models.learners.torch_fit import Rows, fewer, rows_of
from models.networks.unet import TemporalUnet
from models.signal.inputs import AMPLITUDE, BANDS, TIME_BINS
from models.training.selection import hold_out


@dataclass(frozen=True, slots=True)
class Recipe:
    """How long and how fast; `noise` is in standard deviations of the input."""

    epochs: int = 20
    patience: int = 6
    batch: int = 64
    rate: float = 3e-3
    decay: float = 1e-2
    noise: float = 0.2


def train_bins(
    samples: Samples, seed: int, recipe: Recipe, progress: Share
) -> tuple[TemporalUnet, float, Curve]:
    """A network trained on all rows, and the probability from which on a bin is best marked.

    That threshold and the number of epochs come from rows held out first. Where these hold nothing to learn
    or to judge, they are one half, and as many as the recipe allows.
    """
    known, asked = hold_out(samples)
    curve, epochs, threshold = Curve(), recipe.epochs, 0.5
    if known.label.any() and asked.label.any():
        found = _held_out(known, asked, seed, recipe, curve)
        epochs = int(np.argmin(curve.validation)) + 1
        threshold = best_threshold(found, np.asarray(asked.label > 0.5, np.bool_))
    progress(0.5)
    network = _made(samples, seed)
    for _ in _epochs(network, rows_of(samples, AMPLITUDE), recipe, epochs):
        pass
    network.eval()
    progress(1.0)
    return network, threshold, curve


def bin_logits(network: TemporalUnet, rows: Rows) -> torch.Tensor:
    """Logits ``[row, bin]`` with the network's own head."""
    network.eval()
    with torch.no_grad():
        logits: torch.Tensor = network(rows.features, rows.mask, *network.head())[1]
    return logits


def _held_out(known: Samples, asked: Samples, seed: int, recipe: Recipe, curve: Curve) -> Found:
    """Probabilities of the rows asked for after the epoch that is best on them; the curve is filled in."""
    network, judged = _made(known, seed), rows_of(asked, AMPLITUDE)
    best = np.empty(0)
    for epoch, value in enumerate(_epochs(network, rows_of(known, AMPLITUDE), recipe, recipe.epochs)):
        logits = bin_logits(network, judged)
        curve.training.append(value)
        curve.validation.append(float(functional.binary_cross_entropy_with_logits(logits, judged.label)))
        if curve.validation[-1] == min(curve.validation):
            best = torch.sigmoid(logits).double().numpy()
        if epoch - int(np.argmin(curve.validation)) >= recipe.patience:
            break
    return best


def _made(samples: Samples, seed: int) -> TemporalUnet:
    """An untrained network, fitted to the level of these rows."""
    torch.manual_seed(seed)
    network, rows = TemporalUnet(BANDS, TIME_BINS), rows_of(samples, AMPLITUDE)
    network.standardise(rows.features, rows.mask)
    return network


def _epochs(network: TemporalUnet, rows: Rows, recipe: Recipe, epochs: int) -> Iterator[float]:
    """Train; yields the mean loss after each epoch."""
    optimiser = torch.optim.AdamW(network.parameters(), recipe.rate, weight_decay=recipe.decay)
    for _ in range(epochs):
        network.train()
        losses = []
        for part in torch.randperm(len(rows.label)).split(recipe.batch):  # type: ignore[no-untyped-call]
            noisy = network.scaled(rows.features[part])
            noisy = noisy + recipe.noise * torch.randn_like(noisy)
            weight, bias = network.head()
            logits = network.embed(noisy, fewer(rows.mask[part])) @ weight + bias
            value = functional.binary_cross_entropy_with_logits(logits, rows.label[part])
            optimiser.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(value.item())
        yield float(np.mean(losses))
