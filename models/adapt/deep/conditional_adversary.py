"""An encoder whose rooms a critic cannot tell apart, with or without a look at the classes."""

from math import log
from typing import Literal

import torch

from models.adapt.base import Share
from models.adapt.deep.critic import Critic
from models.adapt.deep.encoder import WIDTH, Deep, Net, descend
from models.adapt.deep.tensors import Draw, Tensor, Tensors

Condition = Literal["none", "posterior", "outer_product"]
WEIGHT = 0.2
"""Of the critic's loss (AdNet; the paper's own is not known)."""


class Adversary(Deep):
    """V = L_f - weight x L_d; the critic learns until L_d <= H(room).

    After RF-Sleep (Zhao et al., ICML 2017; METHODS #20).
    Class shares differ from room to room: a critic that sees the features alone then takes them out together
    with the room. One that sees the class probabilities as well need not.
    """

    NAME = "adversary"
    TITLE = "features by which a critic cannot tell the rooms (after DANN, Ganin et al. 2016)"
    NEEDS = ("source", "unlabelled")
    CONDITION: Condition = "none"

    def learn(self, data: Tensors, progress: Share) -> Net:
        """See `Deep.learn`."""
        net = Net(data)
        critic = Critic(width_of(self.CONDITION, data.classes), data.rooms + 1)

        def loss(draw: Draw) -> Tensor:
            hidden = net(torch.cat([draw.source, draw.target]))
            room = torch.cat([draw.source_room, torch.full((len(draw.target),), data.rooms)])
            seen = conditioned(self.CONDITION, hidden, net.head.posterior(hidden))
            critic.teach(seen, room, log(data.rooms + 1))
            return net.supervised(draw) + WEIGHT * draw.ramp * critic.fooled(seen, room)

        descend(net.parameters(), data, loss, progress=progress)
        return net


class AdversaryPosterior(Adversary):
    """The critic sees features and class probabilities side by side."""

    NAME = "adversary_posterior"
    TITLE = "the same, the critic sees the class probabilities too (after Zhao et al. 2017)"
    CONDITION = "posterior"


class AdversaryOuter(Adversary):
    """The critic sees their products."""

    NAME = "adversary_outer"
    TITLE = "the same, the critic sees features times class probabilities (after CDAN, Long et al. 2018)"
    CONDITION = "outer_product"


def width_of(condition: Condition, classes: int) -> int:
    """Numbers that the critic sees."""
    return {"none": WIDTH, "posterior": WIDTH + classes, "outer_product": WIDTH * classes}[condition]


def conditioned(condition: Condition, hidden: Tensor, posterior: Tensor) -> Tensor:
    """What the critic sees of a row; no gradient goes through the class probabilities."""
    if condition == "none":
        return hidden
    known = posterior.detach()
    if condition == "posterior":
        return torch.cat([hidden, known], dim=1)
    return (hidden[:, :, None] * known[:, None, :]).flatten(1)
