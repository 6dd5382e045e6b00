"""Adversarial adaptation with distillation: the room is aligned, the old rooms' answers are held."""

from copy import deepcopy

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, kl_div

from models.adapt.base import ELSEWHERE, Share
from models.adapt.deep.encoder import WIDTH, Deep, Head, Net, descend
from models.adapt.deep.tensors import NOISE, Draw, Tensor, Tensors

TEMPERATURE = 20.0
HIDDEN = 128
CLIP = 0.1
"""Bound of the critic's weights; the paper's is 0.01 with layers of 3072, 24 times as wide as ours."""
CORE = 512
"""Old rows on which answers are held, shared out among rooms and classes."""
RATE = 5e-4
LOST = 0.01
"""Share of its rows that an old room may lose."""
WAYS = (1.0, 0.75, 0.5, 0.25, 0.0)
"""How far the encoder goes from the old weights to the new."""


class Aad(Deep):
    """Pre-train; then BCE(D(f_t(x_t)), 1) + T^2 KL(old || new) on the core-set, the classifier frozen.

    After Ryu and Lee, "Knowledge Distillation for BERT Unsupervised Domain Adaptation", 2020 (METHODS #10).
    Labelled rows of the room have their own loss in both stages.
    """

    NAME = "aad"
    TITLE = (
        "adversarial alignment that keeps answers on old rooms by distillation (after AAD, Ryu and Lee 2020)"
    )
    NEEDS = ("source", "unlabelled")

    def learn(self, data: Tensors, progress: Share) -> Net:
        """See `Deep.learn`."""
        old = Net(data)
        descend(old.parameters(), data, old.supervised, progress=lambda share: progress(share / 2))
        return adapted(old, data, progress=lambda share: progress(0.5 + share / 2))


def adapted(old: Net, data: Tensors, progress: Share) -> Net:
    """A copy whose encoder makes the room look like old rooms, with the old answers on the core-set."""
    net, critic = deepcopy(old), _Critic()
    core = data.source[core_set(data)]
    with torch.no_grad():
        kept = old.head(old(core))

    def loss(draw: Draw) -> Tensor:
        ours = net(draw.target)
        critic.teach(net(draw.source).detach(), ours.detach())
        some = torch.randint(len(core), (len(draw.source),))
        held = distil(net.head, net.head(net(core[some])), kept[some])
        return critic.fooled(ours) + held + net.head.loss(ours, draw.target_label)

    descend(net.encoder.parameters(), data, loss, rate=RATE, progress=progress)
    return held_back(old, net, data)


def held_back(old: Net, new: Net, data: Tensors) -> Net:
    """The farthest on the straight way from old to new weights at which no old room loses more than `LOST`.

    Weights between two fits of one start answer like both (Wortsman et al., CVPR 2022). It is judged on old
    rows shaken twice as much as in training: unshaken ones are known by heart. Rows of another site have no
    right answer here and do not count.
    """
    net, noise = deepcopy(new), 2 * NOISE * torch.randn_like(data.source)
    before = right(old, data, noise)
    for way in WAYS:
        with torch.no_grad():
            pairs = zip(net.parameters(), old.parameters(), new.parameters(), strict=True)
            for weights, was, now in pairs:
                weights.copy_(torch.lerp(was, now, way))
        if max((before - right(net, data, noise)).tolist(), default=0.0) <= LOST:
            break
    return net


def right(net: Net, data: Tensors, noise: Tensor | float = 0.0) -> Tensor:
    """Share of its labelled rows that the network gets right, for every old room that has any ``[room]``."""
    with torch.no_grad():
        told = net.head.posterior(net(data.source + noise)).argmax(dim=1) == data.source_label
    known = data.source_label != ELSEWHERE
    rooms = torch.unique(data.source_room[known])
    return torch.tensor([told[known & (data.source_room == room)].float().mean() for room in rooms])


def core_set(data: Tensors, most: int = CORE) -> Tensor:
    """Numbers of old rows, spread evenly over the rows of every room and class ``[row]``."""
    group = data.source_room * (data.classes + 1) + data.source_label
    each = max(1, most // len(torch.unique(group)))
    chosen = []
    for one in torch.unique(group):
        rows = (group == one).nonzero().ravel()
        chosen.append(rows[np.linspace(0, len(rows) - 1, min(each, len(rows))).astype(np.int64)])
    return torch.cat(chosen)


def distil(head: Head, new: Tensor, old: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """T^2 x KL of the softened old answers to the new ones (Hinton et al. 2015); of counts by threshold."""
    if not head.ordered:
        log_new, log_old = ((one / temperature).log_softmax(dim=1) for one in (new, old))
        return temperature**2 * kl_div(log_new, log_old, reduction="batchmean", log_target=True)
    soft = torch.sigmoid(old / temperature)
    cross = binary_cross_entropy_with_logits(new / temperature, soft)
    return temperature**2 * (cross - binary_cross_entropy_with_logits(old / temperature, soft))


class _Critic(nn.Module):
    """Old room or new; its weights are clipped."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(WIDTH, HIDDEN),
            nn.LeakyReLU(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.LeakyReLU(),
            nn.Linear(HIDDEN, 1),
        )
        self._optimiser = torch.optim.Adam(self.layers.parameters(), RATE)

    def teach(self, old: Tensor, ours: Tensor) -> None:
        """One step: features of old rooms are 1, those of the room 0."""
        found, wanted = self.layers(torch.cat([old, ours])), torch.zeros(len(old) + len(ours), 1)
        wanted[: len(old)] = 1
        loss = binary_cross_entropy_with_logits(found, wanted)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        with torch.no_grad():
            for value in self.layers.parameters():
                value.clamp_(-CLIP, CLIP)

    def fooled(self, ours: Tensor) -> Tensor:
        """BCE(D(f_t(x_t)), 1)."""
        found = self.layers(ours)
        return binary_cross_entropy_with_logits(found, torch.ones_like(found))
