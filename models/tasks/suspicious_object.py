"""Suspicious objects: what is carried through the room, ``"none"`` or a material such as ``"metal"``."""

from models.prediction import Prediction
from models.tasks.base import Evidence
from models.tasks.classes import classified


class SuspiciousObject:
    """``"none"``, ``"metal"``, ``"liquid"`` or what else the model's card names."""

    name = "suspicious_object"
    needs_model = True

    def predict(self, evidence: Evidence) -> Prediction:
        """The most probable class.

        Raises:
            FloatingPointError: the model gave no number.
        """
        return classified(self.name, evidence)[0]
