"""Side-tuning: the backbone's vector stays, a small network beside it learns what the room adds."""

import torch
from torch import nn

from models.adapt.base import Adapter, Setting, Share, unseen
from models.adapt.deep.encoder import Head, check, descend, head_of, hidden_of, layers_of
from models.adapt.deep.tensors import Draw, Tensor, Tensors, tensors_of
from models.adapt.head import RoomHead

ROWS_WORTH = 30.0
"""As many labelled rows of the room weigh as much as all of the source."""
RATE = 1e-3


class SideTuning(Adapter):
    """R = sigmoid(a) B(x) + (1 - sigmoid(a)) S(x); S starts as B, a is learned from 0.

    B is the frozen backbone: the vector itself. S is distilled from B first; without that a few labelled rows
    would start from noise mixed in by half (Zhang et al., "Side-Tuning", ECCV 2020; METHODS #11).
    """

    NAME = "side_tuning"
    TITLE = "small distilled network beside the frozen backbone, learned mix (after Zhang et al. 2020)"
    TIER = "deep"
    NEEDS = ("source", "support")

    def adapt(self, setting: Setting, seed: int, *, progress: Share = unseen) -> RoomHead:
        """See `Adapter.adapt`."""
        check(self, setting)
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        data = tensors_of(setting)
        beside = Beside(data)
        beside.start(progress)
        beside.tune(progress)
        return head_of(beside.head, data, list(layers_of(beside.side)), beside.mix)


class Beside(nn.Module):
    """Head and side network of one room."""

    def __init__(self, data: Tensors) -> None:
        super().__init__()
        features = data.source.shape[1]
        hidden = hidden_of(features, features)
        self.data = data
        self.side = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, features))
        self.head = Head(features, data.classes, ordered=data.ordered)
        self.level = nn.Parameter(torch.zeros(()))

    @property
    def mix(self) -> float:
        """Share of the backbone, within 0..1."""
        return torch.sigmoid(self.level).item()

    def forward(self, values: Tensor) -> Tensor:
        """What the head sees."""
        share = torch.sigmoid(self.level)
        mixed: Tensor = share * values + (1 - share) * self.side(values)
        return mixed

    def start(self, progress: Share = unseen) -> None:
        """The base's own head, and a side network that gives back what the base gives."""

        def base(draw: Draw) -> Tensor:
            return self.head.loss(draw.source, draw.source_label)

        def distil(draw: Draw) -> Tensor:
            seen = torch.cat([draw.source, draw.target])
            found: Tensor = ((self.side(seen) - seen) ** 2).mean()
            return found

        descend(self.head.parameters(), self.data, base, progress=lambda share: progress(share / 3))
        descend(self.side.parameters(), self.data, distil, progress=lambda share: progress((1 + share) / 3))

    def tune(self, progress: Share = unseen) -> None:
        """Side network, share and head on the labelled rows; old rows hold them back where those are few."""
        rows = self.data.labelled
        ours = rows / (rows + ROWS_WORTH)

        def loss(draw: Draw) -> Tensor:
            old = self.head.loss(self(draw.source), draw.source_label)
            return ours * self.head.loss(self(draw.target), draw.target_label) + (1 - ours) * old

        descend(
            self.parameters(), self.data, loss, rate=RATE, progress=lambda share: progress((2 + share) / 3)
        )
