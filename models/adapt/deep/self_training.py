"""The network's own sure answers in the room become labels, the surest first."""

import torch

from models.adapt.base import ELSEWHERE, Share
from models.adapt.deep import encoder
from models.adapt.deep.encoder import Deep, Net, descend
from models.adapt.deep.tensors import Tensor, Tensors

SHARES = (0.2, 0.4, 0.6)
"""Share of each class's rows that is believed in each round."""
SURE = 0.5
"""No row is believed whose class has not more than this."""


class SelfTraining(Deep):
    """Rounds of pseudo-labels, as many of each found class (after CBST, Zou et al., ECCV 2018).

    Without unlabelled rows it is joint training on old rooms and the labelled rows of the room.
    """

    NAME = "self_training"
    TITLE = "the surest answers in the room become labels, round by round (after Zou et al. 2018)"
    NEEDS = ("source", "unlabelled")

    def learn(self, data: Tensors, progress: Share) -> Net:
        """See `Deep.learn`."""
        net = Net(data)
        descend(net.parameters(), data, net.supervised, progress=lambda share: progress(share / 2))
        rounds = SHARES if (data.target_label == ELSEWHERE).any() else ()
        for number, share in enumerate(rounds):
            with torch.no_grad():
                posterior = net.head.posterior(net(data.target))
            believed = data.with_labels(believe(posterior, data.target_label, share))
            before, part = 0.5 + number / len(rounds) / 2, 0.5 / len(rounds)
            descend(
                net.parameters(),
                believed,
                net.supervised,
                steps=encoder.STEPS // len(rounds),
                progress=lambda done, before=before, part=part: progress(before + part * done),  # type: ignore[misc]
            )
        return net


def believe(posterior: Tensor, label: Tensor, share: float) -> Tensor:
    """Labels ``[row]``: given ones stay; of each found class the surest `share`, if over `SURE`."""
    sure, found = posterior.max(dim=1)
    told = label.clone()
    for one in torch.unique(found):
        rows = ((found == one) & (label == ELSEWHERE)).nonzero().ravel()
        surest = rows[sure[rows].argsort(descending=True, stable=True)][: int(len(rows) * share)]
        told[surest[sure[surest] > SURE]] = one
    return told
