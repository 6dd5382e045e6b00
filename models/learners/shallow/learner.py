"""Learner of the shallow pipeline: SVM presence and SVM or SVR localization (#1, #4), kNN, random forest."""

import numpy as np
import numpy.typing as npt
from sklearn.pipeline import Pipeline

from models.data.samples import MASK, Samples
from models.learners.base import Curve, Found, Inputs, Learner, Share, unseen
from models.learners.shallow.denoise import kept
from models.learners.shallow.export import LEAST, SHUT, to_onnx
from models.learners.shallow.recipe import Recipe
from models.signal.inputs import PROFILE
from models.signal.variation import VERSION as VARIATION
from models.tasks.decode import probabilities
from models.training.selection import hold_out
from models.zoo import Output

Floats = npt.NDArray[np.float64]


class ShallowModel:
    """A fitted pipeline; `pooled` says whether streams are averaged (else laid side by side)."""

    def __init__(self, pipeline: Pipeline, features: str, classes: int, *, pooled: bool) -> None:
        self.pipeline, self.features, self.pooled, self.classes = pipeline, features, pooled, classes
        self.output: Output = "softmax" if classes else "metres"
        self.curve = Curve()

    def logits(self, inputs: Inputs) -> Found:
        """Margins of a support vector machine, logarithms of other heads' probabilities, or metres."""
        rows = arranged(inputs, self.features, pooled=self.pooled)
        if not self.classes:
            return np.asarray(self.pipeline.predict(rows), np.float64)
        head = self.pipeline.named_steps["head"]
        out = np.full((len(rows), self.classes), SHUT)
        if hasattr(head, "decision_function"):
            margin = np.asarray(self.pipeline.decision_function(rows), np.float64)
            out[:, head.classes_] = np.stack([-margin, margin], axis=1) if margin.ndim == 1 else margin
        else:
            out[:, head.classes_] = np.log(np.maximum(self.pipeline.predict_proba(rows), LEAST))
        return out

    def predict(self, inputs: Inputs) -> Found:
        """Class probabilities ``[row, class]``, or metres ``[row, 2]``."""
        logits = self.logits(inputs)
        return probabilities(logits, self.output) if self.classes else logits

    def to_onnx(self, name: str) -> bytes:
        """See `models.learners.shallow.export`."""
        width = self.pipeline.n_features_in_
        return to_onnx(self.pipeline, name, self.features, width, self.classes, pooled=self.pooled)


class ShallowLearner(Learner):
    """Presence and the like from how the channel varies, pooled; places from the static profile.

    A static profile knows the recording as well as the room: for places only, where it is all there is.
    """

    NAME = "shallow"
    TITLE = "denoise + reduce + SVM, kNN or forest (after Zhou et al. 2017, rows 1 and 4)"
    TASKS = ("presence", "counting", "localization", "suspicious_object", "activity")
    INPUTS = (VARIATION, PROFILE)

    def __init__(self, recipe: str | None = None) -> None:
        self._recipe = None if recipe is None else Recipe.named(recipe)

    def fit(self, samples: Samples, seed: int, *, progress: Share = unseen) -> ShallowModel:
        """Fit on these rows; the penalty is the one that does best on held-out source rows."""
        metres = not samples.classes
        recipe = self._recipe or Recipe("dbscan", "pca", "svr" if metres else "svc")
        known, asked = hold_out(samples)
        choices = recipe.penalties()
        best = choices[0]
        if len(choices) > 1 and len(known) and len(asked):
            losses = [_loss(_fitted(known, recipe, one, seed), asked) for one in choices]
            best = choices[int(np.argmin(losses))]
        progress(0.7)
        return _fitted(samples, recipe, best, seed)


def arranged(inputs: Inputs, name: str, *, pooled: bool) -> Floats:
    """Rows ``[row, feature]``: the mean over measured streams, or all streams side by side."""
    values, mask = np.asarray(inputs[name], np.float64), np.asarray(inputs[name + MASK], np.float64)
    weight = mask.reshape(*mask.shape, *([1] * (values.ndim - 2)))
    if not pooled:
        return (values * weight).reshape(len(values), -1)
    mean: Floats = (values * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1)
    return mean


def _fitted(samples: Samples, recipe: Recipe, penalty: float, seed: int) -> ShallowModel:
    pooled = samples.task != "localization"
    name = VARIATION if pooled else PROFILE
    rows = arranged(samples.inputs, name, pooled=pooled)
    _, groups = np.unique(samples.label, axis=0, return_inverse=True)
    stay = kept(recipe.denoiser, rows, groups.ravel(), seed)
    metres = not samples.classes
    pipeline = recipe.pipeline(rows.shape[1], int(stay.sum()), penalty, seed, metres=metres)
    pipeline.fit(rows[stay], samples.label[stay])
    return ShallowModel(pipeline, name, len(samples.classes), pooled=pooled)


def _loss(model: ShallowModel, asked: Samples) -> float:
    """Share of wrong answers, classes weighed equally, or mean distance in metres."""
    logits = model.logits(asked.inputs)
    if not asked.classes:
        return float(np.linalg.norm(logits - asked.label, axis=1).mean())
    wrong = logits.argmax(axis=1) != asked.label
    return float(np.mean([wrong[asked.label == one].mean() for one in np.unique(asked.label)]))
