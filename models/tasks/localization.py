"""Localization: where somebody is, as cell and as x, y in metres with a calibrated radius."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from models.prediction import JsonValue, Prediction, Reason
from models.tasks.base import Evidence, Reader
from models.tasks.classes import classified
from models.zoo import Card

NOBODY = "nobody"
"""The class of an empty room: there is nobody to find."""


class Localization:
    """``{"x_m", "y_m", "cell", "sigma_m"}``; `sigma_m` holds the truth in 68 % of held-out windows.

    A place is known only where the model's classes have one: the card's `cells` are ``[name, x_m, y_m]``.
    Where nobody is, all four are null.
    """

    name = "localization"
    needs_model = True

    def predict(self, evidence: Evidence) -> Prediction:
        """Metres as the model gives them, or the mean of the cells by their probability.

        Raises:
            FloatingPointError: the model gave no number.
        """
        model = evidence.model
        if model is not None and model.card.output == "metres":
            return _in_metres(model, evidence)
        cell, found = classified(self.name, evidence)
        if model is None or cell.value is None:
            return cell
        return replace(cell, value=_of_cells(found, str(cell.value), model.card))


def cells_of(card: Card) -> Mapping[str, tuple[float, float]]:
    """Places of the card's cells in metres, by name; empty where nobody measured them."""
    return {str(name): (float(x), float(y)) for name, x, y in card.document.get("cells", [])}


def _in_metres(model: Reader, evidence: Evidence) -> Prediction:
    found = model.read(evidence.view)
    if found is None:
        return Prediction.unknown(Localization.name, Reason.LOW_OCCUPANCY, model.ref)
    if not np.isfinite(found).all():
        raise FloatingPointError(f"model {model.card.name} gave {found}")
    x, y = (round(float(value), 2) for value in found[:2])
    place: JsonValue = {"x_m": x, "y_m": y, "cell": None, "sigma_m": model.card.calibration["sigma_m"]}
    return Prediction(Localization.name, value=place, model=model.ref)


def _of_cells(found: npt.NDArray[np.float64], cell: str, card: Card) -> JsonValue:
    """The cell, and the mean place of all cells by their probability, nobody left out."""
    if cell == NOBODY:
        return {"x_m": None, "y_m": None, "cell": None, "sigma_m": None}
    places = cells_of(card)
    known = [(p, *places[name]) for name, p in zip(card.classes, found, strict=True) if name in places]
    if not known:
        return {"x_m": None, "y_m": None, "cell": cell, "sigma_m": None}
    weight, x, y = np.array(known).T
    mean = [round(float(np.average(axis, weights=weight)), 2) for axis in (x, y)]
    return {"x_m": mean[0], "y_m": mean[1], "cell": cell, "sigma_m": card.calibration.get("sigma_m")}
