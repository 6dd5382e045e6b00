"""Metrics of judged units, from class probabilities ``[unit, class]`` and labels ``[unit]``."""

import numpy as np
import numpy.typing as npt

from models.tasks.ordinal import expectation, median

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


def presence_metrics(probabilities: Floats, labels: Labels) -> dict[str, float]:
    """Balanced accuracy, accuracy and expected calibration error."""
    found = probabilities[:, 1] >= 0.5
    hits = found == (labels == 1)
    recalls = [float(hits[labels == one].mean()) for one in np.unique(labels)]
    return {
        "balanced_accuracy": float(np.mean(recalls)),
        "accuracy": float(hits.mean()),
        "ece": calibration_error(np.asarray(probabilities.max(axis=1)), hits),
    }


def counting_metrics(probabilities: Floats, labels: Labels) -> dict[str, float]:
    """Accuracy and within one of the posterior median; mean absolute error of the expected count."""
    people = median(probabilities)
    return {
        "accuracy": float((people == labels).mean()),
        "within_1": float((np.abs(people - labels) <= 1).mean()),
        "mae": float(np.abs(expectation(probabilities) - labels).mean()),
        "ece": calibration_error(
            np.asarray(np.take_along_axis(probabilities, people[:, None], 1)[:, 0], np.float64),
            people == labels,
        ),
    }


def class_metrics(probabilities: Floats, labels: Labels) -> dict[str, float]:
    """Accuracy and macro F1 of the most probable class, and expected calibration error."""
    best = probabilities.argmax(axis=1)
    scores = []
    for one in np.union1d(labels, best):
        both = int(((best == one) & (labels == one)).sum())
        scores.append(2 * both / max(int((best == one).sum()) + int((labels == one).sum()), 1))
    return {
        "accuracy": float((best == labels).mean()),
        "macro_f1": float(np.mean(scores)),
        "ece": calibration_error(np.asarray(probabilities.max(axis=1)), best == labels),
    }


def place_metrics(found: Floats, places: Floats) -> dict[str, float]:
    """Mean, median and 90th percentile of the distance in metres; x and y are the first two columns.

    Where there is a third, a radius, `within_sigma` is how often the truth lies within it.
    """
    apart = np.linalg.norm(found[:, :2] - places, axis=1)
    table = {
        "mean_m": float(apart.mean()),
        "median_m": float(np.median(apart)),
        "p90_m": float(np.percentile(apart, 90)),
    }
    if found.shape[1] > 2:
        table["within_sigma"] = float((apart <= found[:, 2]).mean())
    return table


def calibration_error(confidence: Floats, hits: npt.NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error: mean gap of confidence and hit rate over equal-width bins."""
    place = np.minimum((np.asarray(confidence) * bins).astype(int), bins - 1)
    gaps = [
        abs(float(confidence[place == one].mean()) - float(hits[place == one].mean()))
        * float((place == one).mean())
        for one in np.unique(place)
    ]
    return float(sum(gaps))


def confusion(found: Labels, labels: Labels, classes: int) -> list[list[int]]:
    """Rows are true classes, columns what was found."""
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (labels, found), 1)
    return [[int(value) for value in row] for row in table]
