"""The set network over a room's streams, with its own ways of adapting (`models.training.methods`)."""

from collections.abc import Callable, Mapping, Sequence

import torch

from models.data.samples import MASK, Samples
from models.learners import carry
from models.learners.base import Curve, Found, Inputs, Learner, Method, Problem, Share, unseen
from models.learners.opinion import POOLS, opinion
from models.signal.bands import VERSION as BANDED
from models.signal.bands import in_slots
from models.signal.variation import VERSION
from models.tasks.ordinal import class_probabilities
from models.training.automatic import automatic
from models.training.export import to_onnx
from models.training.fit import Fitted, fit
from models.training.methods import METHODS, applicable
from models.training.task import task_spec
from models.zoo import Output


class StreamSetModel:
    """A fitted `StreamSet` as all learners offer theirs."""

    features = VERSION
    output: Output = "ordinal"

    def __init__(self, fitted: Fitted) -> None:
        self.fitted = fitted
        self.curve = Curve(fitted.curve.training, fitted.curve.validation)

    def logits(self, inputs: Inputs) -> Found:
        """Cumulative logits ``[row, classes - 1]``."""
        network = self.fitted.network.eval()
        with torch.no_grad():
            features, mask = (torch.from_numpy(inputs[name]) for name in (VERSION, VERSION + MASK))
            _, logits = network(features, mask.float(), *network.head())
        found: Found = logits.double().numpy()
        return found

    def predict(self, inputs: Inputs) -> Found:
        """Class probabilities ``[row, class]``."""
        return class_probabilities(self.logits(inputs), self.fitted.temperature)

    def to_onnx(self, name: str) -> bytes:
        """See `models.training.export`."""
        return to_onnx(self.fitted.network, name)


class StreamSetLearner(Learner):
    """Ordinal head on pooled features of how the channel varies (after METHODS B #2)."""

    NAME = "stream_set"
    TITLE = "network over the set of streams, on variation of CSI (after Zhou et al. 2020)"
    TASKS = ("presence", "counting")
    INPUTS = (VERSION, BANDED)

    def fit(self, samples: Samples, seed: int, *, progress: Share = unseen) -> StreamSetModel:
        """Fit on all of these windows; epochs come from a part held out first."""
        spec = task_spec(samples.task, samples.classes)
        return StreamSetModel(fit(samples, spec, seed, progress=progress))

    def methods(self) -> Mapping[str, Method]:
        """See `models.training.methods`."""
        own = {name: _unwrapped(method) for name, method in METHODS.items()}
        pools = {name: opinion(self, name) for name in POOLS}
        return {**self.adapters(), **own, "pooled": carry.pooled(self), **pools, "auto": self._chosen}

    def _chosen(self, problem: Problem, model: StreamSetModel, seed: int) -> Found:
        """With labelled rows of the target what does best on held-out ones; else as its own methods do."""
        if problem.support is None:
            return METHODS["auto"](problem, model.fitted, seed)
        return automatic(problem, self.methods(), model, seed)

    def vectors(self, fitted: StreamSetModel, inputs: Inputs) -> Found:
        """How each part of the band fades on every stream: within one room the best that was found.

        Chosen in RoomA alone (its first 20 s as support): 0.74 at 4 s; mean features of all streams reach
        0.44, those with their spread 0.54, features of every stream 0.59.
        """
        if BANDED not in inputs:
            return super().vectors(fitted, inputs)
        return in_slots(inputs[BANDED], inputs[BANDED + MASK])

    def baselines(self, problem: Problem) -> Sequence[str]:
        """Those that apply (DESIGN A6)."""
        return [*applicable(problem), *(["pooled"] if problem.support is not None else [])]


def _unwrapped(method: Callable[[Problem, Fitted, int], Found]) -> Method:
    def carried(problem: Problem, model: StreamSetModel, seed: int) -> Found:
        return method(problem, model.fitted, seed)

    return carried
