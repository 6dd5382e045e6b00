"""Ways to learn a task from labelled rows, by name; each is one module (or package) that is loaded on demand.

A learner is one file and one line here, or an entry point of the group ``roomtone.learners``.
"""

from importlib import import_module
from importlib.metadata import entry_points
from typing import cast

from models.errors import SelectionError
from models.learners.base import Learner

_BUILT_IN = {
    "antenna_phases": "models.learners.fingerprint.antennas:AntennaPhases",
    "clip_ensemble": "models.learners.ensemble:ClipEnsemble",
    "cnn_bilstm": "models.learners.neural:CnnBiLstmLearner",
    "cnn_rnn": "models.learners.breathing:CnnRnnLearner",
    "counting_dnn": "models.learners.neural:CountingDnn",
    "fingerprint_cnn": "models.learners.neural:FingerprintCnnLearner",
    "fingerprint_dnn": "models.learners.neural:FingerprintDnn",
    "gain_free_lda": "models.learners.gain_free:GainFreeLda",
    "link_fingerprints": "models.learners.fingerprint.links:LinkFingerprints",
    "link_views": "models.learners.gain_free:LinkViews",
    "metal_gate": "models.learners.gate:MetalGate",
    "object_cnn": "models.learners.neural:ObjectCnn",
    "onnx": "models.learners.given:GivenLearner",
    "radio_map": "models.learners.fingerprint.radio_map:RadioMap",
    "shallow": "models.learners.shallow:ShallowLearner",
    "stream_set": "models.learners.stream_set:StreamSetLearner",
    "temporal_unet": "models.learners.crossing:TemporalUnetLearner",
}
_TOLD = ("onnx", "shallow")
"""Learners that can be told more behind a colon; `onnx` must be."""
_GROUP = "roomtone.learners"


def names() -> list[str]:
    """All learners."""
    return sorted({*_BUILT_IN, *(point.name for point in entry_points(group=_GROUP))})


def learner(name: str) -> Learner:
    """The learner of that name; behind a colon stands what else it is told, as in ``shallow:lof+pca+svc``.

    Raises:
        SelectionError: there is none, or it takes no such word.
    """
    first, _, told = name.partition(":")
    if first in _BUILT_IN and (not told or first in _TOLD):
        module, _, kind = _BUILT_IN[first].partition(":")
        made = getattr(import_module(module), kind)
        if first == "onnx" and not told:
            raise SelectionError("learner onnx needs the folder of a model: --learner onnx:FOLDER")
        return cast("Learner", made(told) if told else made())
    for point in entry_points(group=_GROUP):
        if point.name == name:
            return cast("Learner", point.load()())
    raise SelectionError(f"no learner {name!r}; there are {', '.join(names())}")


__all__ = ["Learner", "learner", "names"]
