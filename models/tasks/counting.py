"""Counting: how many people, as posterior median with a conformal interval."""

import numpy as np

from models.prediction import Prediction, Reason
from models.tasks.base import Evidence
from models.tasks.ordinal import class_probabilities, expectation, interval, median


class Counting:
    """A whole number with a 90 % prediction interval; extras `expected`, the posterior mean."""

    name = "counting"
    needs_model = True

    def predict(self, evidence: Evidence) -> Prediction:
        """The posterior median; unknown when no stream holds enough frames.

        Raises:
            FloatingPointError: the model gave no number.
        """
        model = evidence.model
        if model is None:
            return Prediction.unknown(self.name, Reason.NO_MODEL)
        view = evidence.view.variation
        if not view.mask.any():
            return Prediction.unknown(self.name, Reason.LOW_OCCUPANCY, model.ref)
        _, logits = model.run(view.features, view.mask)
        if not np.isfinite(logits).all():
            raise FloatingPointError(f"model {model.card.name} gave {logits}")
        numbers = model.card.calibration
        probabilities = class_probabilities(logits, numbers["temperature"])
        low, high = interval(probabilities, numbers["interval_width"])
        people = int(median(probabilities))
        return Prediction(
            task=self.name,
            value=people,
            probability=float(probabilities[people]),
            interval=(float(low), float(high)),
            model=model.ref,
            extras={"expected": round(float(expectation(probabilities)), 2)},
        )
