"""Patch CNN -> BiLSTM -> class (#6), in the two stages its paper describes.

After Sheng et al., "Deep Spatial-Temporal Model Based Cross-Scene Action Recognition Using Commodity WiFi",
IEEE IoT-J 7(4), 2020. A window is cut into patches of time; a CNN with one fully connected layer reads each
patch, and its activation is the token that a bidirectional LSTM reads in turn. First the CNN is trained by
itself, then the LSTM on its tokens. Layer sizes are not in the public text; these are ours.
"""

import torch
from torch import nn

from models.networks.backbone import WindowNetwork, per_stream, pooled

PATCHES = 10
TOKEN = 24


class PatchCnn(WindowNetwork):
    """Stage one: the class from the mean token."""

    def __init__(self, outputs: int) -> None:
        super().__init__((1, 1), TOKEN, outputs)
        self.patch = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(8, 12, 3, padding=1),
            nn.ReLU(),
            nn.AvgPool2d((5, 1)),
            nn.Flatten(),
            nn.Linear(12 * 5, TOKEN),
            nn.ReLU(),
        )

    def standardise(self, features: torch.Tensor, mask: torch.Tensor) -> None:
        """One mean and one scale for all."""
        seen = features[mask > 0]
        self.mean.fill_(float(seen.mean()))
        self.scale.fill_(max(float(seen.std()), 1e-3))

    def tokens(self, scaled: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """``[window, stream, band, time]`` -> ``[window, patch, token]``, the mean over measured streams."""
        cut = scaled.reshape(*scaled.shape[:3], PATCHES, -1).permute(0, 1, 3, 2, 4)
        flat = per_stream(self.patch, cut.flatten(1, 2).unsqueeze(2))
        return pooled(flat.reshape(*cut.shape[:3], TOKEN), mask)

    def embed(self, scaled: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """See `WindowNetwork`."""
        return self.tokens(scaled, mask).mean(dim=1)


class CnnBiLstm(WindowNetwork):
    """Stage two: the trained patch CNN, whose tokens two layers of BiLSTM read."""

    def __init__(self, first: PatchCnn, outputs: int, *, hidden: int = 16) -> None:
        super().__init__((1, 1), 2 * hidden, outputs)
        self.first = first
        self.mean.copy_(first.mean)
        self.scale.copy_(first.scale)
        self.rnn = nn.LSTM(TOKEN, hidden, num_layers=2, bidirectional=True, batch_first=True)

    def standardise(self, features: torch.Tensor, mask: torch.Tensor) -> None:
        """As the first stage did."""
        del features, mask
        self.mean.copy_(self.first.mean)
        self.scale.copy_(self.first.scale)

    def embed(self, scaled: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """See `WindowNetwork`."""
        found, _ = self.rnn(self.first.tokens(scaled, mask))
        mean: torch.Tensor = found.mean(dim=1)
        return mean
