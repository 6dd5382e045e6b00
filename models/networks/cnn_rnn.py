"""CNN for each step of time, then an RNN over the steps: long windows (#20, without its adversary).

After Zhao et al., "Learning Sleep Stages from Radio Signals: A Conditional Adversarial Architecture", ICML
2017: a CNN encodes, an RNN follows in time. Theirs has 24 layers and reads nights of spectrograms; this one
is as small as its data, and its sizes are ours.
"""

import torch
from torch import nn

from models.networks.backbone import CLIP, WindowNetwork, per_stream, pooled

_QUIET = 1e-4
_WIDTH = 16


class CnnRnn(WindowNetwork):
    """Every stream passes one CNN; a GRU reads their mean, and its own mean over time is the embedding.

    Each stream is brought to unit power, since how far a chest changes the channel hangs on where it is;
    the logarithm of that power goes beside it as one more band.

    Args:
        bands: of one stream.
        outputs: classes.
        hidden: width of the GRU in each direction.
    """

    def __init__(self, bands: int, outputs: int, *, hidden: int = 16) -> None:
        super().__init__((1, 1), 2 * hidden, outputs)
        self.steps = nn.Sequential(
            nn.Conv1d(bands + 1, _WIDTH, 5, padding=2),
            nn.ReLU(),
            nn.Conv1d(_WIDTH, _WIDTH, 5, stride=2, padding=2),
            nn.ReLU(),
        )
        self.rnn = nn.GRU(_WIDTH, hidden, bidirectional=True, batch_first=True)

    def standardise(self, features: torch.Tensor, mask: torch.Tensor) -> None:
        """Mean and scale of the logarithm of a stream's power."""
        level = self._level(features)[mask > 0]
        self.mean.fill_(float(level.mean()))
        self.scale.fill_(max(float(level.std(correction=0)), 1e-3))

    def scaled(self, features: torch.Tensor) -> torch.Tensor:
        """Streams ``[window, stream, band, time]`` of unit power, with the band that says what it was."""
        level = self._level(features)
        told = ((level - self.mean) / self.scale).expand(-1, -1, 1, features.shape[-1])
        return torch.cat([features / level.exp(), told], dim=2).clamp(-CLIP, CLIP)

    def embed(self, scaled: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """See `WindowNetwork`."""
        steps = pooled(per_stream(self.steps, scaled), mask)
        found, _ = self.rnn(steps.transpose(1, 2))
        return torch.as_tensor(found.mean(dim=1))

    def _level(self, features: torch.Tensor) -> torch.Tensor:
        """Logarithm of the root mean square of each stream, ``[window, stream, 1, 1]``."""
        power = features.square().mean(dim=(-1, -2), keepdim=True)
        return power.clamp_min(_QUIET**2).log() / 2
