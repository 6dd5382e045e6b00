"""Bi-directional generation: old rows become the room's and back, two classifiers must agree there."""

import torch
from torch import nn

from models.adapt.base import ELSEWHERE, Share
from models.adapt.deep.encoder import HIDDEN, WIDTH, Deep, Head, Net, descend
from models.adapt.deep.tensors import Draw, Tensor, Tensors

CYCLE, IDENTITY = 10.0, 5.0
"""Weights of CycleGAN (Zhu et al., ICCV 2017)."""
TRANSLATION = 0.1
AGREE = 1.0
SURE = 0.9
RATE = 3e-3


class Bdg(Deep):
    """Translators both ways on vectors; classifiers on old, translated and pseudo-labelled rows that agree.

    After BDG (Yang et al., AAAI 2020), whose full text is not public: the translators have the losses of
    CycleGAN (least-squares adversary, cycle, identity), the classifiers the distance of MCD (Saito et al.,
    CVPR 2018), which all of them make small here instead of playing over it (METHODS #7). The room keeps the
    mean of both classifiers.
    """

    NAME = "bdg"
    TITLE = (
        "old rows translated into the room and back, two classifiers that agree (after BDG, Yang et al. 2020)"
    )
    NEEDS = ("source", "unlabelled")
    EXPERIMENTAL = True

    def learn(self, data: Tensors, progress: Share) -> Net:
        """See `Deep.learn`."""
        net, there, back = Net(data), Translator(data), Translator(data)
        second = Head(WIDTH, data.classes, ordered=data.ordered)

        def loss(draw: Draw) -> Tensor:
            moved = there(draw.source)
            translated = there.loss(back, draw.source, draw.target) + back.loss(
                there, draw.target, draw.source
            )
            ours = net(draw.target)
            first_seen, second_seen = net.head.posterior(ours), second.posterior(ours)
            label = agreed(first_seen, second_seen, draw.target_label)
            told = [(net(draw.source), draw.source_label), (net(moved), draw.source_label), (ours, label)]
            classified = sum(
                (one.loss(*pair) for one in (net.head, second) for pair in told), torch.zeros(())
            )
            apart = disagreement(first_seen, second_seen)
            return classified + draw.ramp * (AGREE * apart + TRANSLATION * translated)

        parts = nn.ModuleList([net, second, there.network, back.network])
        descend(parts.parameters(), data, loss, progress=progress)
        with torch.no_grad():
            for mine, other in zip(net.head.parameters(), second.parameters(), strict=True):
                mine.copy_((mine + other) / 2)
        return net


class Translator(nn.Module):
    """A row of one side made like one of the other: the row and a small change; with its own critic."""

    def __init__(self, data: Tensors) -> None:
        super().__init__()
        features = data.source.shape[1]
        self.network = _layers(features, features)
        self.critic = _layers(features, 1)
        self._optimiser = torch.optim.Adam(self.critic.parameters(), RATE, betas=(0.5, 0.999))

    def forward(self, values: Tensor) -> Tensor:
        """Of the same shape."""
        moved: Tensor = self.network(values)
        return values + moved

    def loss(self, way_back: "Translator", values: Tensor, other: Tensor) -> Tensor:
        """Least-squares adversary + cycle + identity; the critic takes one step before."""
        moved = self(values)
        self._teach(moved.detach(), other)
        unlike = ((self.critic(moved) - 1) ** 2).mean()
        there_and_back = (way_back(moved) - values).abs().mean()
        stays = (self(other) - other).abs().mean()
        found: Tensor = unlike + CYCLE * there_and_back + IDENTITY * stays
        return found

    def _teach(self, moved: Tensor, other: Tensor) -> None:
        wrong = (self.critic(moved) ** 2).mean() + ((self.critic(other) - 1) ** 2).mean()
        self._optimiser.zero_grad()
        wrong.backward()
        self._optimiser.step()


def _layers(features: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(features, HIDDEN), nn.LeakyReLU(0.2), nn.Linear(HIDDEN, outputs))


def agreed(first: Tensor, second: Tensor, label: Tensor) -> Tensor:
    """Labels ``[row]``: those given, else the class of which both classifiers are sure, else `ELSEWHERE`."""
    one, other = first.detach().max(dim=1), second.detach().max(dim=1)
    sure = (one.indices == other.indices) & (one.values > SURE) & (other.values > SURE)
    found = torch.where(sure, one.indices, torch.full_like(label, ELSEWHERE))
    return torch.where(label != ELSEWHERE, label, found)


def disagreement(first: Tensor, second: Tensor) -> Tensor:
    """Mean absolute difference of the class probabilities (MCD)."""
    return (first - second).abs().mean()
