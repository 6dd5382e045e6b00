"""Fully connected networks: counting on variation (#2) and places by fingerprint (#3)."""

import torch
from torch import nn

from models.networks.backbone import WindowNetwork, pooled


class Dense(WindowNetwork):
    """Streams pooled, then a multi-layer perceptron (after Zhou et al. 2020, METHODS #2; sizes are ours)."""

    def __init__(self, width: int, outputs: int, *, hidden: int = 48, embedding: int = 16) -> None:
        super().__init__((width,), embedding, outputs)
        self.layers = nn.Sequential(
            nn.Linear(width, hidden),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, embedding),
            nn.ReLU(),
        )

    def embed(self, scaled: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """See `WindowNetwork`."""
        found: torch.Tensor = self.layers(pooled(scaled, mask))
        return found


class Fingerprint(WindowNetwork):
    """Streams side by side, principal components, then a perceptron (after Zhou et al., SECON 2018, #3).

    Which antenna hears what is the fingerprint: the number of streams is fixed, and one that is not measured
    counts as its mean. `turn` ``[component, feature]`` are principal components found on training rows.
    """

    turn: torch.Tensor

    def __init__(
        self, shape: tuple[int, int], components: int, outputs: int, *, hidden: int = 64, embedding: int = 32
    ) -> None:
        super().__init__(shape, embedding, outputs)
        self.register_buffer("turn", torch.zeros(components, shape[0] * shape[1]))
        self.layers = nn.Sequential(
            nn.Linear(components, hidden),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(hidden, embedding),
            nn.ReLU(),
        )

    def standardise(self, features: torch.Tensor, mask: torch.Tensor) -> None:
        """Mean, scale and principal components of the rows, the largest of unit variance."""
        weight = mask[..., None]
        seen = weight.sum(dim=0).clamp_min(1.0)
        mean = (features * weight).sum(dim=0) / seen
        self.mean.copy_(mean)
        self.scale.copy_((((features - mean) ** 2 * weight).sum(dim=0) / seen).sqrt().clamp_min(1e-3))
        rows = (self.scaled(features) * weight).flatten(1)
        _, sizes, directions = torch.linalg.svd(rows, full_matrices=False)
        deviation = (sizes / len(rows) ** 0.5).clamp_min(1e-3)
        found = min(len(self.turn), len(deviation))  # fewer rows than components: the rest stay 0
        self.turn.zero_()
        self.turn[:found].copy_((directions / deviation[0])[:found])

    def embed(self, scaled: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """See `WindowNetwork`."""
        rows = (scaled * mask[..., None]).flatten(1)
        found: torch.Tensor = self.layers(rows @ self.turn.T)
        return found
