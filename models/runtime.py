"""Run a backbone: one onnxruntime session each, one thread, the per-room head as an input."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnxruntime

from models.prediction import ModelRef
from models.signal.inputs import INPUTS
from models.signal.view import View
from models.zoo import Card, ShelvedModel


@dataclass(frozen=True, slots=True)
class Head:
    """A room's own output layer: float32 weight ``[embedding, output]`` and bias ``[output]``."""

    weight: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]


class Backbone:
    """A loaded model. Rooms share it; what differs between rooms is the `Head` they feed in."""

    def __init__(self, model: ShelvedModel) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors; a head that may be overridden is meant, not a mistake
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.card: Card = model.card
        self._session = onnxruntime.InferenceSession(
            model.onnx, sess_options=options, providers=["CPUExecutionProvider"]
        )

    def run(
        self, features: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_], head: Head | None = None
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Embedding ``[embedding]`` and logits ``[output]`` of one window.

        Args:
            features: float32 ``[stream, ...]``, the input that the card names (`models.signal.inputs`).
            mask: ``[stream]``, True where a stream was measured.
            head: the room's own head; the shipped one without it.
        """
        feeds = {"features": features[None], "mask": mask[None].astype(np.float32)}
        if head is not None:
            feeds |= {"head_weight": head.weight, "head_bias": head.bias}
        embedding, logits = self._session.run(["embedding", "logits"], feeds)
        return embedding[0], logits[0]

    def read(self, view: View, head: Head | None = None) -> npt.NDArray[np.float32] | None:
        """Logits ``[output]`` of one window, fed what the card names; None when no stream is measured."""
        seen = INPUTS[self.card.features](view)
        return self.run(seen.values, seen.mask, head)[1] if seen.mask.any() else None

    @property
    def ref(self) -> ModelRef:
        """How predictions name this model."""
        return ModelRef(self.card.name, self.card.version, self.card.digest, self.card.trained_on)
