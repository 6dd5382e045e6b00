"""A small network over the set of a room's streams, with an ordinal head.

    features [window, stream, feature] -> standardise -> MLP a stream, shared -> mean over measured streams
    -> MLP -> embedding [window, embedding] -> head -> logits [window, classes - 1] of P(class > k)

Every stream passes the same layers and the mean runs over a mask, so one network serves any number of
antennas and links. The head is ordinal (cumulative logits with one shared direction, after Cao, Mirjalili,
Raschka, "Rank consistent ordinal regression", Pattern Recognition Letters 140, 2020).
"""

from collections.abc import Sequence

import torch
from torch import nn

LIMIT = 5.0
"""Standardised features are clipped here: a room stranger than any seen must not run away."""


class StreamSet(nn.Module):
    """See the module; `columns` are the features it looks at, of those given."""

    mean: torch.Tensor
    scale: torch.Tensor
    columns: torch.Tensor

    def __init__(
        self,
        columns: Sequence[int],
        classes: int,
        *,
        hidden: int = 32,
        embedding: int = 16,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.register_buffer("columns", torch.tensor(list(columns)))
        self.register_buffer("mean", torch.zeros(len(columns)))
        self.register_buffer("scale", torch.ones(len(columns)))
        self.per_stream = nn.Sequential(
            nn.Linear(len(columns), hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()
        )
        self.pooled = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden, embedding), nn.ReLU())
        self.direction = nn.Linear(embedding, 1, bias=False)
        self.thresholds = nn.Parameter(torch.linspace(3.0, -3.0, classes - 1))

    def standardise(self, features: torch.Tensor, mask: torch.Tensor) -> None:
        """Fit mean and scale of the features on measured streams ``[window, stream, feature]``."""
        seen = features[mask > 0][:, self.columns]
        self.mean.copy_(seen.mean(dim=0))
        self.scale.copy_(seen.std(dim=0) + 1e-3)

    def scaled(self, features: torch.Tensor) -> torch.Tensor:
        """The features it looks at, standardised and clipped."""
        return ((features[..., self.columns] - self.mean) / self.scale).clamp(-LIMIT, LIMIT)

    def embed(self, scaled: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Embedding ``[window, embedding]`` of standardised features; `mask` is a float."""
        weight = mask.unsqueeze(-1)
        streams = self.per_stream(scaled) * weight
        pooled: torch.Tensor = self.pooled(streams.sum(dim=1) / weight.sum(dim=1).clamp_min(1.0))
        return pooled

    def head(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The shipped head: weight ``[embedding, classes - 1]`` and bias ``[classes - 1]``."""
        return self.direction.weight.T.expand(-1, len(self.thresholds)), self.thresholds

    def forward(
        self, features: torch.Tensor, mask: torch.Tensor, head_weight: torch.Tensor, head_bias: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Embedding and logits with a head given from outside: what is exported."""
        embedding = self.embed(self.scaled(features), mask)
        return embedding, embedding @ head_weight + head_bias
