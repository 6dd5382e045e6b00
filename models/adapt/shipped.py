"""The head a model ships with, as a room's head: what serves before anything is learned."""

import numpy as np

from models.adapt.head import RoomHead
from models.runtime import Base


def shipped_head(backbone: Base, width: int) -> RoomHead | None:
    """The shipped head on vectors of `Backbone.vector`; None for metres, or where the model does not tell it.

    An embedding is the front of a vector of `width` numbers; what stands behind it has no weight.
    """
    core, output = backbone.core, backbone.card.output
    if core is None or output == "metres":
        return None
    weight = np.zeros((width, core.weight.shape[1]), np.float32)
    weight[: len(core.weight)] = core.weight
    return RoomHead.of(
        output,
        (np.zeros(width), np.ones(width)),
        (weight, core.bias),
        temperature=float(backbone.card.calibration["temperature"]),
    )
