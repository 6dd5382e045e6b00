"""Shadows: how much of each first-order path something in the way takes."""

import numpy as np

from drivers.simulate.room import Floats, Images

_SOFT_M = 0.12  # over this height a shadow's upper and lower edge fade


def shadows(
    places: Floats,
    images: Images,
    sender: Floats,
    receiver: Floats,
    *,
    radius_m: float,
    reach: tuple[Floats, Floats] | None = None,
) -> Floats:
    """Share 0..1 of the full shadow that each thing casts on each path, ``[time, thing, image]``.

    Args:
        places: middles of the things ``[time, thing, 3]``, metres.
        images: of the paths.
        sender: middle of the transmitting array ``[3]``.
        receiver: middle of the receiving array ``[3]``.
        radius_m: how wide a shadow is.
        reach: lowest and highest point of each thing ``[time, thing]``; None for floor to ceiling.
    """
    start = images.of(sender)  # [image, 3]
    way = receiver - start
    found = np.zeros((*places.shape[:2], len(start)))
    # A path over a wall runs straight from the image; a thing is in its way either as itself, behind the
    # wall's mirror, or both.
    whole = np.broadcast_to(places[:, :, None], (*found.shape, 3))
    for mirrored, seen in enumerate((whole, images.of(places))):
        offset = seen - start
        level = way[:, :2]
        along = (offset[..., :2] * level).sum(-1) / np.maximum((level**2).sum(-1), 1e-9)
        aside = offset[..., :2] - along[..., None] * level
        distance = np.sqrt((aside**2).sum(-1))
        shadow = ((along > 0) & (along < 1)) * np.exp(-((distance / radius_m) ** 2))
        if reach is not None:
            height = start[:, 2] + along * way[:, 2]
            if mirrored:
                height = (height - images.shift[:, 2]) * images.sign[:, 2]
            shadow = shadow * _within(height, *reach)
        found = np.maximum(found, shadow)
    return found


def _within(height: Floats, low: Floats, high: Floats) -> Floats:
    """1 where a path's height ``[time, thing, image]`` lies between these, softly 0 elsewhere."""
    above = np.tanh((high[..., None] - height) / _SOFT_M)
    below = np.tanh((low[..., None] - height) / _SOFT_M)
    return np.asarray((above - below) / 2, np.float64)
