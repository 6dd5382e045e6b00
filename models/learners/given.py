"""A model that is there already, judged as it is: ``--learner onnx:FOLDER`` (model.onnx and card.toml)."""

from pathlib import Path

import numpy as np

from models.data.samples import MASK, Samples
from models.errors import SelectionError
from models.learners.base import Curve, Found, Inputs, Learner, Share, unseen
from models.runtime import Backbone
from models.signal.variation import VERSION as VARIATION
from models.tasks.decode import probabilities
from models.zoo import CardError, Output, read_model


class GivenModel:
    """An ONNX model with its card, run as the worker runs it."""

    def __init__(self, backbone: Backbone) -> None:
        card = backbone.card
        self._backbone, self.curve = backbone, Curve()
        self.features: str = card.features
        self.output: Output = card.output

    def logits(self, inputs: Inputs) -> Found:
        """Logits ``[row, output]``, a row at a time."""
        values, mask = inputs[self.features], inputs[self.features + MASK]
        pairs = zip(values, mask, strict=True)
        return np.stack([self._backbone.run(value, seen)[1] for value, seen in pairs]).astype(np.float64)

    def predict(self, inputs: Inputs) -> Found:
        """Calibrated class probabilities, or metres and radius."""
        logits, numbers = self.logits(inputs), self._backbone.card.calibration
        if self.output == "metres":
            return np.column_stack([logits, np.full(len(logits), numbers["sigma_m"])])
        return probabilities(logits, self.output, numbers["temperature"])


class GivenLearner(Learner):
    """Learns nothing: it answers with the model of a folder; the source is only asked for its classes."""

    NAME = "onnx"
    TITLE = "a model that is there already, as it is"

    def __init__(self, told: str) -> None:
        try:
            self._backbone = Backbone(read_model(Path(told)))
        except (CardError, OSError) as error:
            raise SelectionError(f"no model in {told}: {error}") from error
        card = self._backbone.card
        self.TASKS, self.TRAINED_ON = (card.task,), card.trained_on
        self.INPUTS = (VARIATION, card.features)

    def fit(self, samples: Samples, seed: int, *, progress: Share = unseen) -> GivenModel:
        """The model as it is.

        Raises:
            SelectionError: its classes are not those of the data.
        """
        del seed
        progress(1.0)
        card = self._backbone.card
        if card.classes != samples.classes:
            raise SelectionError(
                f"model {card.name} knows the classes {', '.join(card.classes)}; the data has "
                f"{', '.join(samples.classes)}"
            )
        return GivenModel(self._backbone)
