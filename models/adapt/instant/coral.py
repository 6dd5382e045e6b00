"""CORAL: the second moments of the room are turned into those of old rooms; no labels.

After Sun, Feng, Saenko, "Return of Frustratingly Easy Domain Adaptation", AAAI 2016, with the target mapped
to the source instead of the other way round, so that the source's head serves as it is.
"""

import numpy as np

from models.adapt.base import Adapter, Floats, Setting, Share, unseen
from models.adapt.head import RoomHead
from models.adapt.instant.head_refit import within_classes
from models.adapt.instant.lda import centres_of, head_of, shown, shrunk, taught

_LEAST = 1e-6


class Coral(Adapter):
    """Whitened by the room's covariance, coloured by that of old rooms."""

    NAME = "coral"
    TITLE = "covariance of the room aligned with that of old rooms (Sun et al. 2016)"
    TIER = "instant"
    NEEDS = ("source", "unlabelled")

    def adapt(self, setting: Setting, seed: int, *, progress: Share = unseen) -> RoomHead:
        """See `Adapter.adapt`; nothing in it is random."""
        del seed, progress
        seen, source, support = setting.needed_target(), setting.source, setting.support
        scale = source.values.std(axis=0) + _LEAST
        old, new = (source.values - source.values.mean(axis=0)) / scale, (seen - seen.mean(axis=0)) / scale
        turn = _power(_moments(new), -0.5) @ _power(_moments(old), 0.5)
        mine = None if support is None else (support.values - seen.mean(axis=0)) / scale @ turn
        values, label = taught(old, source, mine, support)
        present = shown(label)
        left = within_classes(source) / scale
        plain = head_of(
            setting.classes,
            present,
            centres_of(values, label, present),
            shrunk(left.T @ left / len(left)),
            (seen.mean(axis=0), scale),
        )
        return RoomHead.of("softmax", (seen.mean(axis=0), scale), (turn @ plain.weight, plain.bias))


def _moments(values: Floats) -> Floats:
    return shrunk(values.T @ values / len(values))


def _power(covariance: Floats, power: float) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.maximum(values, _LEAST) ** power @ vectors.T)
