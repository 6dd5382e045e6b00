"""What tasks share whose answer is the most probable of a model's classes."""

import numpy as np
import numpy.typing as npt

from models.prediction import Prediction, Reason
from models.tasks.base import Evidence
from models.tasks.decode import probabilities
from models.tasks.fusion import agreement

Floats = npt.NDArray[np.float64]
_NONE: Floats = np.zeros(0)


def classified(task: str, evidence: Evidence) -> tuple[Prediction, Floats]:
    """The most probable class with its probability, and the probabilities of all, ``[class]``.

    Extras are `probabilities` by class, and whether links agree. Of an unknown there are no probabilities.

    Raises:
        FloatingPointError: the model gave no number.
    """
    model = evidence.model
    if model is None:
        return Prediction.unknown(task, Reason.NO_MODEL), _NONE
    logits = model.read(evidence.view)
    if logits is None:
        return Prediction.unknown(task, Reason.LOW_OCCUPANCY, model.ref), _NONE
    card = model.card
    found = probabilities(logits, card.output, card.calibration["temperature"])
    best = int(found.argmax())
    answer = Prediction(
        task=task,
        value=card.classes[best],
        probability=float(found[best]),
        model=model.ref,
        extras={
            "probabilities": {name: round(float(p), 4) for name, p in zip(card.classes, found, strict=True)},
            **agreement(model, evidence.view, best, lambda alone: int(np.argmax(alone))),
        },
    )
    return answer, found
