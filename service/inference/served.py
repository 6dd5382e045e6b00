"""What can be asked by name: a model of a shelf as its file is, and a room's head with what it stands on.

Both run the very code that the worker runs (`models.runtime`), so that numbers are the same for the same
window. Beside what the file gives, `probabilities` are what the card makes of the logits.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from models.runtime import Backbone, Base, Head, RoomModel, RoomReader, Shape
from models.signal.bands import VERSION as BANDED
from models.signal.inputs import SHAPES, Measured
from models.tasks.decode import probabilities
from models.zoo import Card
from service.inference.refusal import bad
from service.inference.tensors import Array, TensorSpec

PLATFORM = "onnx_onnxruntime"
"""The protocol's name, ``<project>_<format>``, of what runs."""
_HEAD = ("head_weight", "head_bias")


class Served(Protocol):
    """A model that answers."""

    platform: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    properties: Mapping[str, str]

    def run(self, fed: Mapping[str, Array]) -> dict[str, Array]:
        """Outputs of one window by name.

        Raises:
            InferenceRefusal: inputs contradict each other, or hold no measured stream.
        """
        ...


class ShelfModel:
    """A model of a shelf; a head may be given instead of the one it ships with (docs/onnx-contract.md)."""

    platform = PLATFORM

    def __init__(self, backbone: Backbone) -> None:
        card, tensors = backbone.card, backbone.tensors
        self._backbone = backbone
        self.inputs: tuple[TensorSpec, ...] = (
            *_specs(_inputs(backbone)),
            *_specs(tensors.optional, optional=True),
        )
        self.outputs: tuple[TensorSpec, ...] = _specs(tensors.outputs) + _told(card)
        self.properties: Mapping[str, str] = {**_facts(card), "optional_inputs": ",".join(tensors.optional)}

    def run(self, fed: Mapping[str, Array]) -> dict[str, Array]:
        """Embedding, logits and, of classes, probabilities ``[1, ...]``."""
        given = [name for name in _HEAD if name in fed]
        if len(given) == 1:
            raise bad(f"input {given[0]!r} alone: a head is {' and '.join(_HEAD)}")
        head = Head(fed["head_weight"], fed["head_bias"]) if given else None
        seen = _measured(fed["features"], "mask", fed["mask"])
        embedding, logits = self._backbone.run(seen.values, seen.mask, head)
        return {"embedding": embedding[None], **_answers(self._backbone.card, logits)}


class RoomHeadModel:
    """A room's own head. It looks at the backbone's input, and at how each part of the band fades."""

    platform = f"roomtone_head_on_{PLATFORM}"

    def __init__(self, base: Base, own: RoomModel) -> None:
        self._base, self._reader = base, RoomReader(base, own)
        card = self._reader.card
        self.inputs: tuple[TensorSpec, ...] = _specs({**_inputs(base), **_BANDS})
        width = len(card.classes) - (card.output == "ordinal")
        self.outputs: tuple[TensorSpec, ...] = _specs({"logits": (1, width)}) + _told(card)
        facts = {"provisional": str(own.provisional).lower(), "backbone": own.model[0], "digest": own.digest}
        self.properties: Mapping[str, str] = {**_facts(card), **facts, "optional_inputs": ""}

    def run(self, fed: Mapping[str, Array]) -> dict[str, Array]:
        """Logits and probabilities ``[1, ...]``."""
        seen = _measured(fed["features"], "mask", fed["mask"])
        banded = _measured(fed["bands"], "bands_mask", fed["bands_mask"])
        return _answers(self._reader.card, self._reader.read_vector(self._base.vector_of(seen, banded)))


# Streams of their own: a link without enough frames has no bands, but still features, which are masked.
_BANDS: Mapping[str, Shape] = {
    "bands": (1, "banded_streams", *SHAPES[BANDED]),
    "bands_mask": (1, "banded_streams"),
}


def _inputs(base: Base) -> dict[str, Shape]:
    """Shapes of features and mask; what the file leaves open of a stream, its card says."""
    streams = base.tensors.inputs["mask"][1] if isinstance(base, Backbone) else "streams"
    return {"features": (1, streams, *SHAPES[base.card.features]), "mask": (1, streams)}


def _specs(shapes: Mapping[str, Shape], *, optional: bool = False) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec(name, shape, optional) for name, shape in shapes.items())


def _told(card: Card) -> tuple[TensorSpec, ...]:
    """Metres have no class probabilities."""
    return () if card.output == "metres" else _specs({"probabilities": (1, len(card.classes))})


def _answers(card: Card, logits: Array) -> dict[str, Array]:
    if not np.isfinite(logits).all():
        raise FloatingPointError(f"the model gave {logits}")
    found = {"logits": logits[None]}
    if card.output != "metres":
        told = probabilities(logits, card.output, card.calibration["temperature"])
        found["probabilities"] = told[None].astype(np.float32)
    return found


def _measured(values: Array, name: str, mask: Array) -> Measured:
    """One input of a window, without its first axis: nothing can be said of one that measured nothing."""
    if not np.isin(mask, (0, 1)).all():
        raise bad(f"input {name!r}: it is 1 where a stream was measured, else 0")
    if not mask.any():
        raise bad(f"input {name!r}: no stream is measured; of such a window the service says `unknown`")
    return Measured(values[0], mask[0] == 1)


def _facts(card: Card) -> dict[str, str]:
    """What a caller must know of the model, as the protocol's ``properties``: text by name."""
    return {
        "task": card.task,
        "classes": ",".join(card.classes),
        "output": card.output,
        "features": card.features,
        "bands": BANDED,
        "nics": ",".join(card.nics),
        "trained_on": card.trained_on,
        "licence": card.licence,
        "digest": card.digest,
    }
