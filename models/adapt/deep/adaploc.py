"""Semantic alignment: rows of one class lie together whatever room they are from, others a margin apart."""

import torch

from models.adapt.base import ELSEWHERE, Share
from models.adapt.deep.encoder import Deep, Net, descend
from models.adapt.deep.tensors import Draw, Tensor, Tensors

ALPHA = 0.25
MARGIN = 1.0
NEGATIVES = 3
"""Pairs of different classes for each of the same one."""


class AdapLoc(Deep):
    """(1 - alpha) CE + alpha mean(y d^2 + (1 - y) max(0, margin - d)^2) over pairs old row, labelled row.

    After AdapLoc (Zhou et al., IEEE Sensors J. 21, 2021), with the loss, alpha, margin and pairs of CCSA
    (Motiian et al., ICCV 2017; METHODS #5). Of counts the margin grows with how far two are apart.
    """

    NAME = "adaploc"
    TITLE = "same class pulled together over rooms, others pushed apart (after AdapLoc, Zhou et al. 2021)"
    NEEDS = ("source", "support")

    def learn(self, data: Tensors, progress: Share) -> Net:
        """See `Deep.learn`."""
        net = Net(data)

        def loss(draw: Draw) -> Tensor:
            rows = draw.target_label != ELSEWHERE
            ours, label = net(draw.target[rows]), draw.target_label[rows]
            apart = contrast(net(draw.source), draw.source_label, ours, label, ordered=data.ordered)
            return (1 - ALPHA) * net.supervised(draw) + ALPHA * apart

        descend(net.parameters(), data, loss, progress=progress)
        return net


def contrast(old: Tensor, old_label: Tensor, ours: Tensor, label: Tensor, *, ordered: bool) -> Tensor:
    """CCSA's loss over all pairs of one class and `NEGATIVES` times as many of different ones."""
    distance = (((old[:, None] - ours[None]) ** 2).sum(dim=2) + 1e-9).sqrt()
    same = old_label[:, None] == label[None]
    steps = (old_label[:, None] - label[None]).abs().float()
    margin = MARGIN * (steps if ordered else torch.ones_like(steps))
    away = (margin - distance).clamp_min(0) ** 2
    positive, negative = (distance**2)[same], away[~same]
    most = NEGATIVES * max(len(positive), 1)
    negative = negative[torch.randperm(len(negative))[:most]]
    pairs = torch.cat([positive, negative])
    return pairs.mean() if len(pairs) else distance.sum()
