"""What an ONNX file does when it is run: repeatable, finite, blind to masked streams, and how fast."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.contract.graph import BrokenContractError, Shape
from models.runtime import Backbone
from models.signal.inputs import SHAPES, Measured
from models.zoo import ShelvedModel

TOLERANCE = 1e-4
STREAMS = (1, 2, 3, 6, 9)
"""Numbers of streams tried where the file says that any will do."""
_RUNS = 30


@dataclass(frozen=True, slots=True)
class Probed:
    """What was seen: numbers of streams tried, and the median time of one window in milliseconds."""

    streams: tuple[int, ...]
    window_ms: float


def probe(model: ShelvedModel, shapes: Mapping[str, Shape]) -> Probed:
    """Run the model on made-up inputs.

    Raises:
        BrokenContractError: it cannot be run, gives no numbers, or other numbers for the same input, or looks
            at a stream that is masked out.
    """
    try:
        backbone = Backbone(model)
    except Exception as error:
        raise BrokenContractError(f"onnxruntime cannot load the file: {error}") from error
    fixed = shapes["features"][1]
    counts = (fixed,) if isinstance(fixed, int) else STREAMS
    for count in counts:
        _check(backbone, _made(model.card.features, count))
    return Probed(counts, _time(backbone, _made(model.card.features, counts[-1])))


def _made(name: str, streams: int) -> Measured:
    rng = np.random.default_rng(streams)
    values = rng.standard_normal((streams, *SHAPES[name])).astype(np.float32)
    return Measured(values, np.ones(streams, np.bool_))


def _check(backbone: Backbone, seen: Measured) -> None:
    streams = len(seen.mask)
    first, again = _run(backbone, seen), _run(backbone, seen)
    if not np.isfinite(first).all():
        raise BrokenContractError(f"with {streams} streams logits are {first}")
    if not np.array_equal(first, again):
        raise BrokenContractError("the same input gives other logits the second time")
    empty = _run(backbone, Measured(np.zeros_like(seen.values), np.zeros(streams, np.bool_)))
    if not np.isfinite(empty).all():
        raise BrokenContractError(f"with every stream masked out logits are {empty}")
    if streams < 2:
        return
    mask = seen.mask.copy()
    mask[-1] = False
    strange = seen.values.copy()
    strange[-1] = 50.0
    if (
        np.abs(_run(backbone, Measured(seen.values, mask)) - _run(backbone, Measured(strange, mask))).max()
        > TOLERANCE
    ):
        raise BrokenContractError("a stream that is masked out changes the logits: multiply it by the mask")


def _run(backbone: Backbone, seen: Measured) -> npt.NDArray[np.float32]:
    try:
        return backbone.run(seen.values, seen.mask)[1]
    except Exception as error:
        raise BrokenContractError(f"cannot be run with {len(seen.mask)} streams: {error}") from error


def _time(backbone: Backbone, seen: Measured) -> float:
    taken = []
    for _ in range(_RUNS):
        began = time.perf_counter()
        backbone.run(seen.values, seen.mask)
        taken.append(time.perf_counter() - began)
    return round(float(np.median(taken)) * 1e3, 4)
