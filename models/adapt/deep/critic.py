"""Who tells rooms apart: the other player of adversarial methods."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from models.adapt.deep.tensors import Tensor

HIDDEN = 64
RATE = 3e-3
MOST = 3
"""Updates of the critic before each of the encoder."""


class Critic(nn.Module):
    """Three layers from features to the number of the room (after AdNet; METHODS, section 3C #20)."""

    def __init__(self, width: int, rooms: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(width, HIDDEN),
            nn.LeakyReLU(0.2),
            nn.Linear(HIDDEN, HIDDEN),
            nn.LeakyReLU(0.2),
            nn.Linear(HIDDEN, rooms),
        )
        self._optimiser = torch.optim.Adam(self.layers.parameters(), RATE)

    def loss(self, seen: Tensor, room: Tensor) -> Tensor:
        """Cross entropy of the rooms; rooms that show more rows weigh no more."""
        _, place, count = torch.unique(room, return_inverse=True, return_counts=True)
        each = cross_entropy(self.layers(seen), room, reduction="none")
        found: Tensor = (each / count[place]).sum() / len(count)
        return found

    def teach(self, seen: Tensor, room: Tensor, enough: float) -> None:
        """Learn until the loss is at most `enough`, `MOST` steps at most; what it sees is not changed."""
        for _ in range(MOST):
            found = self.loss(seen.detach(), room)
            self._optimiser.zero_grad()
            found.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
            if found.item() <= enough:
                return

    def fooled(self, seen: Tensor, room: Tensor) -> Tensor:
        """What the encoder adds to its loss: minus that of the critic, so that its gradient is reversed."""
        return -self.loss(seen, room)
