"""Refit the head of a frozen backbone on a few labelled windows."""

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from models.data.samples import Samples
from models.networks.stream_set import StreamSet
from models.training.task import TaskSpec

STEPS = 400
PULL = 1e-2
"""Weight of the squared distance to the head there was: little data must not undo much."""


def refit_head(
    network: StreamSet, labelled: Samples, spec: TaskSpec, seed: int, *, pull: float = PULL
) -> StreamSet:
    """The same network with direction and thresholds fitted on `labelled`, every class weighed equally."""
    torch.manual_seed(seed)
    network.eval()
    labels = torch.from_numpy(spec.labels(labelled))
    with torch.no_grad():
        scaled = network.scaled(torch.from_numpy(labelled.features))
        embedding = network.embed(scaled, torch.from_numpy(labelled.mask).float())
    before = [value.detach().clone() for value in (network.direction.weight, network.thresholds)]
    weights = 1.0 / torch.bincount(labels, minlength=len(spec.classes)).clamp_min(1).float()[labels]
    above = (labels[:, None] > torch.arange(len(spec.classes) - 1)).float()
    optimiser = torch.optim.Adam([network.direction.weight, network.thresholds], lr=5e-2)
    for _ in range(STEPS):
        weight, bias = network.head()
        logits = embedding @ weight + bias
        each = binary_cross_entropy_with_logits(logits, above, reduction="none").mean(dim=1)
        moved = sum(
            ((now - then) ** 2).sum()
            for now, then in zip((network.direction.weight, network.thresholds), before, strict=True)
        )
        loss = (each * weights).sum() / weights.sum() + pull * moved
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return network
