"""Over a bridge: old rooms are aligned with rooms between, these with the room, around class prototypes.

Without rooms between it is one step: old rooms are aligned with the room.
"""

from math import log

import torch
from torch.nn.functional import one_hot

from models.adapt.base import ELSEWHERE, Share
from models.adapt.deep.critic import Critic
from models.adapt.deep.encoder import WIDTH, Deep, Net, descend
from models.adapt.deep.tensors import Draw, Tensor, Tensors

WEIGHT = 0.2
PULL = 0.1
SURE = 0.8
"""Rows that are nearer to one prototype than this are pulled to it."""


class Pada(Deep):
    """CE + adversary(old, bridge) + adversary(bridge, room) + pull of sure rows to the old rooms' prototypes.

    After PADA (arXiv 1912.05004), whose own losses are not public; built from what its abstract says
    (METHODS #8). A far room is reached in two steps, each of which is short.
    """

    NAME = "pada"
    TITLE = "adversaries old-bridge and bridge-room, sure rows pulled to class prototypes (after PADA, 2019)"
    NEEDS = ("source", "unlabelled")

    def learn(self, data: Tensors, progress: Share) -> Net:
        """See `Deep.learn`."""
        net, near, far = Net(data), Critic(WIDTH, 2), Critic(WIDTH, 2)

        def loss(draw: Draw) -> Tensor:
            old, between, ours = net(draw.source), net(draw.bridge), net(draw.target)
            steps = _step(far, between if len(between) else old, ours)
            steps = steps + _step(near, old, between) if len(between) else steps
            centres, there = prototypes(old, draw.source_label, data.classes)
            pulled = pull(ours, draw.target_label, centres, there)
            return net.supervised(draw) + draw.ramp * (WEIGHT * steps + PULL * pulled)

        descend(net.parameters(), data, loss, progress=progress)
        return net


def _step(critic: Critic, one: Tensor, other: Tensor) -> Tensor:
    """The critic learns these two apart; the loss that makes them alike."""
    seen = torch.cat([one, other])
    room = torch.cat([torch.zeros(len(one)), torch.ones(len(other))]).long()
    critic.teach(seen, room, log(2))
    return critic.fooled(seen, room)


def prototypes(hidden: Tensor, label: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Mean of every class ``[class, width]``, and which classes there are ``[class]``."""
    share = one_hot(label.clamp_min(0), classes).float() * (label != ELSEWHERE)[:, None]
    count = share.sum(dim=0)
    return share.T @ hidden / count.clamp_min(1)[:, None], count > 0


def pull(hidden: Tensor, label: Tensor, centres: Tensor, there: Tensor) -> Tensor:
    """Mean squared distance to the own prototype, weighed by how sure that is; 0 where no row is sure.

    A labelled row's prototype is that of its label. Another's is the nearest: softmax of minus the squared
    distance over its mean to the nearest, and only where that is over `SURE`.
    """
    square = ((hidden[:, None] - centres[None]) ** 2).mean(dim=2)
    square = square.masked_fill(~there, float("inf"))
    width = square.detach().min(dim=1).values.mean() + 1e-6
    sure, nearest = (-square.detach() / width).softmax(dim=1).max(dim=1)
    known = (label != ELSEWHERE) & there[label.clamp_min(0)]
    weight = torch.where(known, torch.ones_like(sure), sure * (sure > SURE))
    weight = weight * (known | (label == ELSEWHERE))
    own = torch.where(known, label, nearest)
    apart = square.gather(1, own[:, None]).ravel()
    apart = torch.where(weight > 0, apart, torch.zeros_like(apart))
    return (weight * apart).sum() / weight.sum().clamp_min(1)
