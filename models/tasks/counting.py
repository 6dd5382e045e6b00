"""Counting: how many people, as posterior median with a conformal interval."""

from models.prediction import Prediction, Reason
from models.tasks.base import Evidence, Reader
from models.tasks.decode import probabilities
from models.tasks.fusion import Logits, agreement
from models.tasks.ordinal import expectation, interval, median


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
        logits = model.read(evidence.view)
        if logits is None:
            return Prediction.unknown(self.name, Reason.LOW_OCCUPANCY, model.ref)
        numbers = model.card.calibration
        found = probabilities(logits, model.card.output, numbers["temperature"])
        low, high = interval(found, numbers["interval_width"])
        people = int(median(found))
        return Prediction(
            task=self.name,
            value=people,
            probability=float(found[people]),
            interval=(float(low), float(high)),
            model=model.ref,
            extras={
                "expected": round(float(expectation(found)), 2),
                **agreement(model, evidence.view, people, lambda alone: _most_likely(alone, model)),
            },
        )


def _most_likely(logits: Logits, model: Reader) -> int:
    return int(median(probabilities(logits, model.card.output, model.card.calibration["temperature"])))
