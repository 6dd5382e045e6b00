"""A backbone for cards that no model was trained on: features of how the channel varies, and nothing learned.

Alone it says nothing. A room's own head can stand on it, so that any card whose frames are read can be taught
a room; there are no old rooms to lean on, so it takes more samples than a trained backbone.
"""

import hashlib
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from models.prediction import ModelRef
from models.signal.bands import VERSION as BANDED
from models.signal.bands import in_slots
from models.signal.inputs import INPUTS, Measured
from models.signal.variation import NAMES, VERSION
from models.signal.view import View
from models.task_names import FIXED
from models.zoo import Card, Core

NAME = "variation-features"
MOST_PEOPLE = 20
_CLASSES = {
    "presence": ("vacant", "occupied"),
    "counting": tuple(str(number) for number in range(MOST_PEOPLE + 1)),
}


class BareBackbone:
    """Mean over streams of `models.signal.variation`, and `models.signal.bands`: vectors without a network.

    Attributes:
        core: None, it was trained nowhere.
    """

    core: Core | None = None

    def __init__(self, task: str) -> None:
        self.card = Card(
            name=NAME,
            version="1",
            task=task,
            trained_on="nothing",
            shelf="open",
            licence="Apache-2.0",
            features=VERSION,
            classes=_CLASSES[task] if task in FIXED else (),
            output="softmax",
            nics=(),
            digest=hashlib.sha256(f"{VERSION} {NAMES} {BANDED}".encode()).hexdigest(),
            calibration={"temperature": 1.0, "interval_width": 2.0},
            document={},
        )

    def vector(self, view: View) -> npt.NDArray[np.float64] | None:
        """Mean of each feature over measured streams, and fading by band and stream; None without any."""
        seen, banded = INPUTS[VERSION](view), INPUTS[BANDED](view)
        return self.vector_of(seen, banded) if seen.mask.any() and banded.mask.any() else None

    def vector_of(self, seen: Measured, banded: Measured) -> npt.NDArray[np.float64]:
        """The same of inputs that were made already: what the card names, and `bands-1`."""
        measured = seen.values[seen.mask].astype(np.float64)
        return np.concatenate([measured.mean(axis=0), in_slots(banded.values[None], banded.mask[None])[0]])

    @property
    def ref(self) -> ModelRef:
        """How predictions name it."""
        card = self.card
        return ModelRef(card.name, card.version, card.digest, card.trained_on)


@lru_cache(maxsize=64)
def bare(task: str) -> BareBackbone:
    """The backbone of this task, made once."""
    return BareBackbone(task)
