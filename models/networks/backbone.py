"""What every network for windows is: a set of streams under a mask in, an embedding out, a head beside it."""

import torch
from torch import nn

CLIP = 4.0
"""Standardised inputs are clipped here: a room stranger than any seen must not run away."""


class WindowNetwork(nn.Module):
    """Base of networks on ``features [window, stream, ...]`` and ``mask [window, stream]``.

    A subclass turns standardised features into an embedding in `embed`; every stream passes the same layers
    and the mean runs over the mask (`pooled`), so that one network serves any number of antennas and links.
    The head is an input of `forward`, so that a room can bring its own (ADR 4).
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, shape: tuple[int, ...], embedding: int, outputs: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("scale", torch.ones(shape))
        self.last = nn.Linear(embedding, outputs)

    def standardise(self, features: torch.Tensor, mask: torch.Tensor) -> None:
        """Fit mean and scale on measured streams ``[window, stream, ...]``; a constant keeps its size."""
        seen = features[mask > 0]
        self.mean.copy_(seen.mean(dim=0))
        self.scale.copy_(seen.std(dim=0).clamp_min(1e-3))

    def embed(self, scaled: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Embedding ``[window, embedding]`` of standardised features; `mask` is a float."""
        raise NotImplementedError

    def head(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The shipped head: weight ``[embedding, output]`` and bias ``[output]``."""
        return self.last.weight.T, self.last.bias

    def scaled(self, features: torch.Tensor) -> torch.Tensor:
        """Features standardised and clipped."""
        return ((features - self.mean) / self.scale).clamp(-CLIP, CLIP)

    def forward(
        self, features: torch.Tensor, mask: torch.Tensor, head_weight: torch.Tensor, head_bias: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Embedding and logits with a head given from outside: what is exported."""
        embedding = self.embed(self.scaled(features), mask)
        return embedding, embedding @ head_weight + head_bias


def pooled(streams: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over measured streams: ``[window, stream, ...]`` -> ``[window, ...]``."""
    weight = mask.reshape(*mask.shape, *([1] * (streams.ndim - 2)))
    return (streams * weight).sum(dim=1) / weight.sum(dim=1).clamp_min(1.0)


def per_stream(layers: nn.Module, features: torch.Tensor) -> torch.Tensor:
    """The same layers on every stream: ``[window, stream, ...]`` -> ``[window, stream, ...]``."""
    found: torch.Tensor = layers(features.flatten(0, 1))
    return found.reshape(features.shape[0], features.shape[1], *found.shape[1:])
