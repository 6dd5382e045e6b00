"""Run a backbone: one onnxruntime session each, one thread; a room's own head stands behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from models.adapt.head import RoomHead, card_logits
from models.prediction import ModelRef
from models.signal.bands import VERSION as BANDED
from models.signal.bands import in_slots
from models.signal.inputs import INPUTS, Measured
from models.signal.view import View
from models.zoo import Card, Core, ShelvedModel


@dataclass(frozen=True, slots=True)
class Head:
    """A room's own output layer: float32 weight ``[embedding, output]`` and bias ``[output]``."""

    weight: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]


Shape = tuple[int | str, ...]
"""Of a tensor; a name stands for any number."""


@dataclass(frozen=True, slots=True)
class Tensors:
    """Names and shapes of a model's tensors, all float32; `optional` are inputs that have a default."""

    inputs: Mapping[str, Shape]
    optional: Mapping[str, Shape]
    outputs: Mapping[str, Shape]


class Backbone:
    """A loaded model. Rooms share it; what differs between rooms is the head behind it."""

    def __init__(self, model: ShelvedModel) -> None:
        import onnxruntime  # the API shows what models are without loading the engine

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors; a head that may be overridden is meant, not a mistake
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.card: Card = model.card
        self.core = model.core
        self._session = onnxruntime.InferenceSession(
            model.onnx, sess_options=options, providers=["CPUExecutionProvider"]
        )

    @property
    def tensors(self) -> Tensors:
        """What its file says of its inputs and outputs."""
        session = self._session
        kinds = session.get_inputs(), session.get_overridable_initializers(), session.get_outputs()
        return Tensors(*({one.name: tuple(one.shape) for one in kind} for kind in kinds))

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

    def vector(self, view: View) -> npt.NDArray[np.float64] | None:
        """What a room's own head sees of a window ``[feature]``; None when no stream is measured.

        The embedding, and how each part of the band fades on every stream (`models.signal.bands`).
        """
        seen, banded = INPUTS[self.card.features](view), INPUTS[BANDED](view)
        return self.vector_of(seen, banded) if seen.mask.any() and banded.mask.any() else None

    def vector_of(self, seen: Measured, banded: Measured) -> npt.NDArray[np.float64]:
        """The same of inputs that were made already: what the card names, and `bands-1`."""
        embedding = self.run(seen.values, seen.mask)[0]
        fading = in_slots(banded.values[None], banded.mask[None])[0]
        return np.concatenate([embedding, fading]).astype(np.float64)


class Base(Protocol):
    """What a room's own head can stand on."""

    card: Card
    core: Core | None

    def vector(self, view: View) -> npt.NDArray[np.float64] | None:
        """What the head sees of a window; None when no stream is measured."""
        ...

    def vector_of(self, seen: Measured, banded: Measured) -> npt.NDArray[np.float64]:
        """The same of inputs that were made already: what the card names, and `bands-1`."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class RoomModel:
    """A room's own head, and what it stands on.

    Attributes:
        head: its tensors.
        model: name and digest of the backbone's card.
        version: number in the room's list of versions.
        digest: SHA-256 of the tensors.
        classes: what its answers stand for.
        simulated: whether it learned from simulated frames; it speaks for such frames alone then.
        provisional: whether it was judged on parts of the very recordings it learned from.
        cells: places of classes in metres, where they are places.
        interval_width: of counts, from the room's held-out samples; None: the backbone's own.
    """

    head: RoomHead
    model: tuple[str, str]
    version: int
    digest: str
    classes: tuple[str, ...]
    simulated: bool
    provisional: bool
    cells: tuple[tuple[str, float, float], ...] = ()
    interval_width: float | None = None


class RoomReader:
    """A backbone with a room's own head behind it."""

    def __init__(self, backbone: Base, own: RoomModel) -> None:
        self._backbone, self._own = backbone, own
        card = backbone.card
        output = "softmax" if card.output == "metres" else card.output
        calibration = {**card.calibration, "temperature": 1.0}
        if own.interval_width is not None:
            calibration["interval_width"] = own.interval_width
        document = {**card.document, "cells": [list(cell) for cell in own.cells]}
        self.card = replace(
            card, classes=own.classes, output=output, calibration=calibration, document=document
        )

    def read(self, view: View) -> npt.NDArray[np.float32] | None:
        """Logits ``[output]``, from which the card's own way gives the head's probabilities."""
        vector = self._backbone.vector(view)
        return None if vector is None else self.read_vector(vector)

    def read_vector(self, vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        """The same of a vector that was made already."""
        found = self._own.head.predict(vector[None])[0]
        return card_logits(found, self.card.output, 1.0).astype(np.float32)

    @property
    def ref(self) -> ModelRef:
        """The backbone's name, with the room's version and digest."""
        own, card = self._own, self._backbone.card
        return ModelRef(
            card.name, f"{card.version}+room.{own.version}", own.digest, card.trained_on, own.provisional
        )
