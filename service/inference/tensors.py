"""Tensors of a request: JSON in, checked float32 arrays out, and back again.

Open Inference Protocol, REST, ``request_input`` and ``response_output``: data is flat in row-major order, or
nested as the shape says. Everything that Roomtone's models take and give is FP32.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from models.runtime import Shape
from service.inference.refusal import bad

FP32 = "FP32"
MOST_ELEMENTS = 2**18
"""Of all inputs of a request together: 1 MiB of float32."""
MOST_TENSORS, MOST_RANK = 16, 8

Array = npt.NDArray[np.float32]
Parameters = dict[str, Any]


class RequestInput(msgspec.Struct):
    """One tensor of a request."""

    name: str
    shape: Annotated[list[int], msgspec.Meta(max_length=MOST_RANK)]
    datatype: str
    data: msgspec.Raw = msgspec.Raw()
    parameters: Parameters | None = None


class RequestOutput(msgspec.Struct):
    """An output that is asked for."""

    name: str
    parameters: Parameters | None = None


class InferRequest(msgspec.Struct):
    """An inference request; parameters that the server does not know are passed over."""

    inputs: Annotated[list[RequestInput], msgspec.Meta(max_length=MOST_TENSORS)]
    id: str | None = None
    parameters: Parameters | None = None
    outputs: Annotated[list[RequestOutput], msgspec.Meta(max_length=MOST_TENSORS)] | None = None


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """What a model says of one tensor; a name in `shape` is any number, the same wherever it stands."""

    name: str
    shape: Shape
    optional: bool = False

    def document(self) -> dict[str, Any]:
        """As the protocol's ``metadata_tensor``: -1 is any number."""
        shape = [one if isinstance(one, int) else -1 for one in self.shape]
        return {"name": self.name, "datatype": FP32, "shape": shape}


def read_request(body: bytes) -> InferRequest:
    """The request in this body.

    Raises:
        InferenceRefusal: it is not one; says where.
    """
    try:
        return msgspec.json.decode(body, type=InferRequest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise bad(f"not an inference request: {error}") from None


def read_inputs(asked: Sequence[RequestInput], specs: Iterable[TensorSpec]) -> dict[str, Array]:
    """Arrays by name, of the shapes that the model takes.

    Raises:
        InferenceRefusal: a name is unknown, missing or given twice, or a type, shape or number does not fit.
    """
    known = {spec.name: spec for spec in specs}
    _check_names([one.name for one in asked], known)
    if sum(_size(one) for one in asked) > MOST_ELEMENTS:
        raise bad(f"inputs of more than {MOST_ELEMENTS} elements together: send fewer windows or streams")
    sizes: dict[str, int] = {}
    for one in asked:
        _check_shape(one, known[one.name], sizes)
    return {one.name: _array(one) for one in asked}


def wanted_outputs(asked: Sequence[RequestOutput] | None, specs: Sequence[TensorSpec]) -> list[str]:
    """Names of outputs to answer with; all where none is asked for.

    Raises:
        InferenceRefusal: the model has no output of a name.
    """
    names = [spec.name for spec in specs]
    for one in asked or ():
        if one.name not in names:
            raise bad(f"output {one.name[:80]!r} is none of {', '.join(names)}")
    return [one.name for one in asked] if asked else names


def output_document(name: str, array: Array) -> dict[str, Any]:
    """A tensor as the protocol's ``response_output``; float32 is written out exactly."""
    return {"name": name, "datatype": FP32, "shape": list(array.shape), "data": array.ravel().tolist()}


def _check_names(given: list[str], known: Mapping[str, TensorSpec]) -> None:
    for name in given:
        if name not in known:
            raise bad(f"input {name[:80]!r} is none of {', '.join(known)}")
        if given.count(name) > 1:
            raise bad(f"input {name!r} is given twice")
    missing = [spec.name for spec in known.values() if not spec.optional and spec.name not in given]
    if missing:
        raise bad(f"input {missing[0]!r} is missing")


def _size(one: RequestInput) -> int:
    if any(side < 0 for side in one.shape):
        raise bad(f"input {one.name!r}: shape {one.shape} has a negative side")
    return math.prod(one.shape)


def _check_shape(one: RequestInput, spec: TensorSpec, sizes: dict[str, int]) -> None:
    """See that the shape fits; `sizes` holds the numbers that names stand for, and takes new ones."""
    if one.datatype != FP32:
        raise bad(f"input {one.name!r}: datatype {one.datatype[:20]!r}, it must be {FP32}")
    wanted = spec.document()["shape"]
    if len(one.shape) != len(spec.shape):
        raise bad(f"input {one.name!r}: shape {one.shape}, it must be {wanted}")
    for side, due in zip(one.shape, spec.shape, strict=True):
        if isinstance(due, str) and side > 0:
            due = sizes.setdefault(due, side)  # noqa: PLW2901 - the name's number from here on
        if side != due:
            more = f" with {due} in place of -1, as in another input" if isinstance(due, int) else ""
            raise bad(
                f"input {one.name!r}: shape {one.shape}, it must be {wanted}{more if -1 in wanted else ''}"
            )


def _array(one: RequestInput) -> Array:
    if not bytes(one.data):
        raise bad(f"input {one.name!r} has no data: tensors are JSON here, there is no binary data extension")
    values = _numbers(one.name, bytes(one.data), len(one.shape))
    if values.shape not in {tuple(one.shape), (math.prod(one.shape),)}:
        raise bad(f"input {one.name!r}: data of shape {list(values.shape)} beside shape {one.shape}")
    if not (np.abs(values) <= np.finfo(np.float32).max).all():
        raise bad(f"input {one.name!r}: a number beyond the range of {FP32}")
    return values.astype(np.float32).reshape(one.shape)


def _numbers(name: str, data: bytes, rank: int) -> npt.NDArray[np.float64]:
    """Flat or nested lists of numbers as an array; nothing else is converted."""
    depth = data[: len(data) - len(data.lstrip(b"[ \t\r\n"))].count(b"[")
    if depth not in {1, rank}:
        raise bad(f"input {name!r}: data nested {depth} deep; it is flat, or {rank} deep as its shape")
    kind: Any = float
    for _ in range(depth):
        kind = list[kind]
    try:
        return np.array(msgspec.json.decode(data, type=kind), np.float64)
    except (msgspec.MsgspecError, ValueError, OverflowError) as error:
        raise bad(f"input {name!r}: data: {error}") from None


__all__ = ["InferRequest", "TensorSpec", "output_document", "read_inputs", "read_request", "wanted_outputs"]
