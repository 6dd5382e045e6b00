"""Activity: what is being done in the room, the most probable of the model's classes."""

from models.prediction import Prediction
from models.tasks.base import Evidence
from models.tasks.classes import classified


class Activity:
    """The name of an activity, such as ``"walking"``; what there is depends on the model's card."""

    name = "activity"
    needs_model = True

    def predict(self, evidence: Evidence) -> Prediction:
        """The most probable class.

        Raises:
            FloatingPointError: the model gave no number.
        """
        return classified(self.name, evidence)[0]
