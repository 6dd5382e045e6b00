"""Local maximum mean discrepancy: each class of the room over the same class of old rooms."""

import torch
from torch.nn.functional import one_hot

from models.adapt.base import ELSEWHERE, Share
from models.adapt.deep.encoder import Deep, Net, descend
from models.adapt.deep.tensors import Draw, Tensor, Tensors

WEIGHT = 0.5
KERNELS = 5


class Lmmd(Deep):
    """Source loss + 0.5 x ramp x LMMD (after DSAN, Zhu et al., TNNLS 2021; formulas in METHODS #9)."""

    NAME = "lmmd"
    TITLE = "each class moved over that of old rooms by its kernel means (after DSAN, Zhu et al. 2021)"
    NEEDS = ("source", "unlabelled")

    def learn(self, data: Tensors, progress: Share) -> Net:
        """See `Deep.learn`."""
        net = Net(data)

        def loss(draw: Draw) -> Tensor:
            ours, old = net(draw.target), net(draw.source)
            apart = lmmd(
                old, shares(draw.source_label, data.classes), ours, weights(net, ours, draw.target_label)
            )
            return net.supervised(draw) + WEIGHT * draw.ramp * apart

        descend(net.parameters(), data, loss, progress=progress)
        return net


def weights(net: Net, hidden: Tensor, label: Tensor) -> Tensor:
    """How much of each class a row of the room is ``[row, class]``: its label, or the posterior."""
    soft = net.head.posterior(hidden).detach()
    return torch.where((label != ELSEWHERE)[:, None], shares(label, soft.shape[1]), soft)


def shares(label: Tensor, classes: int) -> Tensor:
    """One-hot ``[row, class]``; rows of places that the room does not have are of no class."""
    return one_hot(label.clamp_min(0), classes).float() * (label != ELSEWHERE)[:, None]


def lmmd(old: Tensor, old_share: Tensor, ours: Tensor, our_share: Tensor) -> Tensor:
    """Mean over the classes that both sides show of the squared distance between their kernel means.

    Sum of W_ss K_ss + W_tt K_tt - 2 W_st K_st with W from the shares of each class divided by their column
    sums, and K a sum of `KERNELS` Gaussians, each twice as wide as the last (DSAN, eq. 6).
    """
    leading = one_hot(our_share.argmax(dim=1), our_share.shape[1]) * (our_share.sum(dim=1) > 0)[:, None]
    both = (old_share.sum(dim=0) > 0) & (leading.sum(dim=0) > 0)
    if not both.any():
        return old.sum() * 0
    first, second = (one[:, both] / one[:, both].sum(dim=0) for one in (old_share, our_share))
    whole = torch.cat([first, -second])
    kernel = _kernel(torch.cat([old, ours]))
    return torch.einsum("ic,ij,jc->", whole, kernel, whole) / both.sum()


def _kernel(values: Tensor) -> Tensor:
    """``[row, row]``; the widest is 4 times the mean squared distance, the narrowest a quarter."""
    long = (values**2).sum(dim=1)
    square = (long[:, None] + long - 2 * values @ values.T).clamp_min(0)
    rows = len(values)
    base = square.detach().sum() / max(rows * (rows - 1), 1) / 2 ** (KERNELS // 2) + 1e-6
    return torch.stack([torch.exp(-square / (base * 2**power)) for power in range(KERNELS)]).sum(dim=0)
