"""Convolutions over subcarriers (#5's base) and over time and subcarriers (#12)."""

import torch
from torch import nn

from models.networks.backbone import WindowNetwork, per_stream, pooled


class FingerprintCnn(WindowNetwork):
    """1D-CNN over subcarriers with the streams as channels (after AdapLoc, METHODS #5; sizes are ours)."""

    def __init__(self, shape: tuple[int, int], outputs: int, *, embedding: int = 32) -> None:
        super().__init__(shape, embedding, outputs)
        streams, subcarriers = shape
        self.layers = nn.Sequential(
            nn.Conv1d(streams, 24, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Conv1d(24, 24, 3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(24 * (subcarriers // 2), embedding),
            nn.ReLU(),
        )

    def embed(self, scaled: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """See `WindowNetwork`."""
        found: torch.Tensor = self.layers(scaled * mask[..., None])
        return found


class SnapshotCnn(WindowNetwork):
    """CNN on one window's amplitude over subcarriers and time (after Zhou et al., WCNC 2020, #12).

    One scale serves all bins and subcarriers: what a body or a thing takes away is in their pattern.
    """

    def __init__(self, outputs: int, *, embedding: int = 32) -> None:
        super().__init__((1, 1), embedding, outputs)
        self.layers = nn.Sequential(
            nn.Conv2d(1, 8, (3, 5), stride=2, padding=(1, 2)),
            nn.ReLU(),
            nn.Conv2d(8, 16, (3, 5), stride=(1, 2), padding=(1, 2)),
            nn.ReLU(),
            nn.AvgPool2d((5, 5), ceil_mode=False),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(16 * 5, embedding),
            nn.ReLU(),
        )

    def standardise(self, features: torch.Tensor, mask: torch.Tensor) -> None:
        """One mean and one scale for all."""
        seen = features[mask > 0]
        self.mean.fill_(float(seen.mean()))
        self.scale.fill_(max(float(seen.std()), 1e-3))

    def embed(self, scaled: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """See `WindowNetwork`."""
        return pooled(per_stream(self.layers, scaled.unsqueeze(2)), mask)
