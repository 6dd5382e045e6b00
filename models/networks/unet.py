"""U-Net over time with lateral connections as in a feature pyramid: one answer for every bin of a window.

After Ronneberger, Fischer, Brox, "U-Net", MICCAI 2015 (down and up again, each level beside its like) and
Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017 (1x1 laterals that are added on the
way up). Both are for images; that it is one-dimensional, and its sizes, are ours.
"""

from math import prod

import torch
from torch import nn
from torch.nn import functional

from models.networks.backbone import WindowNetwork, per_stream, pooled

STRIDES = (2, 2, 5)
"""Each level is so much coarser than the one before: 100, 50, 25 and 5 bins."""
_WIDTHS = (16, 24, 32, 32)
_PYRAMID = 16


class TemporalUnet(WindowNetwork):
    """Evidence for every bin of time; streams pass one stem and are pooled under the mask.

    The embedding ``[window, bin]`` is that evidence, and the head scales and shifts all bins alike, so that
    the file has the inputs and outputs of every other network.

    Args:
        bands: of one stream.
        bins: of time; a multiple of the product of `STRIDES`.

    Raises:
        ValueError: it is no such multiple.
    """

    def __init__(self, bands: int, bins: int) -> None:
        super().__init__((1, 1), 1, 1)
        if bins < 1 or bins % prod(STRIDES):
            raise ValueError(f"{bins} bins of time are no multiple of {prod(STRIDES)}")
        self.bins = bins
        self.stem = nn.Sequential(_layer(bands, _WIDTHS[0], 5), _layer(_WIDTHS[0], _WIDTHS[0], 5))
        pairs = zip(_WIDTHS, _WIDTHS[1:], STRIDES, strict=False)
        self.down = nn.ModuleList(_down(one, other, stride) for one, other, stride in pairs)
        self.lateral = nn.ModuleList(nn.Conv1d(width, _PYRAMID, 1) for width in _WIDTHS)
        self.smooth = nn.ModuleList(_layer(_PYRAMID, _PYRAMID, 3) for _ in STRIDES)
        self.evidence = nn.Conv1d(_PYRAMID, 1, 1)

    def standardise(self, features: torch.Tensor, mask: torch.Tensor) -> None:
        """One mean and one scale for all."""
        seen = features[mask > 0]
        self.mean.fill_(float(seen.mean()))
        self.scale.fill_(max(float(seen.std()), 1e-3))

    def head(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The same scale and shift for every bin: weight ``[bin, bin]`` and bias ``[bin]``."""
        return torch.eye(self.bins) * self.last.weight, self.last.bias.expand(self.bins)

    def embed(self, scaled: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Evidence ``[window, bin]`` of ``[window, stream, band, bin]``."""
        levels = [pooled(per_stream(self.stem, scaled), mask)]
        for down in self.down:
            levels.append(down(levels[-1]))
        sides = [lateral(level) for lateral, level in zip(self.lateral, levels, strict=True)]
        top = sides[-1]
        for side, stride, smooth in zip(sides[-2::-1], STRIDES[::-1], self.smooth, strict=True):
            top = smooth(side + functional.interpolate(top, scale_factor=float(stride), mode="nearest"))
        evidence: torch.Tensor = self.evidence(top)[:, 0]
        return evidence


def _layer(inputs: int, outputs: int, width: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv1d(inputs, outputs, width, stride, padding=width // 2), nn.ReLU())


def _down(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """One level coarser, and a look around there."""
    return nn.Sequential(_layer(inputs, outputs, 5, stride), _layer(outputs, outputs, 3))
