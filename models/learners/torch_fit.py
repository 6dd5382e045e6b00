"""One training loop for all torch networks: balanced classes, noise, epochs chosen on held-out rows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from models.data.samples import MASK, Samples
from models.learners.base import Curve, Share
from models.networks.backbone import WindowNetwork
from models.training.selection import hold_out
from models.zoo import Output

Made = Callable[[], WindowNetwork]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a network learns from, and how long and fast.

    Attributes:
        name: of the input it reads.
        output: how its logits are meant.
        seed: of weights, order and noise.
        noise: standard deviations of a feature that are added to it at random.
    """

    name: str
    output: Output
    seed: int = 0

    epochs: int = 60
    patience: int = 15
    batch: int = 64
    rate: float = 3e-3
    decay: float = 1e-2
    noise: float = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows as tensors."""

    features: torch.Tensor
    mask: torch.Tensor
    label: torch.Tensor


def rows_of(samples: Samples, name: str) -> Rows:
    """The input of that name and the labels (metres as floats)."""
    label = torch.from_numpy(np.ascontiguousarray(samples.label))
    return Rows(
        torch.from_numpy(np.ascontiguousarray(samples.inputs[name], np.float32)),
        torch.from_numpy(samples.inputs[name + MASK]).float(),
        label.long() if samples.classes else label.float(),
    )


def train(made: Made, samples: Samples, plan: Plan, progress: Share) -> tuple[WindowNetwork, Curve]:
    """A network trained on all rows; the number of epochs comes from a part held out first."""
    known, asked = hold_out(samples)
    curve, epochs = Curve(), plan.epochs
    if len(known) and len(asked) and len(np.unique(known.label, axis=0)) > 1:
        _run(made, known, plan, epochs, curve=curve, asked=asked)
        epochs = int(np.argmin(curve.validation)) + 1
    progress(0.5)
    network = _run(made, samples, plan, epochs)
    progress(1.0)
    return network, curve


def _run(
    made: Made,
    samples: Samples,
    plan: Plan,
    epochs: int,
    *,
    curve: Curve | None = None,
    asked: Samples | None = None,
) -> WindowNetwork:
    torch.manual_seed(plan.seed)
    rows, network = rows_of(samples, plan.name), made()
    network.standardise(rows.features, rows.mask)
    weights = _balance(rows.label, len(samples.classes))
    wanted = [one for one in network.parameters() if one.requires_grad]
    optimiser = torch.optim.AdamW(wanted, plan.rate, weight_decay=plan.decay)
    judged = rows_of(asked, plan.name) if asked is not None else None
    for epoch in range(epochs):
        network.train()
        losses = []
        for part in torch.randperm(len(rows.label)).split(plan.batch):  # type: ignore[no-untyped-call]
            noisy = network.scaled(rows.features[part])
            noisy = noisy + plan.noise * torch.randn_like(noisy)
            logits = _logits(network, noisy, fewer(rows.mask[part]))
            value = loss(logits, rows.label[part], plan.output, weights)
            optimiser.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(value.item())
        if curve is not None and judged is not None:
            curve.training.append(float(np.mean(losses)))
            curve.validation.append(_judge(network, judged, plan.output, weights))
            if epoch - int(np.argmin(curve.validation)) >= plan.patience:
                break
    network.eval()
    return network


def loss(logits: torch.Tensor, label: torch.Tensor, output: Output, weights: torch.Tensor) -> torch.Tensor:
    """Cross entropy, cumulative logistic loss, or squared metres, rare classes weighed up."""
    if output == "metres":
        return functional.mse_loss(logits, label)
    if output == "softmax":
        return functional.cross_entropy(logits, label, weight=weights, label_smoothing=0.05)
    above = (label[:, None] > torch.arange(logits.shape[1])).float()
    each = functional.binary_cross_entropy_with_logits(logits, above, reduction="none").mean(dim=1)
    return (each * weights[label]).mean()


def fewer(mask: torch.Tensor) -> torch.Tensor:
    """Hide some streams, never all: other NICs have other numbers of antennas."""
    kept = mask * (torch.rand_like(mask) > 0.5 * torch.rand(len(mask), 1)).float()
    return torch.where(kept.sum(dim=1, keepdim=True) > 0, kept, mask)


def _logits(network: WindowNetwork, scaled: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    weight, bias = network.head()
    return network.embed(scaled, mask) @ weight + bias


def _judge(network: WindowNetwork, rows: Rows, output: Output, weights: torch.Tensor) -> float:
    network.eval()
    with torch.no_grad():
        found = _logits(network, network.scaled(rows.features), rows.mask)
        return float(loss(found, rows.label, output, weights))


def _balance(label: torch.Tensor, classes: int) -> torch.Tensor:
    if not classes:
        return torch.ones(1)
    count = torch.bincount(label, minlength=classes).float()
    return torch.where(count > 0, len(label) / (classes * count.clamp_min(1)), torch.zeros(classes))
